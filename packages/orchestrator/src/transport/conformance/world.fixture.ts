// A server whose sessions a test can see into: what it was asked, in what order, and what it holds.

// biome-ignore-all lint/suspicious/noExplicitAny: a stock client is a Proxy, whose type the test cannot know.

import { RpcPromise, RpcSession, RpcTarget } from "capnweb";
import { FaultError } from "../../fault/fault.ts";
import { DurableAnswer } from "../../log/durable-answer.ts";
import { SessionBudget } from "../../rpc/budget.ts";
import { onSendError } from "../../rpc/errors.ts";
import { FakeLog } from "../../rpc/fake-log.fixture.ts";
import type { SessionLimits } from "../../rpc/limits.ts";
import { systemTimers } from "../../time/timers.ts";
import type { Arrival, Link } from "../link.ts";
import { SessionTransport } from "../session-transport.ts";
import type { Listening, Peer, Wire } from "./wire.fixture.ts";

export interface Session {
  readonly budget: SessionBudget;
  readonly link: Link;
  readonly transport: SessionTransport;
  readonly over: PromiseWithResolvers<{ readonly code: number; readonly reason: string }>;
}

/** A scope whose methods keep the budget's rules, as the generated ones do. */
class Scope extends RpcTarget {
  #world: World;
  #budget: SessionBudget;
  constructor(world: World, budget: SessionBudget) {
    super();
    this.#world = world;
    this.#budget = budget;
  }
  #answer(give: () => unknown) {
    this.#budget.callStarted();
    try {
      this.#world.calls++;
      const value = give();
      this.#budget.result(value);
      return value;
    } finally {
      this.#budget.callEnded();
    }
  }
  list(n: number) {
    return this.#answer(() => Array.from({ length: n }, (_, id) => ({ id })));
  }
  show(x: { id: number }) {
    return this.#answer(() => ({ shown: x.id }));
  }
  take(..._: unknown[]) {
    return this.#answer(() => 0);
  }
  text(n: number) {
    return this.#answer(() => "x".repeat(n));
  }
  decide() {
    return this.#answer(() => ++this.#world.log.tip);
  }
  mark(name: string) {
    this.#world.marks.push(name);
    return name;
  }
  self(_?: unknown) {
    return new Scope(this.#world, this.#budget);
  }
  nested() {
    return { at: "once", later: new RpcPromise(Promise.resolve("later")) };
  }
  refuse(_?: unknown) {
    throw new FaultError({ code: "BUSY", message: "not now" });
  }
  async refuseLater() {
    throw new FaultError({ code: "BUSY", message: "not now" });
  }
  hang() {
    return this.#world.hanging.promise;
  }
  /** DurableAnswer when the test says so, as what waits for the disk is: no promise, and what `method` answers then. */
  later(method: "self" | "list" | "refuse") {
    const told = new DurableAnswer(1, () => this[method](2));
    this.#world.untold.push(told);
    return told;
  }
  /** Asks the caller's own callback, and answers what that answers. */
  async call(callback: (n: number) => Promise<number>, n: number) {
    return await callback(n);
  }
  [Symbol.dispose]() {
    this.#world.disposed.resolve();
  }
}

class Main extends RpcTarget {
  #world: World;
  #budget: SessionBudget;
  constructor(world: World, budget: SessionBudget) {
    super();
    this.#world = world;
    this.#budget = budget;
  }
  connect(credential: string): Promise<Scope> {
    const verified = this.#world.verifying.promise.then(() => {
      if (credential !== "good") throw new Error("credential");
      return new Scope(this.#world, this.#budget);
    });
    this.#budget.authenticating(verified);
    return verified;
  }
  list() {
    this.#world.calls++;
    return [1, 2, 3];
  }
}

export class World {
  readonly log = new FakeLog();
  readonly hanging = Promise.withResolvers<void>();
  readonly untold: DurableAnswer[] = [];
  readonly disposed = Promise.withResolvers<void>();
  verifying = Promise.withResolvers<void>();
  calls = 0;
  readonly marks: string[] = [];
  readonly sessions: Session[] = [];
  #listening: Listening | undefined;
  readonly #limits: Partial<SessionLimits>;
  readonly #listens: boolean;

  private constructor(limits: Partial<SessionLimits>, listens: boolean) {
    this.verifying.resolve();
    this.#limits = limits;
    this.#listens = listens;
  }

  /** Without `listens`, capnweb reads as an unpatched one does (ADR 0010). */
  static async over(wire: Wire, limits: Partial<SessionLimits> = {}, listens = true): Promise<World> {
    const world = new World(limits, listens);
    world.#listening = await wire.listen(() => world.#arrived());
    return world;
  }

  get listening(): Listening {
    return this.#listening as Listening;
  }

  #arrived(): Arrival {
    const budget = new SessionBudget(this.#limits);
    return {
      arriving: (bytes) => budget.arriving(bytes),
      opened: (link) => {
        const transport = new SessionTransport(link, { budget, durability: this.log, timers: systemTimers });
        if (!this.#listens) Object.defineProperty(transport, "listen", { value: undefined });
        const session: Session = { budget, link, transport, over: Promise.withResolvers() };
        this.sessions.push(session);
        new RpcSession(transport, new Main(this, budget), { onSendError: (error) => onSendError(error) });
        return {
          received: (frame) => transport.received(frame),
          invalid: (why) => transport.invalid(why),
          closed(code, reason) {
            transport.closed(code, reason);
            session.over.resolve({ code, reason });
          },
        };
      },
      left() {},
    };
  }

  /** The scope of a stock client that connected. */
  async client(): Promise<any> {
    return await this.listening.main().connect("good");
  }

  peer(): Promise<Peer> {
    return this.listening.peer();
  }

  async stop(): Promise<void> {
    await this.listening.stop();
  }
}

export const connect = '["push",["pipeline",0,["connect"],["good"]]]';

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
