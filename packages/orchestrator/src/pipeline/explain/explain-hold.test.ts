// explain, of a held message: who holds it, for what and since when; once it is settled by whom, with what, and what was decided
// then. And of what followed from a message in its commit, which its outcome is not.

import { expect, test } from "bun:test";
import { decodeEntry } from "../../log/entry.ts";
import { memoryLog } from "../../log/memory/memory-log.ts";
import { hold, next } from "../../plugin/result.ts";
import { authority } from "../../plugin/token.ts";
import { logWith, reopened } from "../../testing/faulty-log.fixture.ts";
import { jobs } from "../../testing/jobs.fixture.ts";
import { notes } from "../../testing/notes.fixture.ts";
import { admits, plugin, records, type Setting, settled, start, takes } from "../../testing/start.fixture.ts";
import { explain } from "./explain.ts";

const approval = plugin("approval", {
  needs: [authority],
  messages: { approval: { noted: records("text") } },
  decide({ message, envelope }) {
    if (message.resource === "message" && message.action === "settle") {
      const noted = (text: string) => ({ message: { resource: "approval", action: "noted", data: { text } } });
      return next({ then: ["one", "two", "three"].map(noted) });
    }
    if (message.resource !== "note") return next();
    const { approval: said } = envelope.facts;
    if (said === undefined) return hold("approval", { ask: "carol" }, "notes need approval");
    return said === "more" ? hold("approval", { ask: "dave" }) : next();
  },
});

/** A message that is held: entry 2. */
async function held(setting: Setting = {}, denied = new Set<string>()) {
  const node = await start([admits(denied), approval, notes()], setting);
  node.send("note.write", { name: "a", text: "hi" }).catch(() => {});
  await settled();
  const idOf = async (seq: number) => decodeEntry((await node.log.read(seq, { limit: 1 }))[0] as never).header.id;
  const settle = (id: string, outcome: unknown) =>
    node.send("message.settle", { id, hold: "approval", outcome }, { as: "carol" });
  return {
    ...node,
    denied,
    id: await idOf(2),
    idOf,
    settle,
    told: (id: string) => explain(node.orchestrator.reader, id),
  };
}

test("held: by whom, for what, since when, and what whoever settles it should know", async () => {
  const { told, id, time } = await held();
  const since = time.now();
  expect(await told(id)).toMatchObject({
    verdict: "held",
    hold: { plugin: "approval", name: "approval", details: { ask: "carol" }, clause: "notes need approval", since },
    outcome: { state: "pending" },
  });
  expect((await told(id)).hold).not.toHaveProperty("settled");
});

test("settled: by whom, with what outcome, and the decision after, behind whatever followed from the settlement", async () => {
  const { told, id, idOf, time, settle } = await held();
  const since = time.now();
  time.advance(1000);
  await settle(id, { granted: true });
  const { hold: explained, outcome } = await told(id);
  expect(explained).toEqual({
    ...{ plugin: "approval", name: "approval", details: { ask: "carol" }, clause: "notes need approval", since },
    settled: {
      ...{ entry: 3, id: await idOf(3), principal: "carol", at: since + 1000, outcome: { granted: true } },
    },
    decided: { entry: 7, id: await idOf(7), verdict: "done" },
  });
  expect(outcome).toMatchObject({ state: "done", entry: 7 });
});

test("decided against: the refusal stands beside the settlement", async () => {
  const { told, id, denied, settle } = await held();
  denied.add("ada");
  await settle(id, "yes");
  expect(await told(id)).toMatchObject({
    hold: { settled: { principal: "carol" }, decided: { verdict: "refused", error: { code: "DENIED" } } },
    outcome: { state: "failed", error: { code: "DENIED" } },
  });
});

test("held again: each hold is explained under its own message, and the outcome is the last one's", async () => {
  const { told, id, settle } = await held();
  await settle(id, "more");
  const first = await told(id);
  expect(first).toMatchObject({ hold: { decided: { verdict: "held" } }, outcome: { state: "pending" } });
  const second = first.hold?.decided?.id as string;
  expect(await told(second)).toMatchObject({
    ...{ cause: id, hold: { details: { ask: "dave" } }, because: [{ id, message: "note.write" }] },
  });
  await settle(second, "yes");
  expect(await told(id)).toMatchObject({ hold: { details: { ask: "carol" } }, outcome: { state: "done" } });
});

test("of a hold whose rows were erased the name is left; of an erased settlement, who made it", async () => {
  const log = memoryLog();
  const first = await held({ log });
  await first.settle(first.id, "secret");
  const without = logWith(reopened(log), {
    async read(from, options) {
      const entries = await log.read(from, options);
      const erased = (seq: number) => (seq === 2 ? /\nr.*/ : seq === 3 ? /\nb.*/ : /(?!)/);
      return entries.map((entry) => ({ ...entry, text: entry.text.replace(erased(entry.seq), "") }));
    },
  });
  const next = await start([admits(), approval, notes()], { log: without, seed: 2 });
  const told = await explain(next.orchestrator.reader, first.id);
  expect(told).toMatchObject({
    erased: ["rows"],
    hold: { name: "approval", settled: { principal: "carol", entry: 3 } },
  });
  expect(told.hold).not.toHaveProperty("details");
  expect(JSON.stringify(told)).not.toContain("secret");
});

const leads = plugin("leads", {
  needs: [authority],
  messages: { lead: { on: takes("depth"), noted: records("depth") } },
  decide({ message }) {
    if (message.resource !== "lead" || message.action !== "on") return next();
    const { depth } = message.data as { depth: string };
    const on = {
      message: { resource: "lead", action: "on", data: { depth: "leaf" } },
      as: { principal: "bob", grant: "g" },
    };
    const noted = { message: { resource: "lead", action: "noted", data: { depth } } };
    const job = { message: { resource: "job", action: "run", data: {} }, as: { principal: "bob", grant: "g" } };
    return depth === "root" ? next({ then: [on, noted, job] }) : next({ data: { id: "n-1" }, then: [noted] });
  },
});

test("what followed is told in order, with what it answered and came to; an outcome right behind is none of it", async () => {
  const node = await start([admits(), leads, jobs(async () => "ok")]);
  await node.send("lead.on", { depth: "root" });
  await settled();
  const entries = (await node.log.read(2)).map(decodeEntry).map(({ header }) => header);
  expect(entries.map(({ message }) => message)).toEqual([
    ...["lead.on", "lead.on", "lead.noted", "lead.noted", "job.run", "job.done"],
  ]);
  const told = await explain(node.orchestrator.reader, entries[0]?.id as string);
  expect(told.followed).toMatchObject([
    { entry: 3, message: "lead.on", principal: "bob", verdict: "done", answer: { id: "n-1" } },
    { entry: 4, message: "lead.noted" },
    { entry: 5, message: "lead.noted" },
    { entry: 6, message: "job.run", outcome: { state: "done", entry: 7, data: "ok" } },
  ]);
  expect(told.followed).toHaveLength(4);
  // The job has an outcome, and nothing that followed.
  expect(await explain(node.orchestrator.reader, entries[4]?.id as string)).not.toHaveProperty("followed");
});
