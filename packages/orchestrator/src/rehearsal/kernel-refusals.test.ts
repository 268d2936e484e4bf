// What the kernel itself refuses, then and now: that no plugin decided it the first time, and none would now.

import { expect, test } from "bun:test";
import { z } from "zod";
import { FaultError, fault } from "../fault/fault.ts";
import { command, query } from "../message/definition.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { type FollowUp, hold, next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { admits, codeOf, plugin, records, start, takes } from "../testing/start.fixture.ts";
import { rehearse } from "./rehearse.ts";
import type { Rehearsal } from "./report.ts";

const said = ({ differences }: Rehearsal) =>
  differences.map(({ entry, was, now }) => `${entry}: ${was.code ?? was.verdict} → ${now.code ?? now.verdict}`);

/** `rule.fire` leads to what `follow` says. */
const rule = (follow: () => readonly FollowUp[], parts: Partial<AnyPlugin> = {}): AnyPlugin =>
  plugin("rule", {
    needs: [authority],
    messages: { rule: { fire: takes(), note: records() } },
    decide: ({ message }) => (message.action === "fire" ? next({ then: follow() }) : next()),
    ...parts,
  });

const bob = { principal: "bob", grant: "g-bob" };
const say = (resource: string, action: string, data: object = {}): FollowUp => ({
  message: { resource, action, data },
  as: bob,
});

test("too many causes and too many messages that follow stay refused; so does what is unknown, unfit or internal", async () => {
  for (const [code, follow] of [
    ["HOPS_EXCEEDED", () => [say("rule", "fire")]],
    ["FOLLOWUPS_EXCEEDED", () => Array.from({ length: 300 }, () => ({ message: say("rule", "note").message }))],
    ["MESSAGE_UNKNOWN", () => [say("nobody", "knows")]],
    ["MESSAGE_INVALID", () => [say("rule", "fire", { more: 1 })]],
    ["MESSAGE_INTERNAL", () => [say("rule", "note")]],
  ] as const) {
    const plugins = [admits(), rule(follow)];
    const { send, log } = await start(plugins);
    await send("rule.fire");
    const last = (await log.read(log.head))[0]?.text ?? "";
    expect(last).toContain(`"code":"${code}"`);
    expect(await rehearse({ log, plugins })).toMatchObject({ differ: 0, undecidable: 0, same: log.head - 1 });
  }
});

test("what is internal now is refused where somebody asked for it", async () => {
  const { send, log } = await start([admits(), rule(() => [])]);
  await send("rule.fire");
  const internal = rule(() => [], { version: "2", messages: { rule: { fire: records() } } });
  expect(said(await rehearse({ log, plugins: [admits(), internal] }))).toEqual(["2: done → MESSAGE_INTERNAL"]);
});

test("what is no command cannot be held", async () => {
  const asks = (held: boolean): AnyPlugin =>
    plugin("asks", {
      needs: [authority],
      messages: { ask: { me: query({ summary: "Ask.", data: z.strictObject({}), result: z.unknown() }) } },
      decide: ({ message }) =>
        message.resource !== "ask" ? next() : held ? hold("approval") : refuse("NOT_TODAY", "not today"),
    });
  const { send, log } = await start([admits(), asks(false)]);
  await codeOf(send("ask.me"));
  const report = await rehearse({ log, plugins: [admits(), asks(true)] });
  expect(said(report)).toEqual(["2: NOT_TODAY → INTERNAL"]);
  expect(report.differences[0]?.now.text).toBe("ask.me: a query cannot be held");
});

test("a command of the kernel's own that could not be prepared stays refused, unless a plugin would stop it now", async () => {
  const { send, log, orchestrator } = await start([admits()]);
  const { reader } = orchestrator;
  // Whatever the kernel prepares with fails.
  reader.entries = () => {
    throw new FaultError(fault("LOG_UNAVAILABLE", "the disk is away"));
  };
  expect(await codeOf(send("log.compact", { before: 1, olderThan: 1 }))).toBe("LOG_UNAVAILABLE");
  expect(await rehearse({ log, plugins: [admits()] })).toMatchObject({ same: 1, differ: 0 });
  const never = plugin("never", {
    needs: [authority],
    decide: ({ message }) => (message.resource === "log" ? refuse("NEVER", "never") : next()),
  });
  expect(said(await rehearse({ log, plugins: [admits(), never] }))).toEqual(["2: LOG_UNAVAILABLE → NEVER"]);
});

test("a numbered message has its number again; and has one where it was none before", async () => {
  const numbers = table<number>("number");
  const numbering = (numbered: boolean): AnyPlugin =>
    plugin("numbering", {
      version: String(numbered),
      needs: [authority],
      tables: [numbers],
      messages: {
        number: { me: command({ summary: "Number.", data: z.strictObject({}), result: z.unknown(), numbered }) },
      },
      decide({ message, envelope }) {
        if (message.resource !== "number") return next();
        return envelope.facts.$entry === 3 ? refuse("THREE", "not the third") : next();
      },
    });
  const { send, log } = await start([admits(), numbering(true)]);
  await send("number.me");
  expect(await codeOf(send("number.me"))).toBe("THREE");
  expect(await rehearse({ log, plugins: [admits(), numbering(true)] })).toMatchObject({ same: 2, differ: 0 });
  const before = await start([admits(), numbering(false)]);
  await before.send("number.me");
  await before.send("number.me");
  expect(said(await rehearse({ log: before.log, plugins: [admits(), numbering(true)] }))).toEqual(["3: done → THREE"]);
});

test("what the kernel recorded among the facts for itself is no fact that a plugin was given", async () => {
  const beats = table<number>("beat", "session");
  const looking: AnyPlugin = plugin("looking", {
    needs: [authority],
    tables: [beats],
    messages: { look: { now: takes() } },
    decide({ message, envelope, state }) {
      if (message.resource !== "look") return next();
      state.get(beats, "a");
      return Object.keys(envelope.facts).length > 0 ? refuse("FACTS", "there are facts") : next();
    },
  });
  const { send, log } = await start([admits(), looking]);
  await send("look.now");
  expect((await log.read(2))[0]?.text).toContain('{"$session":[["beat","a",null]]}');
  expect(await rehearse({ log, plugins: [admits(), looking] })).toMatchObject({ same: 1, differ: 0 });
});
