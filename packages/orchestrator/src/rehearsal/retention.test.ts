// Rehearsals of logs that a node has compacted or erased from: what is left is enough for all that it can be enough for, and is
// never taken for more.

import { expect, test } from "bun:test";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { admits, plugin, start, takes } from "../testing/start.fixture.ts";
import { rehearse } from "./rehearse.ts";
import type { Rehearsal } from "./report.ts";

const boxes = table<string>("box");

/** `box.put { name, text }`, `box.take { name }`: what is not there cannot be taken. */
const boxing: AnyPlugin = plugin("boxing", {
  needs: [authority],
  tables: [boxes],
  messages: { box: { put: takes("name", "text"), take: takes("name") } },
  decide({ message, state }) {
    if (message.resource !== "box") return next();
    const { name, text } = message.data as { name: string; text: string };
    if (message.action === "put") return next({ state: state.put(boxes, name, text) });
    if (state.get(boxes, name) === undefined) return refuse("BOX_EMPTY", `${name} is empty`);
    return next({ state: state.remove(boxes, name) });
  },
});
const plugins = [admits(), boxing];
const reasons = ({ undecidables }: Rehearsal) => undecidables.map(({ entry, reason }) => `${entry}: ${reason}`);

async function node() {
  const { send, log, orchestrator } = await start(plugins);
  const box = (verb: string, name: string, text = "x") =>
    send(`box.${verb}`, verb === "put" ? { name, text } : { name }).catch(() => {});
  return { send, log, box, durable: () => orchestrator.committer.whenDurable(orchestrator.committer.tip) };
}

test("of a compacted log, what was written before is known from the compaction's own entry", async () => {
  const { send, log, box } = await node();
  await box("put", "kept");
  await box("put", "moved");
  for (let n = 0; n < 5; n++) await box("put", "busy", String(n));
  await box("take", "kept");
  await box("put", "kept", "again");
  await box("take", "moved");
  await box("take", "nothing");
  await box("take", "busy");
  await send("log.compact", { before: 6 });
  await box("take", "kept");
  await box("take", "busy");
  expect(log.first).toBe(6);
  const report = await rehearse({ log, plugins });
  // Entry 6 is the fourth of the busy box; what was in the two others by then, nothing says any more.
  expect(reasons(report)).toEqual([
    '9: row "kept" of "box" is not in the log any more',
    '11: row "moved" of "box" is not in the log any more',
  ]);
  expect(report).toMatchObject({ differ: 0, entries: { from: 6, to: log.head } });
  // The compaction states every row: from there on the replay knows all of them.
  expect(report.state).toMatchObject({ same: true, replayed: report.state.after });
  expect(report.compared).toBe(report.messages - 2);
});

test("a compaction that finds nothing to forget makes nothing known or forgotten", async () => {
  const { send, log, box } = await node();
  await box("put", "a");
  await send("log.compact", { before: 1 }, { key: "once" });
  await box("take", "a");
  const report = await rehearse({ log, plugins });
  expect(report).toMatchObject({ differ: 0, undecidable: 0, state: { same: true, replayed: report.state.after } });
});

test("of erased rows, nothing is known until they are written over; after the erasure all of it is", async () => {
  const { send, log, box, durable } = await node();
  await box("put", "a", "secret");
  await box("take", "b");
  await box("take", "a");
  await box("put", "a", "harmless");
  await durable();
  await send("log.redact", { entry: 2, parts: ["body", "rows"], reason: "a secret" });
  await box("take", "b");
  await box("take", "a");
  const report = await rehearse({ log, plugins });
  expect(reasons(report)).toEqual([
    "2: its body was erased",
    '3: row "b" of "box" is not in the log any more',
    '4: row "a" of "box" is not in the log any more',
    // Whether the message still owed something was asked of what the entry may have written.
    '6: rows of "effect" are not in the log any more',
  ]);
  expect(report).toMatchObject({ differ: 0, state: { same: true, replayed: report.state.after } });
});

test("of a compacted log, rows that were erased before the compaction are in doubt from the beginning on", async () => {
  const { send, log, box, durable } = await node();
  await box("put", "old", "x");
  await box("take", "old");
  await box("take", "nothing");
  await box("put", "a", "secret");
  await box("put", "a", "harmless");
  await durable();
  await send("log.redact", { entry: 5, parts: ["rows"], reason: "a secret" });
  await box("take", "nothing");
  await send("log.compact", { before: 3 });
  expect(log.first).toBe(3);
  const report = await rehearse({ log, plugins });
  // Entry 5 may have taken away what the compaction then did not state.
  expect(reasons(report)).toEqual([
    '3: row "old" of "box" is not in the log any more',
    '4: row "nothing" of "box" is not in the log any more',
    '7: row "0000000000000005" of "erasure" is not in the log any more',
  ]);
  expect(report).toMatchObject({ differ: 0, state: { same: true, replayed: report.state.after } });
});
