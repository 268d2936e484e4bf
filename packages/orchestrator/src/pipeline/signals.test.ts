// Signals: the same authority, session tables alone, no entry; and what a command that read them records.

import { expect, test } from "bun:test";
import { z } from "zod";
import { type DecodedEntry, decodeEntry } from "../log/entry.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { signal } from "../message/definition.ts";
import { next, type PluginResult } from "../plugin/result.ts";
import { authority, type Token } from "../plugin/token.ts";
import type { State } from "../state/state.ts";
import { table } from "../state/table.ts";
import { faultyLog, reopened } from "../testing/faulty-log.fixture.ts";
import { admits, codeOf, plugin, type Setting, settled, start, takes } from "../testing/start.fixture.ts";

const beats = table<number>("beat", "session");
const logged = table<number>("logged");

function beating(beat: (state: State) => PluginResult<readonly Token[]>, setting?: Setting) {
  const heart = plugin("heart", {
    needs: [authority],
    tables: [beats, logged],
    messages: {
      heart: {
        beat: signal({ summary: "Alive.", data: z.strictObject({}), result: z.unknown() }),
        look: takes(),
        mark: takes(),
      },
    },
    decide({ message, state }) {
      if (message.resource !== "heart") return next();
      if (message.action === "beat") return beat(state);
      if (message.action === "mark") return next({ state: state.put(logged, "m", 1) });
      return next({ data: { beats: state.get(beats, "ada") ?? 0 } });
    },
  });
  return start([admits(new Set(["mal"])), heart], setting);
}

const up = (state: State) => next({ state: state.put(beats, "ada", (state.get(beats, "ada") ?? 0) + 1) });

test("a signal changes session tables and leaves no entry", async () => {
  const node = await beating(up);
  await node.send("heart.beat");
  await node.send("heart.beat");
  expect([node.orchestrator.reader.get(beats, "ada"), await node.history()]).toEqual([2, []]);
});

test("a refused one is an entry", async () => {
  const node = await beating(up);
  expect(await codeOf(node.send("heart.beat", {}, { as: "mal" }))).toBe("DENIED");
  expect(await node.history()).toEqual(["heart.beat refused"]);
});

test("session tables start empty", async () => {
  const log = memoryLog();
  await (await beating(up, { log })).send("heart.beat");
  const second = await beating(up, { log: reopened(log), seed: 2 });
  expect([...second.orchestrator.reader.rows(beats)]).toEqual([]);
});

test("a command that read one records what it read", async () => {
  const node = await beating(up);
  await node.send("heart.beat");
  expect(await node.send("heart.look")).toEqual({ beats: 1 });
  const [entry] = (await node.log.read(2)).map(decodeEntry) as [DecodedEntry];
  expect(entry.part("f")).toEqual({ $session: [["beat", "ada", 1]] });
  expect(entry.part("r")).toBeUndefined();
});

test("one on a durable head stands when a later append fails; one on what is undone goes with it", async () => {
  const disk = faultyLog();
  const node = await beating(up, { log: disk.log, manual: true });
  await node.send("heart.beat");
  const marked = node.send("heart.mark").catch(({ code }) => code);
  const beaten = node.send("heart.beat").catch(({ code }) => code);
  await settled();
  expect(node.orchestrator.reader.get(beats, "ada")).toBe(2);
  disk.full = true;
  node.flush();
  expect(await Promise.all([marked, beaten])).toEqual(["LOG_UNAVAILABLE", "LOG_UNAVAILABLE"]);
  expect(node.orchestrator.reader.get(beats, "ada")).toBe(1);
});

test.each<[string, (state: State) => PluginResult<readonly Token[]>]>([
  ["writes to a logged table", (state) => next({ state: state.put(logged, "m", 1) })],
  ["owes", () => next({ effects: [{ kind: "ring", data: {} }] })],
  ["leads to a message", () => next({ then: [{ message: { resource: "heart", action: "look", data: {} } }] })],
  ["is pending", () => next({ pending: true })],
])("one that %s is a bug: nothing is done that no entry tells of", async (_, beat) => {
  const node = await beating(beat);
  expect(await codeOf(node.send("heart.beat"))).toBe("INTERNAL");
  expect([...node.orchestrator.reader.rows(logged)]).toEqual([]);
  expect(node.errors).toHaveLength(1);
});
