// A history of ten thousand messages, or as many as are asked for, made by a node of the standard plugins over weeks of its own time: performings at all
// hours, refusals, registrations, retries, holds, grants made under grants. A seed repeats it.

import { appendFileSync } from "node:fs";
import {
  type AnyPlugin,
  createOrchestrator,
  FaultError,
  fault,
  type Log,
  type Principal,
  type Scope,
} from "@capstan/orchestrator";
import { executor, type Protocol, type StandardMessages, standard } from "@capstan/plugins";
import { z } from "zod";
import { businessHours } from "../../examples/business-hours/business-hours.ts";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { approval } from "./approval.ts";
import { Clock } from "./clock.ts";

export const MESSAGES = 10_000;
const MONDAY = Date.UTC(2026, 2, 2);
const MINUTE = 60_000;

/** What the actions do to the world: a line in a file each time that one runs. */
export class World {
  readonly #file: string;
  runs = 0;
  readonly #tried = new Set<string>();

  constructor(file: string) {
    this.#file = file;
  }

  readonly protocol: Protocol = {
    name: "world",
    configSchema: z.strictObject({}),
    execute: ({ task, input, key }) => {
      this.runs++;
      appendFileSync(this.#file, `${task.name}\n`);
      if (task.name === "broken") throw new FaultError(fault("ACTION_FAILED", "it is broken"));
      if (task.name === "flaky" && !this.#tried.has(key)) {
        this.#tried.add(key);
        throw new FaultError(fault("ACTION_FAILED", "not this time"));
      }
      return task.name === "send" ? Promise.resolve(input) : input;
    },
  };
}

/** The plugins of the node, with opening hours. */
export function composition(world: World, open: number, close: number): readonly AnyPlugin[] {
  return (standard() as readonly AnyPlugin[]).flatMap((plugin) => {
    if (plugin.name === "executor") return [executor({ protocols: [world.protocol] })];
    return plugin.name === "auth" ? [plugin, businessHours(open, close), approval("danger")] : [plugin];
  }) as readonly AnyPlugin[];
}

type AppScope = Scope<StandardMessages>;

/** Fills the log. Answers the id of bob's grant, under which half of it was asked. */
export async function makeHistory(
  log: Log,
  plugins: readonly AnyPlugin[],
  seed: number,
  messages = MESSAGES,
): Promise<string> {
  const clock = new Clock(MONDAY);
  const random = new SeededRandom(seed);
  const node = await createOrchestrator({
    plugins: plugins as never,
    log: unclosed(log),
    now: clock.now,
    timers: clock,
    random: (bytes) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = random.next() * 256;
    },
  });
  const scopeOf = (as: Principal) =>
    node.scopeFor({
      call: async (route, data, options) => node.hub.submit(route, data, as, options),
    }) as unknown as AppScope;
  const admin = (await node.scope({ principal: "admin", allow: ["*"] })) as unknown as AppScope;
  for (const [name, more] of [
    ["greet", { idempotent: true, input: { type: "object", required: ["n"] } }],
    ["send", {}],
    ["flaky", { idempotent: true, attempts: 2, backoff: 1000 }],
    ["broken", {}],
    ["danger", { idempotent: true }],
    ["ops/stop", { readOnly: true }],
  ] as const) {
    await admin.action.register({ name, protocol: "world", ...more });
  }
  const made = await admin.grant.create({
    principal: "bob",
    allow: ["action.perform", "action.list", "grant.attenuate", "execution"],
    delegable: true,
  });
  const bob = scopeOf(made);
  const children: AppScope[] = [];
  const failed: string[] = [];
  const ids = { action: 0, key: 0 };
  const input = () => ({ n: random.upTo(9) });
  const perform = (scope: AppScope, name: string, options = {}) =>
    scope.action.perform({ name, input: input() }, options);
  const someone = () => (children.length === 0 ? bob : random.pick([bob, bob, ...children.slice(-3)]));

  const steps: readonly (() => Promise<unknown>)[] = [
    ...Array.from({ length: 10 }, () => () => perform(someone(), "greet")),
    ...Array.from({ length: 4 }, () => () => perform(someone(), "send")),
    ...Array.from({ length: 2 }, () => () => perform(someone(), "flaky")),
    () => perform(someone(), "ops/stop"),
    () => perform(admin, "greet"),
    () => someone().action.perform({ name: "greet", input: "not an object" }),
    () => perform(bob, "nothing"),
    () => bob.action.remove({ name: "greet" }),
    () => scopeOf({ principal: "eve", grant: made.grant }).action.list({}),
    () => admin.action.register({ name: `new-${++ids.action}`, protocol: "world" }),
    () => admin.action.register({ name: `new-${ids.action}`, protocol: "nobody" }),
    () => admin.action.update({ name: "send", timeout: 1000 * random.upTo(60) }),
    () => admin.action.remove({ name: `new-${ids.action}` }),
    () => admin.principal.create({ name: `p-${ids.action}` }),
    async () => {
      const child = await bob.grant.attenuate({ allow: [random.pick(["action.perform", "action.perform:greet"])] });
      children.push(scopeOf(child));
      if (children.length % 3 === 0) await admin.grant.revoke({ grant: child.grant });
    },
    () => perform(bob, "greet", { key: `k-${++ids.key}` }),
    () => perform(bob, "greet", { key: `k-${random.upTo(ids.key)}` }),
    async () => {
      const error = (await perform(bob, "broken").catch((thrown: unknown) => thrown)) as { id?: string };
      if (error.id !== undefined) failed.push(`x${error.id.slice(1)}`);
    },
    () => bob.execution.retry({ id: failed.pop() ?? "x-0000000000000000" }),
    async () => {
      const held = (await bob.action.perform({ name: "danger", input: input() }, { wait: 0 })) as unknown as {
        message?: string;
      };
      if (held.message === undefined) return;
      clock.pass(MINUTE);
      const outcome = random.pick(["yes", "yes", "no"]);
      await admin.applyAction({
        resource: "message",
        action: "settle",
        data: { id: held.message, hold: "approval", outcome },
      });
    },
  ];
  const going = new Set<Promise<unknown>>();
  while (node.committer.tip < messages) {
    const step = random
      .pick(steps)()
      .catch(() => {})
      .finally(() => going.delete(step));
    going.add(step);
    // What has to be prepared is, before time passes.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.pass(random.upTo(20) * MINUTE);
  }
  clock.pass(60 * MINUTE);
  await Promise.all(going);
  await node.stop();
  return made.grant;
}

/** The node closes its log when it stops; this one is read on. */
function unclosed(log: Log): Log {
  return new Proxy(log, {
    get(target, name) {
      if (name === "close") return () => {};
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
