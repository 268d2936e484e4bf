// A node with its doors open, on loopback and a port of its own: its time is the test's, and it performs and publishes what it is
// given.

import {
  createOrchestrator,
  type Log,
  type Logger,
  memoryLog,
  type Orchestrator,
  type ServeOptions,
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

const echo: Protocol = { name: "echo", configSchema: z.strictObject({}), execute: ({ input }) => input };

/** Time that passes when the test says so. */
class TestTime implements Timers {
  #now = Date.parse("2030-01-01T00:00:00Z");
  #armed: { readonly at: number; readonly callback: () => void }[] = [];

  readonly now = (): number => this.#now;

  get armed(): number {
    return this.#armed.length;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback };
    this.#armed.push(timer);
    return () => {
      this.#armed = this.#armed.filter((one) => one !== timer);
    };
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const timer of this.#armed.filter(({ at }) => at <= this.#now)) {
      this.#armed = this.#armed.filter((one) => one !== timer);
      timer.callback();
    }
  }
}

const ending = new Set<() => Promise<void>>();

/** For `afterEach`. */
export async function stopDoors(): Promise<void> {
  await Promise.all([...ending].map((stop) => stop()));
}

export async function startDoors(options: ServeOptions & { readonly log?: Log } = {}) {
  const time = new TestTime();
  const said: string[] = [];
  const say = (_: object, text: string): void => void said.push(text);
  const logger: Logger = { debug() {}, info() {}, warn: say, error: say };
  const orchestrator = (await createOrchestrator({
    plugins: [auth(), registry(), deadLetter(), executor({ protocols: [echo] }), publisher(), ledger()],
    ...{ log: options.log ?? memoryLog(), timers: time, now: time.now, logger },
  })) as unknown as Orchestrator;
  const own = await orchestrator.scope({ principal: "operator", allow: ["*"] });
  const ask = <T = unknown>(resource: string, action: string, data: unknown = {}) =>
    own.applyAction({ resource, action, data }) as Promise<T>;
  const serving = serve(orchestrator, { listen: "127.0.0.1:0", logger, ...options });
  let secrets = 0;

  async function grant(limits: object = { allow: ["*"], read: ["*"], write: ["*"] }) {
    const secret = `secret-${++secrets}-${"x".repeat(30)}`;
    const asked = { principal: `reader-${secrets}`, credential: credentialDigest(secret), ...limits };
    const made = await ask<{ grant: string }>("grant", "create", asked);
    return { secret, grant: made.grant };
  }
  const stop = async (): Promise<void> => {
    ending.delete(stop);
    await serving.stop();
  };
  ending.add(stop);
  return {
    ...{ url: serving.url, orchestrator, time, said, ask, grant, stop },
    /** An action that publishes what it is given. */
    action: (name: string) => ask("action", "register", { name, protocol: "echo", idempotent: true }),
    publish: (input: unknown, name = "greet") => ask("action", "perform", { name, input }),
  };
}

export type Doors = Awaited<ReturnType<typeof startDoors>>;
