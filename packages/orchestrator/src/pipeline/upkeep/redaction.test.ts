// Parts of entries that are erased: nothing of them is left, everything else is proven and replays as before, and whoever
// meets one is told.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FaultError } from "../../fault/fault.ts";
import { decodeEntry } from "../../log/entry.ts";
import { memoryLog } from "../../log/memory/memory-log.ts";
import { sqliteLog } from "../../log/sqlite/sqlite-log.ts";
import { hold, next } from "../../plugin/result.ts";
import { authority } from "../../plugin/token.ts";
import { checkEntry } from "../../proof/entry-check.ts";
import { COLD_TABLES } from "../../state/table.ts";
import { cells, cellTable } from "../../testing/cells.fixture.ts";
import { provenEntries, replayedRows, storedRows } from "../../testing/evidence.fixture.ts";
import { gatedLog, reopened } from "../../testing/faulty-log.fixture.ts";
import { byHand, jobs } from "../../testing/jobs.fixture.ts";
import { admits, codeOf, plugin, settled, start } from "../../testing/start.fixture.ts";
import { explain } from "../explain/explain.ts";
import { Waiters } from "../waiters.ts";

const home = mkdtempSync(join(tmpdir(), "capstan-redaction-"));
afterAll(() => rmSync(home, { recursive: true }));

type Node = Awaited<ReturnType<typeof start>>;
const TABLES = ["effect", "hold", "pipeline", "erasure", cellTable.name, "job", ...COLD_TABLES];

async function checked({ orchestrator, log }: Node): Promise<string[]> {
  expect(await replayedRows(log)).toEqual(await storedRows(log, TABLES));
  return provenEntries(orchestrator);
}

const redact = (node: Node, entry: number, parts: readonly string[], reason = "asked for by its subject") =>
  node.send<{ entry: number; parts: string[]; by: number }>("log.redact", { entry, parts, reason });

const set = (node: Node, name: string, text: string, key?: string) =>
  node.send("cell.set", { name, text }, key === undefined ? {} : { key });

async function idOf({ log }: Node, entry: number): Promise<string> {
  const [stored] = await log.read(entry, { limit: 1 });
  return decodeEntry(stored as never).header.id;
}

async function textOf({ log }: Node, entry: number): Promise<string> {
  return (await log.read(entry, { limit: 1 }))[0]?.text as string;
}

const faultOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (thrown: FaultError) => thrown,
  );

describe("erasing", () => {
  test("takes the parts that are named, salt and all, and leaves every proof", async () => {
    const node = await start([admits(), cells()]);
    await set(node, "a", "very secret");
    await set(node, "a", "harmless");
    const header = (await textOf(node, 2)).split("\n")[0];
    const { tree } = node.log;
    const root = await tree.root(3);
    expect(await redact(node, 2, ["body", "trace"])).toEqual({ entry: 2, parts: ["body", "trace"], by: 4 });
    expect(await textOf(node, 2)).toStartWith(`${header}\nr`);
    expect(checkEntry(await textOf(node, 2)).erased).toEqual(["b", "t"]);
    expect(await tree.root(3)).toEqual(root);
    expect(await redact(node, 2, ["rows"])).toEqual({ entry: 2, parts: ["rows"], by: 5 });
    expect(await textOf(node, 2)).toBe(header as string);
    expect(await checked(node)).toEqual(["2 b", "2 r", "2 t"]);
    expect(JSON.stringify(await node.log.read(1, { limit: 100 }))).not.toContain("very secret");
  });

  test("leaves nothing of it in the file, nor in memory", async () => {
    const path = join(home, "gone.db");
    const node = await start([admits(), cells()], { log: sqliteLog(path) });
    const secret = `secret-${"x".repeat(70_000)}-end`;
    await set(node, "small", "a small secret-1234567");
    await set(node, "large", secret);
    await set(node, "small", "1");
    await set(node, "large", "1");
    for (const entry of [2, 3]) await redact(node, entry, ["body", "rows", "trace"]);
    expect(await checked(node)).toEqual(["2 b", "2 r", "2 t", "3 b", "3 r", "3 t"]);
    await node.orchestrator.stop();
    const bytes = ["", "-wal"].map((suffix) => {
      try {
        return readFileSync(path + suffix, "latin1");
      } catch {
        return "";
      }
    });
    expect(bytes.map((text) => text.includes("secret-1234567"))).toEqual([false, false]);

    const again = await start([admits(), cells()], { log: sqliteLog(path), seed: 2 });
    expect(await checked(again)).toHaveLength(6);
    await again.orchestrator.stop();
  });

  test("is by number or by message, and is an entry that says who and why", async () => {
    const node = await start([admits(), cells()]);
    await set(node, "a", "1");
    await set(node, "a", "2");
    const id = await idOf(node, 2);
    await node.send("log.redact", { id, parts: ["body"], reason: "a court's order" }, { as: "bob" });
    const entry = decodeEntry({ seq: 4, text: await textOf(node, 4) });
    expect(entry.header).toMatchObject({ message: "log.redact", principal: "bob", verdict: "done" });
    expect(entry.part("b")).toMatchObject({ data: { id, parts: ["body"], reason: "a court's order" } });
  });

  test("of an erasure that is undone has erased nothing", async () => {
    const gate = gatedLog();
    const starting = start([admits(), cells()], { log: gate.log });
    await settled();
    gate.appends.shift()?.pass();
    const node = await starting;
    const passing = async (sent: Promise<unknown>) => {
      while (gate.appends.length === 0) await settled();
      gate.appends.shift()?.pass();
      return sent;
    };
    await passing(set(node, "a", "1"));
    await passing(set(node, "a", "2"));
    const failing = codeOf(redact(node, 2, ["body"]));
    while (gate.appends.length === 0) await settled();
    gate.appends.shift()?.fail();
    expect(await failing).toBe("LOG_UNAVAILABLE");
    expect(await textOf(node, 2)).toContain('{"data":{"name":"a","text":"1"}');
    // The first write after it only asks whether there is a disk again.
    expect(await codeOf(redact(node, 2, ["body"]))).toBe("LOG_UNAVAILABLE");
    await passing(redact(node, 2, ["body"]));
    expect(await checked(node)).toEqual(["2 b"]);
  });
});

describe("is refused", () => {
  test("where the entry is not there, or the part is not", async () => {
    const node = await start([admits(), cells()]);
    await set(node, "a", "1");
    await set(node, "a", "2");
    expect(await codeOf(redact(node, 99, ["body"]))).toBe("MESSAGE_NOT_FOUND");
    expect(await codeOf(node.send("log.redact", { id: "m-none", parts: ["body"], reason: "x" }))).toBe(
      "MESSAGE_NOT_FOUND",
    );
    expect(await codeOf(node.send("log.redact", { parts: ["body"], reason: "x" }))).toBe("MESSAGE_INVALID");
    expect(await faultOf(redact(node, 2, ["facts"]))).toMatchObject({
      ...{ code: "PART_ERASED", message: "entry 2 has no facts" },
    });
    const { by } = await redact(node, 2, ["body"]);
    expect(await faultOf(redact(node, 2, ["rows", "body"]))).toMatchObject({
      ...{ code: "PART_ERASED", message: `the body of entry 2 was erased by entry ${by}`, details: { by } },
    });
    expect(checkEntry(await textOf(node, 2)).erased).toEqual(["b"]);
  });

  test("where a row that it wrote is still in force: it says which", async () => {
    const node = await start([admits(), cells()]);
    await set(node, "a", "1");
    expect(await faultOf(redact(node, 2, ["rows"]))).toMatchObject({
      code: "REDACT_LIVE",
      message: 'entry 2 wrote rows that are still in force: cell "a"; change or remove them first',
      details: { rows: [["cell", "a"]] },
    });
    expect(await codeOf(redact(node, 1, ["body", "facts", "rows", "trace"]))).toBe("REDACT_LIVE");
    expect(await codeOf(redact(node, 1, ["rows"]))).toBe("REDACT_LIVE");
    await redact(node, 2, ["body"]);
    await node.send("cell.clear", { name: "a" });
    await redact(node, 2, ["rows"]);
    expect(await checked(node)).toEqual(["2 b", "2 r"]);
  });

  test("while its message is owed, held or pending", async () => {
    const { work, running } = byHand();
    const gate = plugin("gate", {
      needs: [authority],
      decide: ({ message, envelope }) =>
        message.resource === "cell" && envelope.facts.approval === undefined ? hold("approval") : next(),
    });
    const node = await start([admits(), gate, cells(), jobs(work)]);
    const run = node.send("job.run");
    await settled();
    expect(await codeOf(redact(node, 2, ["body"]))).toBe("REDACT_OPEN");
    running[0]?.end("ok");
    await run;
    await redact(node, 2, ["body"]);

    const held = node.log.head + 1;
    const { message } = await node.send<{ message: string }>("cell.set", { name: "a", text: "1" }, { wait: 0 });
    expect(await codeOf(redact(node, held, ["body"]))).toBe("REDACT_OPEN");
    await node.send("message.settle", { id: message, hold: "approval", outcome: true });
    await redact(node, held, ["body"]);
    expect(await checked(node)).toEqual(["2 b", `${held} b`]);
  });
});

describe("what replays", () => {
  test("is the same where a removal was erased: it is stated again as long as something would bring the row back", async () => {
    const node = await start([admits(), cells()]);
    await set(node, "a", "1"); // 2
    await node.send("cell.clear", { name: "a" }); // 3
    await set(node, "b", "1"); // 4
    await node.send("cell.clear", { name: "b" }); // 5
    const { by } = await redact(node, 3, ["rows"]);
    expect(decodeEntry({ seq: by, text: await textOf(node, by) }).part("r")).toContainEqual(["cell", "a"]);
    await redact(node, 4, ["rows"]);
    const again = await redact(node, 5, ["rows"]);
    expect(await textOf(node, again.by)).not.toContain('["cell","b"]');
    expect(await checked(node)).toEqual(["3 r", "4 r", "5 r"]);
  });

  test("and a key still answers for its message, though nothing is left of what was asked", async () => {
    for (const log of [memoryLog(), sqliteLog(join(home, "keys.db"))]) {
      const node = await start([admits(), cells()], { log });
      await set(node, "a", "1", "k1");
      await set(node, "b", "1", "k2");
      for (const name of ["a", "b"]) await set(node, name, "2");
      await redact(node, 2, ["rows"]);
      expect(await set(node, "a", "1", "k1")).toEqual({ name: "a", text: "1" });
      await redact(node, 3, ["body", "rows"]);
      // Nobody can tell any more whether it is the same.
      expect(await codeOf(set(node, "b", "1", "k2"))).toBe("KEY_REUSED");
      expect(await checked(node)).toEqual(["2 r", "3 b", "3 r"]);
      const again = await start([admits(), cells()], { log: reopened(log), seed: 2 });
      expect(await set(again, "a", "1", "k1")).toEqual({ name: "a", text: "1" });
      expect(await codeOf(set(again, "b", "1", "k2"))).toBe("KEY_REUSED");
      await node.orchestrator.stop();
    }
  });

  test("is what is left of a compacted log, too", async () => {
    const node = await start([admits(), cells()]);
    await set(node, "a", "1");
    await set(node, "a", "2");
    await redact(node, 2, ["body", "rows"]);
    for (let i = 0; i < 5; i++) await set(node, "a", `${i}`);
    await redact(node, 6, ["body"]);
    await node.send("log.compact", { before: 5 });
    expect(await checked(node)).toEqual(["6 b"]);
    expect([...node.orchestrator.reader.rows({ name: "erasure", kind: "logged" })]).toHaveLength(1);
  });
});

test("an outcome that nobody has taken is kept in memory no more; whoever waits for one is told it", () => {
  const waiters = new Waiters();
  const told: unknown[] = [];
  for (const id of ["kept", "forgotten", "awaited"]) waiters.open(id, 1);
  waiters.wait("awaited", (outcome) => told.push(outcome));
  for (const id of ["kept", "forgotten", "awaited"]) waiters.settle(id, { kind: "done", data: id }, 2);
  waiters.forget(["forgotten", "awaited", "never"]);
  waiters.committed(2);
  expect([waiters.take("kept"), waiters.take("forgotten"), told]).toEqual([
    { kind: "done", data: "kept" },
    undefined,
    [{ kind: "done", data: "awaited" }],
  ]);
});

describe("who meets an erased part", () => {
  test("is told, whether it asks why, attaches or repeats", async () => {
    const { work, running } = byHand();
    const node = await start([admits(), jobs(work), cells()]);
    const run = node.send("job.run", {}, { key: "k" });
    await settled();
    running[0]?.end("a secret");
    expect(await run).toBe("a secret");
    const id = await idOf(node, 2);
    expect(await node.send("message.attach", { id })).toBe("a secret");
    const { by } = await redact(node, 3, ["trace", "body"]);
    const told = {
      code: "PART_ERASED",
      message: `what came of it stood in entry 3, whose trace was erased by entry ${by}`,
    };
    expect(await faultOf(node.send("message.attach", { id }))).toMatchObject(told);
    expect(await faultOf(node.send("job.run", {}, { key: "k" }))).toMatchObject(told);
    expect(await explain(node.orchestrator.reader, id)).toMatchObject({ outcome: { state: "erased", entry: 3 } });
    expect(await explain(node.orchestrator.reader, await idOf(node, 3))).toMatchObject({
      ...{ entry: 3, data: undefined, erased: ["body", "trace"], erasedBy: { body: by, trace: by } },
    });
    const again = await start([admits(), jobs(work), cells()], { log: reopened(node.log), seed: 2 });
    expect(await faultOf(again.send("message.attach", { id }))).toMatchObject(told);
    expect(await checked(again)).toEqual(["3 b", "3 t"]);
  });

  test("of the body alone that an outcome was, is told so", async () => {
    const promises = plugin("promises", {
      needs: [authority],
      messages: jobs(() => "").messages as never,
      decide({ message, envelope }) {
        if (message.resource !== "job") return next();
        const { id } = message.data as { id: string };
        // The settling message's own data is the outcome.
        return message.action === "run" ? next({ pending: true, data: envelope.id }) : next({ settles: [{ id }] });
      },
    });
    const node = await start([admits(), promises]);
    void node.send("job.run").catch(() => {});
    await settled();
    const id = await idOf(node, 2);
    await node.send("job.cancel", { id });
    expect(await node.send("message.attach", { id })).toEqual({ id });
    const { by } = await redact(node, 3, ["body"]);
    expect(await faultOf(node.send("message.attach", { id }))).toMatchObject({
      message: `what came of it stood in entry 3, whose body was erased by entry ${by}`,
    });
  });
});
