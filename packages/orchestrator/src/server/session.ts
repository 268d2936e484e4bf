// One caller's session: the public object that a door shows first, and the scopes that its connections hand out, all under
// one budget. Credentials are verified here, once; what is asked then goes to the hub.

import type { RpcTarget } from "capnweb";
import { FaultError } from "../fault/fault.ts";
import { NODE_GRANT, type Principal } from "../message/message.ts";
import { parse } from "../message/parse.ts";
import type { Orchestrator } from "../orchestrator.ts";
import type { Turns } from "../pipeline/turns.ts";
import type { Route } from "../plugin/composition.ts";
import type { Connection } from "../plugin/plugin.ts";
import type { SessionBudget } from "../rpc/budget.ts";
import { addMethod, closedTarget } from "../scope/closed-target.ts";
import type { LiveSession } from "../scope/lives.ts";
import type { Caller } from "../scope/scope.ts";

export interface SessionOptions {
  readonly orchestrator: Orchestrator;
  readonly budget: SessionBudget;
  /** The callbacks that the caller brings. */
  readonly lives: LiveSession;
  /** One order for all scopes of the session. */
  readonly turns: Turns;
  /** How long a call waits for its outcome at most; default: for ever. */
  readonly wait?: number;
}

/**
 * The class of what an unauthenticated caller holds, for a composition: `health` (the node, and how many entries are durable),
 * and a method a connection.
 */
export function publicApiClass(orchestrator: Orchestrator): new (session: SessionOptions) => RpcTarget {
  const { committer } = orchestrator;
  const { connections } = orchestrator.composition;

  class PublicApi extends closedTarget("the public object", [...connections.keys(), "health"]) {
    readonly #session: SessionOptions;

    constructor(session: SessionOptions) {
      super();
      this.#session = session;
    }

    static connect(api: PublicApi, name: string, connection: Connection, input: unknown): Promise<unknown> {
      const session = api.#session;
      // In its turn: a burst that registers, makes a grant and connects by it is three steps, in this order.
      const verified = Promise.resolve(session.turns.take(() => verify(session, name, connection, input)));
      session.budget.authenticating(verified);
      verified.catch(() => orchestrator.metrics.meters.refusedCredentials++);
      // A scope that stood on an entry which the disk then refused would be nobody's: its grant's number may become another's.
      return verified
        .then((principal) => committer.durably(() => principal as Principal))
        .then((principal) => orchestrator.scopeFor(callerOf(session, principal)));
    }
  }

  addMethod(PublicApi.prototype, "health", {
    value() {
      return { node: orchestrator.node.id, entries: orchestrator.committer.durable };
    },
  });
  for (const [name, connection] of connections) {
    addMethod(PublicApi.prototype, name, {
      value(this: PublicApi, input: unknown) {
        return PublicApi.connect(this, name, connection, input);
      },
    });
  }
  return PublicApi;
}

async function verify(
  session: SessionOptions,
  name: string,
  connection: Connection,
  input: unknown,
): Promise<Principal> {
  const parsed = parse(name, connection.input, input);
  const verified = await connection.verify(parsed, session.orchestrator.reader);
  if ("code" in verified) throw new FaultError(verified);
  // The node's own grant is for the node's own process.
  if (verified.grant === NODE_GRANT)
    throw new FaultError({ code: "CREDENTIAL_INVALID", message: `${name}: no such credential` });
  return verified;
}

function isPrincipal(answer: unknown): answer is Pick<Principal, "principal" | "grant"> {
  const { principal, grant } = (answer ?? {}) as Partial<Principal>;
  return typeof principal === "string" && typeof grant === "string" && grant !== NODE_GRANT;
}

/** Calls of one scope: counted, bounded, and submitted on its principal's behalf. */
function callerOf(session: SessionOptions, principal: Principal): Caller {
  const { orchestrator, budget, lives, wait, turns } = session;

  function finish(route: Route, answer: unknown): unknown {
    budget.result(answer);
    // One that is held has no scope yet: it is told as pending.
    if (!route.definition.scope || !isPrincipal(answer)) return answer;
    return { ...answer, scope: orchestrator.scopeFor(callerOf(session, { ...answer, may: principal.may })) };
  }

  return {
    call(route, data, options) {
      const waited = wait === undefined ? options : { ...options, wait: Math.min(options.wait ?? wait, wait) };
      budget.callStarted();
      let pending = false;
      try {
        const answer = lives.asking(data, route.definition.live, (plain) =>
          turns.take(() => orchestrator.hub.submit(route, plain, principal, waited, undefined, turns)),
        );
        if (!(answer instanceof Promise)) return finish(route, answer);
        pending = true;
        return answer.then((value) => finish(route, value)).finally(() => budget.callEnded());
      } finally {
        if (!pending) budget.callEnded();
      }
    },
  };
}
