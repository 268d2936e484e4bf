// What HTTP doors, the plugins' and the node's own, are given. The bearer credential is verified by the connection that takes one, and messages go
// to the hub like everybody's.

import { type Fault, FaultError, fault } from "../fault/fault.ts";
import { kernelFaults } from "../fault/kernel-faults.ts";
import type { Problem } from "../fault/problem.ts";
import { NODE_GRANT, type Principal } from "../message/message.ts";
import { parse } from "../message/parse.ts";
import type { Orchestrator } from "../orchestrator.ts";
import type { DoorContext, Logger } from "../plugin/plugin.ts";
import { problemOf, problemResponse } from "../rest/problem.ts";
import { ConnectionSessions } from "./connection-sessions.ts";

const BEARER = /^Bearer +([\x21-\x7e]{1,4096})$/i;

export interface DoorContextParts {
  readonly orchestrator: Orchestrator;
  readonly stopping: AbortSignal;
  readonly logger: Logger;
  keepOpen(request: Request): void;
}

export function doorContext({ orchestrator, stopping, logger, keepOpen }: DoorContextParts): DoorContext {
  const { composition, reader, hub, committer, lives, metrics } = orchestrator;
  const connection = [...composition.connections.values()].find(({ bearer }) => bearer === true);

  async function authenticate(request: Request): Promise<Principal | Fault> {
    const found = await verify(request);
    if ("code" in found && request.headers.has("authorization")) metrics.meters.refusedCredentials++;
    return found;
  }

  async function verify(request: Request): Promise<Principal | Fault> {
    const header = request.headers.get("authorization");
    if (header === null) {
      return fault("UNAUTHENTICATED", "no credential; say it as `Authorization: Bearer …`");
    }
    const credential = BEARER.exec(header)?.[1];
    if (credential === undefined || connection === undefined) {
      return fault("UNAUTHENTICATED", "the credential is taken as `Authorization: Bearer …`, and in no other form");
    }
    // A request has no session but for this verification.
    const session = lives.session(false);
    const asking = new ConnectionSessions({ lives: session, budget: { end() {} } }).take("");
    try {
      const verified = await connection.verify(parse("authorization", connection.input, credential), reader, asking);
      if ("code" in verified) return verified;
      if (verified.grant === NODE_GRANT) return fault("CREDENTIAL_INVALID", "no grant goes by this credential");
      // A credential may depend on entries that are not durable yet, and could still be undone.
      await committer.whenDurable(committer.tip);
      return verified;
    } catch (thrown) {
      if (thrown instanceof FaultError) return thrown.toFault();
      throw thrown;
    } finally {
      session.end("the request was verified");
    }
  }

  function problem(found: Fault): Problem {
    return problemOf(found, composition.faults.get(found.code) ?? kernelFaults.INTERNAL, false);
  }

  return {
    ...{ reader, stopping, authenticate, keepOpen, problem, log: logger },
    submit: async (message, as, options = {}) =>
      hub.submit(composition.route(message.resource, message.action), message.data, as, options),
    refuse(found) {
      const told = problem(found);
      return problemResponse(told, told.status === 401 ? { "www-authenticate": 'Bearer realm="capstan"' } : {});
    },
    statusOf: (code) => composition.faults.get(code)?.status ?? kernelFaults.INTERNAL.status,
  };
}
