// An orchestrator for tests: time, randomness and the moment of an append are the test's.

import { expect } from "bun:test";
import { z } from "zod";
import { FaultError } from "../fault/fault.ts";
import { randomFrom } from "../log/conformance/sample.ts";
import type { Log } from "../log/log.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { command, type MessageDefinition } from "../message/definition.ts";
import type { CallOptions } from "../message/message.ts";
import type { Tracer } from "../observability/tracer.ts";
import { createOrchestrator } from "../orchestrator.ts";
import type { AnyPlugin, Logger } from "../plugin/plugin.ts";
import { definePlugin } from "../plugin/plugin.ts";
import { next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { ManualTime } from "./manual-time.fixture.ts";

export interface Setting {
  readonly log?: Log;
  readonly time?: ManualTime;
  /** Two orchestrators on one log must not make the same ids. */
  readonly seed?: number;
  /** Appends only when the test calls `flush`. */
  readonly manual?: boolean;
  /** What nobody waits for is appended only when the test calls `gather`, or with what somebody does. */
  readonly gathers?: boolean;
  readonly tracer?: Tracer | undefined;
}

export async function start(plugins: readonly AnyPlugin[], setting: Setting = {}) {
  const { log = memoryLog(), time = new ManualTime(), seed = 1 } = setting;
  let manual = false;
  const flushes: (() => void)[] = [];
  const gathered: (() => void)[] = [];
  const errors: string[] = [];
  const note = (fields: object, text: string): void => void errors.push(`${text}: ${JSON.stringify(fields)}`);
  const logger: Logger = { debug() {}, info() {}, warn() {}, error: note };
  const orchestrator = await createOrchestrator({
    plugins,
    log,
    logger,
    timers: time,
    now: time.now,
    random: fillFrom(seed),
    tracer: setting.tracer,
    schedule(flush, gathering) {
      if (gathering && setting.gathers) gathered.push(flush);
      else if (manual) flushes.push(flush);
      else setImmediate(flush);
    },
  });
  // What the start itself scheduled is over.
  await settled();
  manual = setting.manual ?? false;

  /** `send("note.write", { text: "hi" })`, as somebody. Durable once it resolves. */
  async function send<Answer = unknown>(
    name: string,
    data: object = {},
    options: CallOptions & { as?: string } = {},
  ): Promise<Answer> {
    const { as = "ada", ...rest } = options;
    const [resource = "", action = ""] = name.split(".");
    const scope = await orchestrator.scope({ principal: as, allow: ["*"] });
    return scope.applyAction({ resource, action, data }, rest) as Promise<Answer>;
  }
  return {
    orchestrator,
    tracer: setting.tracer,
    log,
    time,
    errors,
    send,
    flush: () => {
      for (const flush of flushes.splice(0)) flush();
    },
    gather: () => {
      for (const flush of gathered.splice(0)) flush();
    },
    /** Every entry's message and verdict, in order, without the start's own. */
    async history(): Promise<string[]> {
      const entries = await log.read(1, { limit: 1000 });
      return entries
        .map(({ text }) => JSON.parse(text.split("\n")[0] as string) as { message: string; verdict: string })
        .filter(({ message }) => message !== "pipeline.adopt" && message !== "node.expire")
        .map(({ message, verdict }) => `${message} ${verdict}`);
    },
  };
}

/** Fills bytes by a seed. */
export function fillFrom(seed: number): (bytes: Uint8Array) => void {
  const random = randomFrom(seed);
  return (bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256;
  };
}

/** Lets everything run that is ready to. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** The fault's code that a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const thrown = await promise.then(
    (value) => expect.unreachable(`resolved: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (!(thrown instanceof FaultError)) throw thrown;
  return thrown.code;
}

/** Establishes the authority of everybody but those in `denied`. */
export function admits(denied: ReadonlySet<string> = new Set()) {
  return definePlugin({
    name: "admits",
    adds: [authority],
    decide({ envelope: { principal, grant } }) {
      if (denied.has(principal)) return refuse("DENIED", `${principal} may not`, { clause: "denied" });
      return next({
        adds: { authority: { principal, grant, reads: () => true, writes: () => true, allows: () => undefined } },
        clause: "admitted",
      });
    },
  });
}

/** A command with any string fields. */
export function takes(...fields: string[]): MessageDefinition {
  const data = z.strictObject(Object.fromEntries(fields.map((field) => [field, z.string()])));
  return command({ summary: "For tests.", data, result: z.unknown() });
}

/** An internal one: what comes of effects. */
export function records(...fields: string[]): MessageDefinition {
  return { ...takes(...fields), internal: true };
}

/** A plugin out of what is of interest. The node's own bookkeeping passes it. */
export function plugin(name: string, { decide, ...parts }: Omit<Partial<AnyPlugin>, "name">): AnyPlugin {
  const adds = Object.fromEntries((parts.adds ?? []).map((token) => [token.name, {}]));
  return {
    name,
    decide: (context) =>
      decide === undefined || BOOKKEEPING.has(context.message.resource) ? next({ adds }) : decide(context),
    ...parts,
  };
}

const BOOKKEEPING = new Set(["pipeline", "node"]);
