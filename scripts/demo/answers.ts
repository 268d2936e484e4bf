// What the server answers, parsed where it comes in, and the questions about the log that several chapters ask.

import { remoteFault } from "@capstan/orchestrator/client";
import { z } from "zod";
import { type Caller, inOneBatch } from "./scope.ts";

const performed = z.object({ execution: z.string(), output: z.unknown() });
const head = z.object({ entries: z.number() });
const page = z.object({ items: z.array(z.object({ entry: z.number() })), next: z.number().optional() });
const explained = z.object({
  message: z.string(),
  principal: z.string(),
  grant: z.string(),
  verdict: z.string(),
  rows: z.array(z.unknown()),
  plugins: z.array(z.object({ plugin: z.string(), verdict: z.string(), clause: z.string().optional() })),
});

export type Performed = z.output<typeof performed>;
export type Explained = z.output<typeof explained>;
export type Fault = ReturnType<typeof remoteFault>;

const PAGE = 1000;

/** An `action.perform`'s answer. */
export async function answer(call: PromiseLike<unknown>): Promise<Performed> {
  return performed.parse(await call);
}

/** The fault that a call was refused with; `undefined` where it was not. */
export async function refusal(call: PromiseLike<unknown>): Promise<Fault | undefined> {
  try {
    await call;
    return undefined;
  } catch (thrown) {
    return remoteFault(thrown);
  }
}

/** How many entries the log has. */
export async function logLength(caller: Caller): Promise<number> {
  return head.parse(await inOneBatch(caller, ({ log }) => log.head({}))).entries;
}

/** How many accepted messages of a name the log has after entry `after`. */
export async function entriesOf(caller: Caller, message: string, after: number): Promise<number> {
  let count = 0;
  for (let before: number | undefined; ; ) {
    const asked = { message, verdict: "done", limit: PAGE, ...(before === undefined ? {} : { before }) };
    const { items, next } = page.parse(await inOneBatch(caller, ({ log }) => log.list(asked)));
    const newer = items.filter(({ entry }) => entry > after);
    count += newer.length;
    if (newer.length < items.length || next === undefined || next <= after) return count;
    before = next;
  }
}

/** Why a message was decided as it was. */
export async function explain(caller: Caller, id: string | undefined): Promise<Explained> {
  return explained.parse(await inOneBatch(caller, ({ log }) => log.explain({ id })));
}

/** An explanation as `capstan explain` would print it, less the ids: those that were not reached are one line. */
export function told({ message, principal, grant, verdict, plugins }: Explained): string {
  const last = plugins.findLastIndex(({ verdict: said }) => said !== "not reached");
  const rows = plugins
    .slice(0, last + 2)
    .map((one, at) => ({ ...one, plugin: at > last && at < plugins.length - 1 ? `${one.plugin}…` : one.plugin }));
  const width = Math.max(...rows.map(({ plugin }) => plugin.length));
  const lines = rows.map(({ plugin, verdict: said, clause = "" }) =>
    `  ${plugin.padEnd(width)}  ${said.padEnd(11)}  ${clause}`.trimEnd(),
  );
  return [`${message} by ${principal} under ${grant}: ${verdict}`, ...lines].join("\n");
}
