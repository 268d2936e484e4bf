// explain: each plugin's verdict and the clause that decided, what came of it and why it was sent, from the log alone.

import { expect, test } from "bun:test";
import { memoryLog } from "../../log/memory/memory-log.ts";
import { hold, next } from "../../plugin/result.ts";
import { authority } from "../../plugin/token.ts";
import { reopened } from "../../testing/faulty-log.fixture.ts";
import { byHand, jobs } from "../../testing/jobs.fixture.ts";
import { notes } from "../../testing/notes.fixture.ts";
import { admits, codeOf, plugin, settled, start } from "../../testing/start.fixture.ts";
import { explain } from "./explain.ts";

const gate = plugin("gate", {
  needs: [authority],
  decide: ({ message }) =>
    (message.data as { text?: string }).text === "hold" ? hold("approval", undefined, "texts named hold") : next(),
});

async function explained(as: string, name: string, data: object) {
  const hand = byHand();
  const node = await start([admits(new Set(["mal"])), gate, notes(), jobs(hand.work)]);
  node.send(name, data, { as, correlation: "c-1" }).catch(() => {});
  await settled();
  const id = JSON.parse(((await node.log.read(2))[0]?.text ?? "").split("\n")[0] as string).id as string;
  return { node, id, hand, told: await explain(node.orchestrator.reader, id) };
}

const verdicts = (told: { plugins: readonly { plugin: string; verdict: string; clause?: string; wrote?: number }[] }) =>
  told.plugins.map(({ plugin, verdict, clause, wrote }) =>
    [plugin, verdict, clause ?? wrote].filter((one) => one !== undefined).join(" "),
  );

test("a performed message", async () => {
  const { told, id, node } = await explained("ada", "note.write", { name: "a", text: "hi" });
  expect(told).toMatchObject({
    id,
    entry: 2,
    message: "note.write",
    data: { name: "a", text: "hi" },
    principal: "ada",
    verdict: "done",
  });
  expect(verdicts(told)).toEqual(["admits next admitted", "gate passed", "notes next 1", "jobs passed"]);
  expect([told.rows, told.because, told.at, told.outcome]).toEqual([
    [["note", "a", "hi"]],
    [],
    node.time.now(),
    undefined,
  ]);
});

test("a refusal says who refused, by which clause, and whom it never reached", async () => {
  const { told } = await explained("mal", "note.write", { name: "a", text: "hi" });
  expect(told).toMatchObject({ verdict: "refused", error: { code: "DENIED" } });
  expect(verdicts(told)).toEqual([
    "admits refused denied",
    "gate not reached",
    "notes not reached",
    "jobs not reached",
  ]);
});

test("a held message is pending, by the plugin that holds it", async () => {
  const { told } = await explained("ada", "note.write", { name: "a", text: "hold" });
  expect(told).toMatchObject({ verdict: "held", outcome: { state: "pending" } });
  expect(verdicts(told)).toEqual([
    "admits next admitted",
    "gate hold texts named hold",
    "notes not reached",
    "jobs not reached",
  ]);
});

test("a pending message, then its outcome, and the outcome's cause", async () => {
  const { told, id, node, hand } = await explained("ada", "job.run", {});
  expect(told).toMatchObject({ verdict: "done", outcome: { state: "pending" } });
  hand.running[0]?.end("ok");
  await settled();
  expect(await explain(node.orchestrator.reader, id)).toMatchObject({ outcome: { state: "done", entry: 3 } });
  const completion = JSON.parse(((await node.log.read(3))[0]?.text ?? "").split("\n")[0] as string).id as string;
  expect(await explain(node.orchestrator.reader, completion)).toMatchObject({
    cause: id,
    because: [{ id, message: "job.run", principal: "ada" }],
    principal: "node:n-embedded",
  });
});

test("what the kernel itself refuses names the kernel", async () => {
  const { told } = await explained("ada", "message.settle", { id: "m-1", hold: "approval", outcome: 1 });
  expect(told).toMatchObject({ error: { code: "HOLD_UNKNOWN" } });
  expect(verdicts(told).at(-1)).toBe("kernel refused");
});

test("the plugins are those of the composition that was in force", async () => {
  const log = memoryLog();
  const first = await start([admits(), notes()], { log });
  await first.send("note.write", { name: "a", text: "" });
  const second = await start([admits(), gate, notes()], { log: reopened(log), seed: 2 });
  await second.send("note.write", { name: "b", text: "" });
  const third = await start([admits(), gate, notes()], { log: reopened(log), seed: 3 });
  const ids = (await log.read(1)).map(({ text }) => JSON.parse(text.split("\n")[0] as string).id as string);
  expect(ids).toHaveLength(4); // adopted, written, adopted, written: the third changes nothing
  const named = async (id: string) =>
    (await explain(third.orchestrator.reader, id)).plugins.map(({ plugin }) => plugin);
  expect(await named(ids[1] as string)).toEqual(["admits", "notes"]);
  expect(await named(ids[3] as string)).toEqual(["admits", "gate", "notes"]);
});

test("what the log does not hold cannot be explained", async () => {
  const node = await start([admits()]);
  expect(await codeOf(explain(node.orchestrator.reader, "m-0123456789ABCDEF"))).toBe("MESSAGE_NOT_FOUND");
});
