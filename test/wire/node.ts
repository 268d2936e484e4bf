// What the tests of this folder stand on: a node with a real port, a log whose disk the test controls, a clock that stands
// still, and a comparison of everything that is committed before and after.

import {
  createLogger,
  createOrchestrator,
  decodeEntry,
  type Log,
  memoryLog,
  type Orchestrator,
  type Serving,
  type SessionLimits,
  serve,
  type Timers,
} from "@capstan/orchestrator";
import {
  auth,
  credentialDigest,
  deadLetter,
  executor,
  ledger,
  type Protocol,
  publisher,
  registry,
} from "@capstan/plugins";
import { z } from "zod";

/** A log whose disk is full, or slow, when the test says so. */
export class TestLog implements Log {
  readonly inner: Log = memoryLog();
  full = false;
  #gated = false;
  #held: (() => void)[] = [];

  get id() {
    return this.inner.id;
  }
  get first() {
    return this.inner.first;
  }
  get head() {
    return this.inner.head;
  }
  get lastAt() {
    return this.inner.lastAt;
  }
  get epoch() {
    return this.inner.epoch;
  }
  get durable() {
    return this.inner.durable;
  }
  get tree() {
    return this.inner.tree;
  }
  get restorations() {
    return this.inner.restorations;
  }
  get damage() {
    return this.inner.damage;
  }

  /** Appends wait from now on. */
  closeGate(): void {
    this.#gated = true;
  }

  /** What waited is appended; what comes is, at once. */
  openGate(): void {
    this.#gated = false;
    for (const append of this.#held.splice(0)) append();
  }

  append(...[head, entries]: Parameters<Log["append"]>): ReturnType<Log["append"]> {
    this.#check();
    if (!this.#gated) return this.inner.append(head, entries);
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Log["append"]>>>();
    this.#held.push(() => {
      try {
        this.#check();
        resolve(this.inner.append(head, entries));
      } catch (error) {
        reject(error);
      }
    });
    return promise;
  }

  probe() {
    this.#check();
  }
  read(...args: Parameters<Log["read"]>) {
    return this.inner.read(...args);
  }
  tail(...args: Parameters<Log["tail"]>) {
    return this.inner.tail(...args);
  }
  blob(name: string) {
    return this.inner.blob(name);
  }
  trim(...args: Parameters<Log["trim"]>) {
    this.#check();
    return this.inner.trim(...args);
  }
  find(id: string) {
    return this.inner.find(id);
  }
  row(table: string, key: string) {
    return this.inner.row(table, key);
  }
  rows(...args: Parameters<Log["rows"]>) {
    return this.inner.rows(...args);
  }
  snapshot(tables: readonly string[]) {
    return this.inner.snapshot(tables);
  }
  close() {
    return this.inner.close();
  }

  #check(): void {
    if (this.full) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  }
}

/** Timers that fire when the test says so. */
export class TestTimers implements Timers {
  readonly #armed = new Set<{ readonly at: number; readonly callback: () => void }>();
  #now = 0;

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#armed.add(timer);
    return () => this.#armed.delete(timer);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#armed]) {
      if (timer.at <= this.#now && this.#armed.delete(timer)) timer.callback();
    }
  }
}

/** Answers its input. */
const echo: Protocol = { name: "echo", configSchema: z.strictObject({}), execute: ({ input }) => input };

export interface TestNode extends Serving {
  readonly log: TestLog;
  readonly timers: TestTimers;
  readonly orchestrator: Orchestrator;
  /** Lines of the node's own log so far. */
  readonly lines: string[];
  /** Milliseconds since the epoch: what the node's clock shows. */
  clock: number;
  /** A credential of everything, that can be passed on. */
  readonly admin: string;
  /** Makes a grant as the node itself; answers its id and a credential for it. */
  grant(limits: Readonly<Record<string, unknown>>): Promise<{ readonly grant: string; readonly secret: string }>;
  /** What the node itself asks for. */
  ask(resource: string, action: string, data?: unknown): Promise<unknown>;
  /** Everything that is decided or owed: every row of every table. */
  rows(): string;
  /** Runs `act`; answers what it added to the log, as decoded entries. */
  added(act: () => Promise<unknown>): Promise<ReturnType<typeof decodeEntry>[]>;
}

interface NodeOptions {
  readonly protocols?: readonly Protocol[];
  readonly limits?: Partial<SessionLimits>;
  readonly listen?: string;
  readonly public?: boolean;
}

const running = new Set<TestNode>();

export async function startNode(options: NodeOptions = {}): Promise<TestNode> {
  const { protocols = [], limits = {}, listen = "127.0.0.1:0" } = options;
  const log = new TestLog();
  const timers = new TestTimers();
  const lines: string[] = [];
  const { logger, observe, flush } = createLogger({
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
  });
  const node = { clock: Date.parse("2030-01-01T00:00:00Z") };
  const orchestrator = await createOrchestrator({
    plugins: [auth(), registry(), deadLetter(), executor({ protocols: [echo, ...protocols] }), publisher(), ledger()],
    ...{ log, timers, logger, now: () => node.clock, onDecided: observe },
  });
  const own = await orchestrator.scope({ principal: "operator", allow: ["*"] });
  const ask = async (resource: string, action: string, data?: unknown) => own.applyAction({ resource, action, data });

  async function grant(asked: Readonly<Record<string, unknown>>) {
    const secret = newSecret();
    const made = await ask("grant", "create", { principal: "caller", credential: digestOf(secret), ...asked });
    return { grant: (made as { grant: string }).grant, secret };
  }

  function rows(): string {
    const tables = orchestrator.composition.tables.map((table) => [
      table.name,
      [...orchestrator.reader.rows(table)].sort(),
    ]);
    return JSON.stringify(tables);
  }

  const { secret: admin } = await grant({ principal: "admin", allow: ["*"], delegable: true });
  const serving = serve(orchestrator as Orchestrator, { listen, limits, logger, public: options.public ?? false });
  const stop = async () => {
    running.delete(started);
    await serving.stop();
    flush();
  };
  const started: TestNode = Object.assign(node, {
    ...{ log, timers, lines, orchestrator: orchestrator as Orchestrator, admin, grant, ask, rows, stop },
    ...{ url: serving.url, paths: serving.paths },
    async added(act: () => Promise<unknown>) {
      const before = log.head;
      await act();
      await orchestrator.committer.whenDurable(orchestrator.committer.tip);
      flush();
      return (await log.read(before + 1)).map(decodeEntry);
    },
  });
  running.add(started);
  return started;
}

/** For `afterEach`. */
export async function stopNodes(): Promise<void> {
  await Promise.all(
    [...running].map((node) => {
      node.log.full = false;
      node.log.openGate();
      return node.stop();
    }),
  );
}

/** A bearer credential, as a client makes one. */
export function newSecret(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
}

export function digestOf(secret: string): string {
  return credentialDigest(secret);
}
