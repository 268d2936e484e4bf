// Held messages: kept without what earlier plugins wrote, settled by a message, decided again from the first plugin.

import { expect, test } from "bun:test";
import { FaultError, fault } from "../fault/fault.ts";
import { decodeEntry } from "../log/entry.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { done, hold, next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { reopened } from "../testing/faulty-log.fixture.ts";
import { notes, noteTable } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, type Setting, settled, start, takes } from "../testing/start.fixture.ts";
import { explain } from "./explain/explain.ts";
import { holdTable } from "./kernel-tables.ts";

const counts = table<number>("count");

/** counts → approval (holds) → notes. What it was told stands in `facts.approval`. */
async function approved(setting: Setting = {}, denied = new Set<string>()) {
  const told: unknown[] = [];
  const counter = plugin("counter", {
    needs: [authority],
    tables: [counts],
    decide: ({ message, state }) =>
      message.resource === "note" ? next({ state: state.put(counts, "n", (state.get(counts, "n") ?? 0) + 1) }) : next(),
  });
  const approval = plugin("approval", {
    needs: [authority],
    decide({ message, envelope }) {
      if (message.resource !== "note" || message.action !== "write") return next();
      told.push(envelope.facts.approval);
      if (envelope.facts.approval === undefined) return hold("approval", { by: "carol" }, "notes need approval");
      if (envelope.facts.approval === "again") return hold("second");
      return next({ clause: String(envelope.facts.approval) });
    },
  });
  const node = await start([admits(denied), counter, approval, notes()], setting);
  const held = async (options: object = {}) => {
    const answer = await node.send<{ message: string }>(
      "note.write",
      { name: "a", text: "hi" },
      { wait: 0, ...options },
    );
    expect(answer).toMatchObject({ held: "approval", pending: true });
    return answer.message;
  };
  const settle = (id: string, outcome: unknown = "yes", name = "approval") =>
    node.send("message.settle", { id, hold: name, outcome }, { as: "carol" });
  return { ...node, told, held, settle };
}

test("a hold discards what earlier plugins wrote, and is an entry", async () => {
  const node = await approved();
  const id = await node.held();
  const { reader } = node.orchestrator;
  expect([[...reader.rows(counts)], [...reader.rows(noteTable)]]).toEqual([[], []]);
  expect(reader.get(holdTable, id)).toMatchObject({
    plugin: "approval",
    hold: { name: "approval", details: { by: "carol" } },
  });
  expect(await node.history()).toEqual(["note.write held"]);
});

test("settled, it is decided again from the first plugin, with the outcome among its facts, and its caller is answered", async () => {
  const node = await approved();
  const answer = node.send("note.write", { name: "a", text: "hi" }, { correlation: "c-1" });
  await settled();
  const { reader } = node.orchestrator;
  const [[id]] = [...reader.rows(holdTable)] as [[string, unknown]];
  expect(await node.settle(id, { by: "carol" })).toEqual({ id });
  expect(await answer).toEqual({ name: "a" });
  expect(node.told).toEqual([undefined, { by: "carol" }]);
  expect([reader.get(counts, "n"), reader.get(noteTable, "a"), [...reader.rows(holdTable)]]).toEqual([1, "hi", []]);
  expect(await node.history()).toEqual(["note.write held", "message.settle done", "note.write done"]);
  expect(await explain(reader, id)).toMatchObject({ verdict: "held", outcome: { state: "done", entry: 4 } });
});

test("it can be held again, and attached to by its first id throughout", async () => {
  const node = await approved();
  const first = await node.held();
  await node.settle(first, "again");
  const [[second]] = [...node.orchestrator.reader.rows(holdTable)] as [[string, unknown]];
  expect(second).not.toBe(first);
  expect(await codeOf(node.settle(first))).toBe("HOLD_UNKNOWN");
  expect(await codeOf(node.settle(second))).toBe("HOLD_UNKNOWN"); // by the first hold's name
  const attached = node.send("message.attach", { id: first });
  await settled();
  await node.settle(second, "fine", "second");
  expect(node.told.at(-1)).toBe("again");
  // The plugin looks at the first hold alone: it is asked for the second once more.
  const [[third]] = [...node.orchestrator.reader.rows(holdTable)] as [[string, unknown]];
  await node.settle(third, "stop", "second");
  expect(await Promise.race([attached, "pending"])).toBe("pending");
});

test("a grant that was revoked in between is refused, and its caller told", async () => {
  const denied = new Set<string>();
  const node = await approved({}, denied);
  const answer = codeOf(node.send("note.write", { name: "a", text: "hi" }));
  await settled();
  const [[id]] = [...node.orchestrator.reader.rows(holdTable)] as [[string, unknown]];
  denied.add("ada");
  expect(await node.settle(id)).toEqual({ id });
  expect(await answer).toBe("DENIED");
  expect([...node.orchestrator.reader.rows(noteTable)]).toEqual([]);
  denied.clear();
  expect(await codeOf(node.send("message.attach", { id }))).toBe("DENIED");
});

test("what it came to is recorded, also for one whose refusals no longer are", async () => {
  const denied = new Set<string>();
  const node = await approved({}, denied);
  const id = await node.held();
  denied.add("ada");
  for (let i = 0; i < 110; i++) node.send("note.read", { name: "a" }).catch(() => {});
  await settled();
  await node.settle(id);
  expect((await node.history()).at(-1)).toBe("note.write refused");
  expect(await explain(node.orchestrator.reader, id)).toMatchObject({
    outcome: { state: "failed", error: { code: "DENIED" } },
  });
});

test("what nobody holds cannot be settled", async () => {
  const node = await approved();
  const id = await node.held();
  expect(await codeOf(node.settle("m-0123456789ABCDEF"))).toBe("HOLD_UNKNOWN");
  expect(await codeOf(node.settle(id, "yes", "payment"))).toBe("HOLD_UNKNOWN");
  await node.settle(id);
  expect(await codeOf(node.settle(id))).toBe("HOLD_UNKNOWN");
  expect(node.told).toHaveLength(2);
});

test("its key joins it: held, and once it is settled", async () => {
  const node = await approved();
  const id = await node.held({ key: "k" });
  const [repeat] = [node.send("note.write", { name: "a", text: "hi" }, { key: "k" })];
  await settled();
  expect(await codeOf(node.send("note.write", { name: "b", text: "hi" }, { key: "k" }))).toBe("KEY_REUSED");
  await node.settle(id);
  expect(await repeat).toEqual({ name: "a" });
  expect(await node.send("note.write", { name: "a", text: "hi" }, { key: "k" })).toEqual({ name: "a" });
});

test("it survives a restart: attached to, settled, its key joined", async () => {
  const log = memoryLog();
  const first = await approved({ log });
  const id = await first.held({ key: "k" });
  const second = await approved({ log: reopened(log), seed: 2 });
  const attached = second.send("message.attach", { id });
  const joined = second.send("note.write", { name: "a", text: "hi" }, { key: "k" });
  await settled();
  await second.settle(id);
  expect(await Promise.all([attached, joined])).toEqual([{ name: "a" }, { name: "a" }]);
  expect(second.told).toEqual(["yes"]);
  const third = await approved({ log: reopened(log), seed: 3 });
  expect(await third.send("message.attach", { id })).toEqual({ name: "a" });
});

test("decided again it may owe, and its caller waits for that: also where the outcome comes at once", async () => {
  const deals = plugin("deals", {
    needs: [authority],
    messages: { deal: { close: takes(), closed: { ...takes("id"), internal: true } } },
    decide({ message, envelope }) {
      if (message.action === "closed")
        return done({ settles: [{ id: (message.data as { id: string }).id, data: "closed" }] });
      if (message.action !== "close") return next();
      if (envelope.facts.approval === undefined) return hold("approval");
      return done({ data: {}, pending: true, effects: [{ kind: "close", data: {}, replayable: true }] });
    },
    effects: {
      close: {
        carryOut: ({ owing }) => ({ resource: "deal", action: "closed", data: { id: owing } }),
        failed: () => expect.unreachable("nothing fails here"),
        lost: () => expect.unreachable("nothing is lost here"),
      },
    },
  });
  const node = await start([admits(), deals]);
  const answer = node.send("deal.close");
  await settled();
  const [[id]] = [...node.orchestrator.reader.rows(holdTable)] as [[string, unknown]];
  await node.send("message.settle", { id, hold: "approval", outcome: true });
  expect(await answer).toBe("closed");
  expect(await node.send("message.attach", { id })).toBe("closed");
});

test("without the plugin that declared it a held message is settled as unknown", async () => {
  const log = memoryLog();
  const first = await approved({ log });
  const id = await first.held();
  const second = await start([admits()], { log: reopened(log), seed: 2 });
  await second.send("message.settle", { id, hold: "approval", outcome: 1 });
  expect(await codeOf(second.send("message.attach", { id }))).toBe("MESSAGE_UNKNOWN");
});

test("what it is decided with is looked up anew when it is settled: what was found before it was held is old", async () => {
  let found = 0;
  const keeper = plugin("keeper", {
    needs: [authority],
    prepare: { "note.write": async () => ({ found: ++found }) },
    decide: ({ message, envelope }) =>
      message.resource === "note" ? next({ clause: `found ${envelope.facts.found}` }) : next(),
  });
  const approval = plugin("approval", {
    needs: [authority],
    decide: ({ message, envelope }) =>
      message.resource === "note" && envelope.facts.approval === undefined ? hold("approval") : next(),
  });
  for (const order of [
    [keeper, approval],
    [approval, keeper],
  ]) {
    found = 0;
    const node = await start([admits(), ...order, notes()]);
    const { message: id } = await node.send<{ message: string }>("note.write", { name: "a", text: "hi" }, { wait: 0 });
    const before = found;
    await node.send("message.settle", { id, hold: "approval", outcome: "yes" });
    const [last] = (await node.log.read(node.log.head)).map(decodeEntry);
    expect([before, found]).toEqual(order[0] === keeper ? [1, 2] : [0, 1]);
    expect(JSON.stringify(last?.part("t"))).toContain(`found ${found}`);
  }
});

test("what another message settles is held no more: its caller is told, and who would settle it later, by whom", async () => {
  const ends = plugin("ends", {
    needs: [authority],
    messages: { end: { note: takes("id") } },
    decide: ({ message }) =>
      message.resource === "end"
        ? done({ settles: [{ id: (message.data as { id: string }).id, error: fault("ENDED", "enough") }] })
        : next(),
  });
  const approval = plugin("approval", {
    needs: [authority],
    decide: ({ message, envelope }) =>
      message.resource === "note" && envelope.facts.approval === undefined ? hold("approval") : next(),
  });
  const log = memoryLog();
  const plugins = [admits(), ends, approval, notes()];
  const node = await start(plugins, { log });
  const write = (of = node, options: object = {}) => of.send("note.write", { name: "a", text: "hi" }, options);
  const answer = codeOf(write(node, { key: "k" }));
  await settled();
  const { reader } = node.orchestrator;
  const [[id]] = [...reader.rows(holdTable)] as [[string, unknown]];
  await node.send("end.note", { id });
  expect([await answer, [...reader.rows(holdTable)]]).toEqual(["ENDED", []]);
  const late = (of: typeof node) =>
    of
      .send("message.settle", { id, hold: "approval", outcome: "yes" })
      .catch(({ code, message, details }) => [...[code, message], details.entry]);
  const told = [
    "HOLD_UNKNOWN",
    expect.stringMatching(/^m-\w+ is held no more: ada ended that by end\.note m-\w+ \(entry 3\)$/),
    3,
  ];
  expect(await late(node)).toEqual(told);
  expect(await explain(reader, id)).toMatchObject({
    hold: { name: "approval", ended: { entry: 3, message: "end.note", principal: "ada" } },
    outcome: { state: "failed", entry: 3, error: { code: "ENDED" } },
  });
  const second = await start(plugins, { log: reopened(log), seed: 2 });
  expect([await codeOf(write(second, { key: "k" })), await late(second)]).toEqual(["ENDED", told]);
  expect([...second.orchestrator.reader.rows(noteTable)]).toEqual([]);
});

test("where that cannot be looked up, settling is refused and it stays held", async () => {
  let failing = false;
  const keeper = plugin("keeper", {
    needs: [authority],
    prepare: {
      "note.write": async () => {
        if (failing) throw new FaultError(fault("SHELF_CLOSED", "closed"));
        return {};
      },
    },
    decide: () => next(),
  });
  const approval = plugin("approval", {
    needs: [authority],
    decide: ({ message, envelope }) =>
      message.resource === "note" && envelope.facts.approval === undefined ? hold("approval") : next(),
  });
  const node = await start([admits(), approval, keeper, notes()]);
  const { message: id } = await node.send<{ message: string }>("note.write", { name: "a", text: "hi" }, { wait: 0 });
  failing = true;
  const settle = () => node.send("message.settle", { id, hold: "approval", outcome: "yes" });
  expect(await codeOf(settle())).toBe("SHELF_CLOSED");
  failing = false;
  await settle();
  expect((await node.history()).slice(-2)).toEqual(["message.settle done", "note.write done"]);
});
