// Messages that a message leads to: decided next, in order, in the same commit, each under its own grant, and bounded.

import { expect, test } from "bun:test";
import { decodeEntry } from "../log/entry.ts";
import { type FollowUp, next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { faultyLog } from "../testing/faulty-log.fixture.ts";
import { notes, noteTable } from "../testing/notes.fixture.ts";
import { admits, plugin, records, settled, start, takes } from "../testing/start.fixture.ts";
import type { Trace } from "./recorder.ts";

const bob = { principal: "bob", grant: "g-bob" };
const write = (name: string, text = ""): FollowUp => ({
  message: { resource: "note", action: "write", data: { name, text } },
  as: bob,
});

/** `rule.fire` leads to whatever the test wants. */
function rule(follow: (depth: number) => readonly FollowUp[]) {
  return plugin("rule", {
    needs: [authority],
    messages: { rule: { fire: takes(), note: records() } },
    decide: ({ message, envelope }) => (message.action === "fire" ? next({ then: follow(envelope.hops) }) : next()),
  });
}

async function fired(follow: (depth: number) => readonly FollowUp[], denied: string[] = []) {
  const node = await start([admits(new Set(denied)), rule(follow), notes()]);
  await node.send("rule.fire", {}, { correlation: "c-1" });
  const entries = (await node.log.read(2)).map(decodeEntry);
  return { node, entries, history: await node.history() };
}

const fire: FollowUp = { message: { resource: "rule", action: "fire", data: {} }, as: bob };

test("they are decided in order, see each other's rows, and carry cause, hops, correlation and their own grant", async () => {
  const { entries, history, node } = await fired(() => [write("a"), write("a"), write("b")]);
  expect(history).toEqual(["rule.fire done", "note.write done", "note.write refused", "note.write done"]);
  const [parent, ...children] = entries;
  for (const child of children) {
    expect(child.header).toMatchObject({ cause: parent?.header.id as string, principal: "bob", grant: "g-bob" });
    expect(child.part("b")).toMatchObject({ hops: 1, correlation: "c-1" });
  }
  expect([...node.orchestrator.reader.rows(noteTable)].map(([key]) => key)).toEqual(["a", "b"]);
});

test("a refused child is recorded, and its parent stands", async () => {
  const { history, entries } = await fired(() => [write("a")], ["bob"]);
  expect(history).toEqual(["rule.fire done", "note.write refused"]);
  expect(entries[1]?.part("t")).toMatchObject({ error: { code: "DENIED", id: entries[1]?.header.id as string } });
});

const misfits: [string, FollowUp["message"], string][] = [
  ["does not fit its schema", { resource: "note", action: "write", data: { name: 7 } }, "MESSAGE_INVALID"],
  ["is no JSON", { resource: "note", action: "write", data: { name: 1n } }, "MESSAGE_INVALID"],
  ["nobody declares", { resource: "note", action: 'wri"te\n', data: {} }, "MESSAGE_UNKNOWN"],
  ["is internal, in somebody's name", { resource: "rule", action: "note", data: {} }, "MESSAGE_INTERNAL"],
];

test.each(misfits)("a child that %s is a refused one: its siblings and its parent stand", async (_, message, code) => {
  const { entries, node } = await fired(() => [{ message, as: bob }, write("b")]);
  expect(entries.map(({ header }) => header.verdict)).toEqual(["done", "refused", "done"]);
  expect(entries[1]?.part("t")).toMatchObject({ error: { code } });
  expect([...node.orchestrator.reader.rows(noteTable)].map(([key]) => key)).toEqual(["b"]);
});

test("the node's own may be internal", async () => {
  const { entries } = await fired(() => [{ message: { resource: "rule", action: "note", data: {} } }]);
  expect(entries[1]?.header).toMatchObject({ message: "rule.note", verdict: "done", principal: "node:n-embedded" });
});

test("they are durable with their parent, or not at all", async () => {
  const disk = faultyLog();
  const node = await start([admits(), rule(() => [write("a")]), notes()], { log: disk.log, manual: true });
  const sent = node.send("rule.fire").catch(({ code }) => code);
  await settled();
  disk.full = true;
  node.flush();
  expect(await sent).toBe("LOG_UNAVAILABLE");
  expect([await node.history(), [...node.orchestrator.reader.rows(noteTable)]]).toEqual([[], []]);
});

test("a loop ends at a depth, refused and recorded", async () => {
  const { entries, history } = await fired(() => [fire]);
  expect(history).toEqual([...Array(17).fill("rule.fire done"), "rule.fire refused"]);
  expect(entries.at(-1)?.part("t")).toMatchObject({ error: { code: "HOPS_EXCEEDED" } });
});

test("what the node itself has to note is noted at any depth; what it leads others to is too deep as ever", async () => {
  const note: FollowUp = { message: { resource: "rule", action: "note", data: {} } };
  const { entries, history } = await fired((depth) => (depth < 16 ? [fire] : [note, write("a")]));
  expect(history).toEqual([...Array(17).fill("rule.fire done"), "rule.note done", "note.write refused"]);
  expect(entries.at(-2)?.part("b")).toMatchObject({ hops: 16 });
});

test.each([
  ["somebody's", { as: bob }],
  ["the node's own", {}],
])("%s children end at a number, in one generation and over several", async (_, as) => {
  const wide = await fired(() =>
    Array.from({ length: 300 }, () => ({ message: { resource: "rule", action: "note", data: {} } })),
  );
  const done = (history: string[]) => history.filter((one) => one.endsWith("done")).length;
  expect(done(wide.history)).toBe(257);
  const twenty = Array.from({ length: 20 }, () => ({ message: fire.message, ...as }));
  const tree = await fired((depth) => (depth < 2 ? twenty : []));
  expect(done(tree.history)).toBe(257);
  expect(tree.entries.some((entry) => (entry.part("t") as Trace).error?.code === "FOLLOWUPS_EXCEEDED")).toBe(true);
  // The next message has a number of its own.
  await tree.node.send("rule.fire");
  expect(done(await tree.node.history())).toBe(2 * 257);
});
