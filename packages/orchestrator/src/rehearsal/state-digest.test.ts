// The digest of the state, against one made with another hash implementation from the definition's words.

import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { sampleMaker } from "../log/conformance/sample.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { ReplayedRows } from "./replayed-rows.ts";
import { digestOfLog, digestOfReplay } from "./state-digest.ts";

const key = fc.oneof(fc.constantFrom("a", "b", "\u{1f600}", "\ufffd", "\ud800"), fc.string());
const write = fc.tuple(fc.constantFrom("b", "a", "c"), key, fc.option(fc.jsonValue(), { nil: undefined }));

test("of a log's rows and of the rows that its entries lead to it is the same, and what the definition says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 60 }), async (writes) => {
      const log = memoryLog();
      const replayed = new ReplayedRows();
      const sample = sampleMaker();
      const model = new Map<string, readonly [string, string, string]>();
      for (const [table, key, row] of writes) {
        const json = row === undefined ? undefined : JSON.stringify(row);
        await log.append(log.head, [sample.entry({ rows: [{ table, key, json }] })]);
        // As the entry's rows part has it.
        replayed.apply(
          JSON.parse(
            json === undefined
              ? JSON.stringify([[table, key]])
              : `[[${JSON.stringify(table)},${JSON.stringify(key)},${json}]]`,
          ),
        );
        if (json === undefined) model.delete(JSON.stringify([table, key]));
        else model.set(JSON.stringify([table, key]), [table, key, json]);
      }
      const units = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0);
      const lines = [...model.values()]
        .sort(([t1, k1], [t2, k2]) => units(t1, t2) || units(k1, k2))
        .map(([table, key, json]) => `[${JSON.stringify(table)},${JSON.stringify(key)},${json}]\n`);
      const expected = `sha256-${createHash("sha256").update(lines.join(""), "utf8").digest("hex")}`;
      expect(await digestOfLog(log, ["c", "a", "b"])).toBe(expected);
      expect(digestOfReplay(replayed, ["a", "b", "c"])).toBe(expected);
    }),
    { numRuns: 60 },
  );
});

test("reads a log page by page", async () => {
  const log = memoryLog();
  const sample = sampleMaker();
  const rows = Array.from({ length: 2500 }, (_, n) => ({ table: "t", key: String(n), json: String(n) }));
  await log.append(0, [sample.entry({ rows })]);
  const asked: number[] = [];
  const read = {
    rows: (...args: Parameters<typeof log.rows>) => {
      asked.push(args[1]?.limit ?? 0);
      return log.rows(...args);
    },
  };
  const replayed = new ReplayedRows();
  replayed.apply(rows.map(({ key, json }) => ["t", key, JSON.parse(json)]));
  expect(await digestOfLog(read, ["t"])).toBe(digestOfReplay(replayed, ["t"]));
  expect(asked).toEqual([1000, 1000, 1000]);
});

test("a log whose rows are not what its entries wrote is told apart", async () => {
  const log = memoryLog();
  await log.append(0, [sampleMaker().entry({ rows: [{ table: "t", key: "k", json: "1" }] })]);
  const replayed = new ReplayedRows();
  replayed.apply([["t", "k", 2]]);
  expect(digestOfReplay(replayed, ["t"])).not.toBe(await digestOfLog(log, ["t"]));
});
