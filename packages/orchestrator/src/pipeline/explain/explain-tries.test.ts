// explain, of what was tried more than once: each try's end with its fault, when the next could come, and who had it tried again,
// by links that the entries have; also over a restart, and where some of it was erased or is gone.

import { expect, test } from "bun:test";
import { FaultError } from "../../fault/fault.ts";
import { decodeEntry } from "../../log/entry.ts";
import type { Log } from "../../log/log.ts";
import { memoryLog } from "../../log/memory/memory-log.ts";
import type { Message } from "../../message/message.ts";
import type { LostEffect } from "../../plugin/plugin.ts";
import type { Reader } from "../../plugin/reader.ts";
import { type Effect, next } from "../../plugin/result.ts";
import { authority } from "../../plugin/token.ts";
import { table } from "../../state/table.ts";
import { logWith, reopened } from "../../testing/faulty-log.fixture.ts";
import { admits, plugin, records, type Setting, settled, start, takes } from "../../testing/start.fixture.ts";
import { OUTCOME_WINDOW } from "../outcomes.ts";
import { explain } from "./explain.ts";

interface Chore {
  readonly first: string;
  readonly attempt: number;
  readonly ended?: number;
  readonly waiting?: string;
}

const chores = table<Chore>("chore");

/** `chore.do` is tried three times, ten milliseconds apart; `chore.again { id }` has what failed tried anew. */
function stubborn(work: () => unknown, replayable: boolean) {
  const says = (verb: string, { owing }: LostEffect, text = ""): Message => {
    return { resource: "chore", action: verb, data: { of: owing, text } };
  };
  const owe = (id: string, attempt: number, more: Partial<Effect> = {}): Effect => {
    return { kind: "work", data: {}, id: `${id}.${attempt}`, attempt, replayable, ...more };
  };
  return plugin("chores", {
    needs: [authority],
    tables: [chores],
    messages: {
      chore: {
        ...{ do: takes(), again: takes("id", "ended") },
        ...{ done: records("of", "text"), failed: records("of", "text"), lost: records("of", "text") },
        report: records("text"),
      },
    },
    decide({ message, envelope, state }) {
      if (message.resource !== "chore" || message.action === "report") return next();
      const { of, text, id, ended } = message.data as { of: string; text: string; id: string; ended: string };
      if (message.action === "do") {
        const row = { first: envelope.id, attempt: 1 };
        return next({ pending: true, state: state.put(chores, envelope.id, row), effects: [owe(envelope.id, 1)] });
      }
      if (message.action === "again") {
        const row = { first: id, attempt: 1, waiting: envelope.id };
        const effects = [owe(envelope.id, 1, { after: Number(ended) })];
        return next({ pending: true, state: state.put(chores, envelope.id, row), effects });
      }
      const row = state.get(chores, of);
      if (row === undefined) return next();
      const settles = [row.first, ...(row.waiting === undefined ? [] : [row.waiting])];
      const gone = state.remove(chores, of);
      if (message.action === "done")
        return next({ state: gone, settles: settles.map((one) => ({ id: one, data: text })) });
      if (message.action === "failed" && row.attempt < 3) {
        const again = owe(of, row.attempt + 1, { message: of, notBefore: envelope.at + 10 });
        return next({
          clause: "again",
          state: state.put(chores, of, { ...row, attempt: row.attempt + 1 }),
          effects: [again],
        });
      }
      const error = { code: message.action === "lost" ? "CHORE_LOST" : "CHORE_FAILED", message: text };
      const report = { resource: "chore", action: "report", data: { text: "it failed" } };
      return next({ state: gone, settles: settles.map((one) => ({ id: one, error })), then: [{ message: report }] });
    },
    effects: {
      work: {
        async carryOut(owed) {
          return says("done", owed, String(await work()));
        },
        failed: (owed, { message }) => says("failed", owed, message),
        lost: (owed) => says("lost", owed),
      },
    },
  });
}

const fails = () => {
  throw new FaultError({ code: "NO", message: "no" });
};

async function begun(setting: Setting = {}, work: () => unknown = fails, replayable = true) {
  const node = await start([admits(), stubborn(work, replayable)], setting);
  const pass = async (times = 1) => {
    for (let i = 0; i < times; i++) {
      await settled();
      node.time.advance(10);
      await settled();
    }
  };
  const idOf = async (seq: number) => decodeEntry((await node.log.read(seq, { limit: 1 }))[0] as never).header.id;
  const told = async (id: string) => explain(node.orchestrator.reader, id);
  return { ...node, pass, idOf, told };
}

test("each try with its fault, when the next could come, and what followed from the last", async () => {
  const node = await begun();
  node.send("chore.do").catch(() => {});
  await settled();
  const id = await node.idOf(2);
  const at = node.time.now();
  expect(await node.told(id)).toMatchObject({
    attempts: [{ entry: 3, clause: "again", next: { attempt: 2, notBefore: at + 10 } }],
    running: { of: id, attempt: 2, notBefore: at + 10 },
    outcome: { state: "pending" },
  });
  await node.pass(2);
  const told = await node.told(id);
  expect(told.attempts).toEqual([
    {
      ...{ entry: 3, id: await node.idOf(3), message: "chore.failed", at, of: id, clause: "again" },
      next: { attempt: 2, notBefore: at + 10 },
    },
    {
      ...{ entry: 4, id: await node.idOf(4), message: "chore.failed", at: at + 10, of: id, clause: "again" },
      next: { attempt: 3, notBefore: at + 20 },
    },
    {
      ...{ entry: 5, id: await node.idOf(5), message: "chore.failed", at: at + 20, of: id },
      error: { code: "CHORE_FAILED", message: "no" },
      followed: [
        {
          ...{ entry: 6, id: await node.idOf(6), message: "chore.report", principal: "node:n-embedded" },
          verdict: "done",
        },
      ],
    },
  ]);
  expect([told.running, told.retries, told.gone, told.erased]).toEqual([undefined, undefined, undefined, undefined]);
  expect(told.outcome).toMatchObject({ state: "failed", entry: 5, error: { code: "CHORE_FAILED" } });
});

test("one that went well at once is told by its outcome alone", async () => {
  const node = await begun({}, () => "ok");
  await node.send("chore.do");
  const told = await node.told(await node.idOf(2));
  expect([told.attempts, told.followed, told.outcome?.state]).toEqual([undefined, undefined, "done"]);
});

test("a restart between two tries loses no link", async () => {
  const log = memoryLog();
  const first = await begun({ log });
  first.send("chore.do").catch(() => {});
  await settled();
  const id = await first.idOf(2);
  const second = await begun({ log: reopened(log), seed: 2, time: first.time }, () => "ok");
  await second.pass();
  const { attempts, outcome } = await second.told(id);
  expect(outcome).toMatchObject({ state: "done" });
  expect(attempts?.map(({ message }) => message)).toEqual(["chore.failed", "chore.done"]);
});

test("whoever had it tried again is named, with the tries of that; each message has its own", async () => {
  let well = false;
  const node = await begun({}, () => (well ? "ok" : fails()));
  node.send("chore.do").catch(() => {});
  await node.pass(2);
  const id = await node.idOf(2);
  well = true;
  await node.send("chore.again", { id, ended: "5" }, { as: "bob" });
  const again = await node.idOf(7);
  const told = await node.told(id);
  expect(told.attempts?.map(({ entry, of }) => [entry, of])).toEqual([
    [3, id],
    [4, id],
    [5, id],
    [8, again],
  ]);
  expect(told.retries).toEqual([
    { id: again, entry: 7, message: "chore.again", principal: "bob", at: node.time.now() },
  ]);
  expect(told.outcome).toMatchObject({ state: "done", entry: 8 });
  const own = await node.told(again);
  expect([own.attempts, own.retries, own.outcome?.entry]).toEqual([undefined, undefined, 8]);
});

test("of what nobody knows the end of, the tries before are known", async () => {
  const log = memoryLog();
  const first = await begun({ log }, fails, false);
  first.send("chore.do").catch(() => {});
  await first.pass(2);
  const id = await first.idOf(2);
  const second = await begun({ log: reopened(log), seed: 2, time: first.time }, () => new Promise(() => {}), false);
  second.send("chore.again", { id, ended: "5" }).catch(() => {});
  await settled();
  const again = await second.idOf(7);
  const third = await begun({ log: reopened(reopened(log)), seed: 3, time: first.time }, () => "ok", false);
  const told = await third.told(id);
  expect(told.attempts?.map(({ message, of, error }) => [message, of, error?.code])).toEqual([
    ["chore.failed", id, undefined],
    ["chore.failed", id, undefined],
    ["chore.failed", id, "CHORE_FAILED"],
    ["chore.lost", again, "CHORE_LOST"],
  ]);
});

test("tries are found however many entries lie between them, and the log is not looked through", async () => {
  const node = await begun();
  node.send("chore.do").catch(() => {});
  await settled();
  const id = await node.idOf(2);
  const between = 4 * OUTCOME_WINDOW;
  const noise = async () => {
    for (let i = 0; i < between; i++) node.send("chore.nonsense", {}, { as: `p${i}` }).catch(() => {});
    for (let i = 0; i < between; i++) node.send("chore.again", { id: "m-0", ended: "1" }).catch(() => {});
    await settled();
  };
  await noise();
  await node.pass(2);
  let read = 0;
  const { reader } = node.orchestrator;
  const counting: Reader = new Proxy(reader, {
    get(target, name) {
      if (name === "entries") {
        return async (from: number, options: { limit?: number } = {}) => {
          const entries = await target.entries(from, options);
          read += entries.length;
          return entries;
        };
      }
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const told = await explain(counting, id);
  expect(told.attempts).toHaveLength(3);
  expect((told.attempts?.[1]?.entry ?? 0) - (told.attempts?.[0]?.entry ?? 0)).toBeGreaterThan(OUTCOME_WINDOW);
  expect(read).toBeLessThan(100);
});

/** A log from which parts of entries were erased, and which begins at `first`. */
function kept(log: Log, { first = 1, erased = [] }: { first?: number; erased?: readonly [number, string][] }): Log {
  const changes: Partial<Log> = {
    first,
    async read(from, options) {
      const entries = (await log.read(from, options)).filter(({ seq }) => seq >= first);
      return entries.map((entry) => {
        const parts = erased.filter(([seq]) => seq === entry.seq).map(([, part]) => part);
        const lines = entry.text.split("\n").filter((line) => !parts.includes(line[0] as string));
        return { ...entry, text: lines.join("\n") };
      });
    },
    async find(id) {
      const seq = await log.find(id);
      return seq === undefined || seq < first ? undefined : seq;
    },
  };
  return logWith(reopened(log), changes);
}

async function failed() {
  const log = memoryLog();
  const first = await begun({ log });
  first.send("chore.do", {}).catch(() => {});
  await first.pass(2);
  const ids = await Promise.all([2, 3, 5].map(first.idOf));
  const under = async (what: Parameters<typeof kept>[1]) => begun({ log: kept(log, what), seed: 2, time: first.time });
  return { under, id: ids[0] as string, second: ids[1] as string, last: ids[2] as string };
}

test("what was erased is said to be: the message's own parts, and those of its tries", async () => {
  const { under, id } = await failed();
  const own = await (
    await under({
      erased: [
        [2, "b"],
        [2, "r"],
      ],
    })
  ).told(id);
  expect(own).toMatchObject({ data: undefined, rows: [], erased: ["body", "rows"], outcome: { entry: 5 } });
  expect(own.attempts).toHaveLength(3);

  const traceless = await (await under({ erased: [[2, "t"]] })).told(id);
  expect(traceless.erased).toEqual(["trace"]);
  expect(traceless.plugins.map(({ verdict }) => verdict)).toEqual(["erased", "erased"]);
  expect(traceless.outcome).toBeUndefined();

  const tries = await (
    await under({
      erased: [
        [4, "b"],
        [4, "t"],
      ],
    })
  ).told(id);
  expect(tries.attempts?.map(({ entry, erased }) => [entry, erased])).toEqual([
    [4, ["body", "trace"]],
    [5, undefined],
  ]);
});

test("an outcome that was erased is not taken for one that is still to come", async () => {
  const { under, id } = await failed();
  const { outcome } = await (await under({ erased: [[5, "t"]] })).told(id);
  expect(outcome).toEqual({ state: "erased", entry: 5 });
});

test("what is older than the oldest entry is gone, and said to be", async () => {
  const { under, id, second, last } = await failed();
  const node = await under({ first: 4 });
  const thrown = await node.told(id).catch((fault) => fault);
  expect(thrown).toMatchObject({ code: "HISTORY_GONE", details: { first: 4 } });
  expect(thrown.message).toContain("before entry 4");
  expect((await node.told(second).catch((fault) => fault)).code).toBe("HISTORY_GONE");
  expect(await node.told(last)).toMatchObject({ entry: 5, because: [], gone: true });
  // Later than what is gone: it never was.
  expect((await node.told("m-ZZZZZZZZZZZZZZZZ").catch((fault) => fault)).code).toBe("MESSAGE_NOT_FOUND");
  expect((await node.told("m-none").catch((fault) => fault)).code).toBe("MESSAGE_NOT_FOUND");
});
