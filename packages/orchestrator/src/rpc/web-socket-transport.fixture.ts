// A server whose sessions a test can see into: what it was asked, in what order, and what it holds.

// biome-ignore-all lint/suspicious/noExplicitAny: a stock client is a Proxy, whose type the test cannot know.

import { newWebSocketRpcSession, RpcPromise, RpcSession, RpcTarget } from "capnweb";
import { FaultError } from "../fault/fault.ts";
import { SessionBudget } from "./budget.ts";
import { onSendError } from "./errors.ts";
import { FakeLog } from "./fake-log.fixture.ts";
import type { SessionLimits } from "./limits.ts";
import { WebSocketTransport } from "./web-socket-transport.ts";

export interface Session {
  readonly budget: SessionBudget;
  readonly transport: WebSocketTransport;
  readonly over: PromiseWithResolvers<void>;
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
  self() {
    return new Scope(this.#world, this.#budget);
  }
  nested() {
    return { at: "once", later: new RpcPromise(Promise.resolve("later")) };
  }
  refuse() {
    throw new FaultError({ code: "BUSY", message: "not now" });
  }
  async refuseLater() {
    throw new FaultError({ code: "BUSY", message: "not now" });
  }
  hang() {
    return this.#world.hanging.promise;
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
  readonly disposed = Promise.withResolvers<void>();
  verifying = Promise.withResolvers<void>();
  calls = 0;
  readonly marks: string[] = [];
  readonly sessions: Session[] = [];
  readonly #server: Bun.Server<Session>;

  /** Without `listens`, capnweb reads as an unpatched one does (ADR 0010). */
  constructor(limits: Partial<SessionLimits> = {}, listens = true) {
    this.verifying.resolve();
    this.#server = Bun.serve<Session, never>({
      port: 0,
      fetch: (request, server) =>
        server.upgrade(request, { data: {} as Session }) ? undefined : new Response(null, { status: 400 }),
      websocket: {
        maxPayloadLength: 32 * 1024 * 1024,
        backpressureLimit: 64 * 1024 * 1024,
        open: (ws) => {
          const budget = new SessionBudget(limits);
          const transport = new WebSocketTransport(ws, { budget, durability: this.log });
          if (!listens) Object.defineProperty(transport, "listen", { value: undefined });
          const over = Promise.withResolvers<void>();
          Object.assign(ws.data, { budget, transport, over });
          this.sessions.push(ws.data);
          new RpcSession(transport, new Main(this, budget), { onSendError: (error) => onSendError(error) });
        },
        message: (ws, data) => ws.data.transport.dispatchMessage(data),
        close: (ws, code, reason) => {
          ws.data.transport.dispatchClose(code, reason);
          ws.data.over.resolve();
        },
      },
    });
  }

  get url(): string {
    return this.#server.url.href.replace("http", "ws");
  }

  /** A stock client that connected. */
  async client(): Promise<any> {
    const main: any = newWebSocketRpcSession(this.url);
    return await main.connect("good");
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}

export const connect = '["push",["pipeline",0,["connect"],["good"]]]';
