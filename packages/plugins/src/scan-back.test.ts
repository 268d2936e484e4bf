// Looking through the log from its end: nothing is left out, reads grow, and a page looks through so much and no more.

import { expect, test } from "bun:test";
import type { StoredEntry } from "@capstan/orchestrator";
import { scanBack } from "./scan-back.ts";

/** A log of so many entries, and how many each read asked for. */
function logOf(length: number) {
  const reads: number[] = [];
  const entries = async (from: number, { limit = 1 }: { readonly limit?: number } = {}) => {
    reads.push(limit);
    return Array.from({ length: Math.min(limit, from) }, (_, i) => ({ seq: from - i }) as StoredEntry);
  };
  return { reader: { entries }, length, reads };
}

async function numbers({ reader, length }: ReturnType<typeof logOf>, readFirst = 2, from = length) {
  const seen: number[] = [];
  for await (const { seq } of scanBack(reader, from, readFirst)) seen.push(seq);
  return seen;
}

test("each entry comes once, newest first, to the log's beginning", async () => {
  const log = logOf(100);
  expect(await numbers(log)).toEqual(Array.from({ length: 100 }, (_, i) => 100 - i));
  expect(await numbers(log, 2, 3)).toEqual([3, 2, 1]);
  expect(await numbers(log, 2, 0)).toEqual([]);
});

test("reads grow to 500 entries at once", async () => {
  const log = logOf(1200);
  await numbers(log);
  expect(log.reads).toEqual([2, 8, 32, 128, 500, 500, 500]);
});

test("a page looks through 20,000 entries, and not through one more", async () => {
  const seen = await numbers(logOf(30_000));
  expect([seen.length, seen.at(-1)]).toEqual([20_000, 10_001]);
});

test("what is not asked for is not read", async () => {
  const log = logOf(1000);
  for await (const { seq } of scanBack(log.reader, 1000, 2)) if (seq === 999) break;
  expect(log.reads).toEqual([2]);
});
