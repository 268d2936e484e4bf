// The objects of one caller's session: the public object, and the scopes that its connections hand out, all under one budget. Credentials are
// verified here, once; calls on scopes go to the hub.

import type { RpcTarget } from "capnweb";
import { z } from "zod";
import { FaultError, fault } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { DurableAnswer } from "../log/durable-answer.ts";
import { forwardedBy } from "../message/forwarded.ts";
import { type CallOptions, type ForwardedOptions, NODE_GRANT, type Principal } from "../message/message.ts";
import { nearest } from "../message/nearest.ts";
import { parse } from "../message/parse.ts";
import type { Orchestrator } from "../orchestrator.ts";
import type { Turns } from "../pipeline/turns.ts";
import type { Route } from "../plugin/composition.ts";
import type { Connection, ConnectionSession, Verified } from "../plugin/connection.ts";
import type { Origin } from "../plugin/plugin.ts";
import type { SessionBudget } from "../rpc/budget.ts";
import type { Caller } from "../scope/caller.ts";
import { addMethod, closedTarget } from "../scope/closed-target.ts";
import type { LiveSession } from "../scope/live-callbacks.ts";
import { ConnectionSessions } from "./connection-sessions.ts";

export interface SessionOptions {
  readonly orchestrator: Orchestrator;
  readonly budget: SessionBudget;
  /** The callbacks that the caller passes. */
  readonly lives: LiveSession;
  /** Keeps the calls of all scopes of the session in order. */
  readonly turns: Turns;
  /** The longest that a call waits for its outcome, in milliseconds; default: for ever. */
  readonly wait?: number;
}

const challengeSchema = z.strictObject({ connection: z.string().max(64), hello: z.unknown() });

/**
 * The class of the public object, which an unauthenticated caller holds: `health` (the node, and how many entries are durable), a method
 * for each connection, and `challenge` where a connection has one.
 */
export function publicApiClass(orchestrator: Orchestrator): new (session: SessionOptions) => RpcTarget {
  const { committer } = orchestrator;
  const { connections } = orchestrator.composition;
  const challenging = [...connections].flatMap(([name, { challenge }]) => (challenge === undefined ? [] : [name]));
  const members = [...connections.keys(), ...(challenging.length > 0 ? ["challenge"] : []), "health"];

  class PublicApi extends closedTarget("the public object", members) {
    readonly #session: SessionOptions;
    readonly #sessions: ConnectionSessions;

    constructor(session: SessionOptions) {
      super();
      this.#session = session;
      this.#sessions = new ConnectionSessions(session);
    }

    static connect(api: PublicApi, name: string, connection: Connection, input: unknown): Promise<unknown> {
      const session = api.#session;
      // In turn: one burst may register, make a grant and connect with it, in this order.
      const verified = Promise.resolve(
        session.turns.take(() => verify(session, name, connection, input, api.#sessions.take(name))),
      ) as Promise<Verified>;
      session.budget.authenticating(verified);
      verified.catch(() => orchestrator.metrics.meters.refusedCredentials++);
      // Waits for the disk: if the entry of the grant were undone, its number could become another grant's.
      return verified
        .then((who) => committer.durably(() => who))
        .then(({ node, ...principal }) => {
          if (connection.forwards) session.budget.withNode();
          return orchestrator.scopeFor(callerOf(session, principal, connection.forwards ? node : undefined));
        });
    }

    static challenge(api: PublicApi, asked: unknown): Promise<unknown> {
      const session = api.#session;
      // In turn as well: earlier calls are decided first.
      const offered = Promise.resolve(session.turns.take(() => challenge(session, challenging, api.#sessions, asked)));
      session.budget.challenging(offered);
      offered.catch(() => orchestrator.metrics.meters.refusedCredentials++);
      return offered.then((answer) => committer.durably(() => answer));
    }
  }

  addMethod(PublicApi.prototype, "health", {
    value() {
      const ready = committer.ready();
      const why = ready ? {} : { why: committer.refusal.message };
      return { node: orchestrator.node.id, entries: committer.durable, ready, ...why };
    },
  });
  if (challenging.length > 0) {
    addMethod(PublicApi.prototype, "challenge", {
      value(this: PublicApi, asked: unknown) {
        return PublicApi.challenge(this, asked);
      },
    });
  }
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
  asking: ConnectionSession,
): Promise<Verified> {
  checkLasting(name, connection, asking);
  const parsed = parse(name, connection.input, input);
  const verified = await connection.verify(parsed, session.orchestrator.reader, asking);
  if ("code" in verified) throw new FaultError(verified);
  // The node's own grant is only for code in the node's process.
  if (verified.grant === NODE_GRANT)
    throw new FaultError({ code: "CREDENTIAL_INVALID", message: `${name}: no such credential` });
  if (connection.forwards && verified.node === undefined) throw new Error(`${name} forwards, and says for which node`);
  return verified;
}

/** Answers what the caller is told, and keeps what the connection wants kept for the verification. */
async function challenge(
  session: SessionOptions,
  challenging: readonly string[],
  sessions: ConnectionSessions,
  asked: unknown,
): Promise<unknown> {
  const { connection: name, hello } = parse("challenge", challengeSchema, asked);
  const { composition, reader } = session.orchestrator;
  const connection = composition.connections.get(name);
  if (connection?.challenge === undefined) {
    const hint = nearest(name, challenging) ?? challenging.join(", ");
    const message = `challenge: no connection "${printable(name)}" is challenged for; ${hint} is`;
    throw new FaultError({ code: "MESSAGE_UNKNOWN", message });
  }
  const asking = sessions.take(name);
  checkLasting(name, connection, asking);
  const offered = await connection.challenge.offer(parse(name, connection.challenge.input, hello), reader, asking);
  if ("code" in offered) throw new FaultError(offered);
  // Charged, because later calls may refer to the answer.
  session.budget.result(offered.answer);
  sessions.keep(name, offered.keep);
  return offered.answer;
}

function checkLasting(name: string, connection: Connection, { lasting }: ConnectionSession): void {
  if (!connection.lasting || lasting) return;
  throw new FaultError(fault("SESSION_REQUIRED", `${name} needs a session that lasts, such as a WebSocket's`));
}

function isPrincipal(answer: unknown): answer is Pick<Principal, "principal" | "grant"> {
  const { principal, grant } = (answer ?? {}) as Partial<Principal>;
  return typeof principal === "string" && typeof grant === "string" && grant !== NODE_GRANT;
}

/**
 * The calls of one scope: counted, bounded, and submitted in its principal's name.
 * @param node set where the principal is another node, which may forward others' calls
 */
function callerOf(session: SessionOptions, principal: Principal, node?: string): Caller {
  const { orchestrator, budget, lives, wait, turns } = session;

  function finish(route: Route, answer: unknown): unknown {
    budget.result(answer);
    // A held message has no scope yet: it is answered as pending.
    if (!route.definition.scope || !isPrincipal(answer)) return answer;
    return { ...answer, scope: orchestrator.scopeFor(callerOf(session, { ...answer, may: principal.may }, node)) };
  }

  const callEnded = (): void => budget.callEnded();

  // Split into functions, because most calls need none of the closures below, and would pay for their scope.
  const ask = (route: Route, data: unknown, options: ForwardedOptions): unknown => {
    const origin = node === undefined ? undefined : forwardedBy(node, orchestrator.node.id, options);
    const waited = wait === undefined ? options : { ...options, wait: Math.min(options.wait ?? wait, wait) };
    if (turns.held) return askInTurn(route, data, waited, origin);
    return orchestrator.hub.ask(route, data, principal, waited, origin, turns);
  };
  const askInTurn = (route: Route, data: unknown, options: CallOptions, origin: Origin | undefined): unknown =>
    turns.take(() => orchestrator.hub.ask(route, data, principal, options, origin, turns));
  const askLive = (route: Route, data: unknown, options: ForwardedOptions): unknown =>
    lives.asking(data, route.definition.live, (plain) => ask(route, plain, options));
  const finishLater = (route: Route, answer: DurableAnswer | Promise<unknown>): PromiseLike<unknown> => {
    const told = (value: unknown): unknown => finish(route, value);
    return answer instanceof DurableAnswer ? answer.through(told, callEnded) : answer.then(told).finally(callEnded);
  };

  return {
    forwards: node !== undefined,
    call(route, data, options) {
      budget.callStarted();
      let pending = false;
      try {
        const answer = route.definition.live === undefined ? ask(route, data, options) : askLive(route, data, options);
        if (!(answer instanceof DurableAnswer || answer instanceof Promise)) return finish(route, answer);
        pending = true;
        return finishLater(route, answer);
      } finally {
        if (!pending) budget.callEnded();
      }
    },
  };
}
