// The node's check of itself: what it covers, what it finds first, and that the node goes on meanwhile.

import { describe, expect, test } from "bun:test";
import { FaultError, fault, type Log, memoryLog, type StoredEntry } from "@capstan/orchestrator";
import { faultFrom, startHub } from "../hub.fixture.ts";
import { altered, misread, signer, withPerforms } from "./ledger.fixture.ts";

test("a sound log has all its entries and leaves, and the root that is signed", async () => {
  const { app, log } = await withPerforms(10);
  await app.action.perform({ name: "greet", input: "x".repeat(100_000) });
  const { checkpoint, root } = await app.log.checkpoint();
  expect(await app.log.verify()).toEqual({
    ...{ from: 1, to: log.head, entries: log.head, erased: 0, leaves: log.head, root, checkpoint },
  });
  expect(await app.log.verify({ from: 3, to: 5 })).toMatchObject({ from: 3, to: 5, entries: 3, leaves: log.head });
  expect(await app.log.verify({ from: 3, to: 10 ** 9 })).toMatchObject({ to: log.head, entries: log.head - 2 });
});

test.each([
  [{ from: 1000 }, "ENTRY_NOT_FOUND", "the log has"],
  [{ from: 1000, to: 2000 }, "ENTRY_NOT_FOUND", "the log has"],
  [{ from: 5, to: 1 }, "MESSAGE_INVALID", '"to" has to be 5 at least'],
])("%j is nothing that could be verified, and is not said to be sound", async (asked, code, text) => {
  const { app } = await withPerforms(3);
  const refused = await faultFrom(app.log.verify(asked));
  expect(refused).toMatchObject({ code, message: expect.stringContaining(text) });
});

describe("the first problem is named:", () => {
  /** A log that was written soundly, and is read by another node in another way. */
  async function verified(make: (log: Log) => Log) {
    const memory = memoryLog();
    const { hub, app } = await withPerforms(10, { log: altered(memory, { close() {} }) });
    await app.action.perform({ name: "greet", input: "x".repeat(100_000) });
    const large = (await app.log.list()).items.find(({ message }) => message === "action.perform")?.entry as number;
    await hub.stop();
    const next = await startHub({ log: make(memory), signer });
    return { large, answer: await next.app.log.verify() };
  }
  const at = (seq: number, change: (text: string) => string) => (entry: StoredEntry) =>
    entry.seq < seq ? entry : { seq: entry.seq, text: change(entry.text) };

  test("a part that was altered", async () => {
    const { answer } = await verified((log) =>
      misread(
        log,
        at(5, (text) => text.replace('"input":', '"inPut":')),
      ),
    );
    expect(answer.problem).toMatchObject({
      entry: 5,
      code: "ENTRY_INVALID",
      message: expect.stringContaining("part b"),
    });
    expect(answer.entries).toBe(4);
  });

  test("a header that was altered, its parts with it", async () => {
    const { answer } = await verified((log) =>
      misread(
        log,
        at(4, (text) => text.replace('"principal":"', '"principal":"x')),
      ),
    );
    expect(answer.problem).toMatchObject({ entry: 4, code: "PROOF_INVALID" });
  });

  test("an entry that is missing, and one in its place", async () => {
    const { answer } = await verified((log) => misread(log, (entry) => (entry.seq === 6 ? undefined : entry)));
    expect(answer.problem).toEqual({ entry: 6, code: "ENTRY_INVALID", message: "entry 6 is missing" });
    const swapped = await verified((log) =>
      misread(log, (entry) => (entry.seq < 7 ? entry : { ...entry, seq: entry.seq + 1 })),
    );
    expect(swapped.answer.problem).toMatchObject({ entry: 7 });
  });

  test("content beside an entry that is gone, or other content", async () => {
    for (const blob of [() => undefined, () => '"y"']) {
      const { answer, large } = await verified((log) => altered(log, { blob }));
      expect(answer.problem).toMatchObject({
        entry: large,
        code: "ENTRY_INVALID",
        message: expect.stringContaining("sha256-"),
      });
    }
  });

  test("leaves that are not the entries'", async () => {
    const { answer } = await verified((log) => {
      const { tree } = log;
      const leaves = async (index: number, count: number) => (await tree.leaves(index, count)).toReversed();
      return altered(log, { tree: altered(tree, { leaves }) });
    });
    expect(answer.problem).toMatchObject({ entry: 1, code: "PROOF_INVALID" });
  });

  test("what the log itself finds damaged", async () => {
    const damage = new FaultError(fault("LOG_DAMAGED", "entries 3 to 5 are damaged"));
    const { answer } = await verified((log) =>
      misread(log, (entry) => {
        if (entry.seq === 3) throw damage;
        return entry;
      }),
    );
    expect(answer.problem).toMatchObject({ entry: 3, code: "LOG_DAMAGED", message: damage.message });
    expect(answer.entries).toBe(2);
  });
});

test("everything else goes on while it verifies", async () => {
  const { app, log } = await withPerforms(0);
  await Promise.all(Array.from({ length: 1500 }, (_, input) => app.action.perform({ name: "greet", input })));
  let turns = 0;
  let over = false;
  const count = () => {
    turns++;
    if (!over) setImmediate(count);
  };
  setImmediate(count);
  const { entries } = await app.log.verify();
  over = true;
  expect(entries).toBe(log.head);
  expect(turns).toBeGreaterThan(log.head / 200);
});
