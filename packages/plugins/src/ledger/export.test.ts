// A copy of the log, made of pages: every byte of it, and nothing twice.

import { expect, test } from "bun:test";
import { CompactRange, checkEntry, contentName } from "@capstan/orchestrator";
import type { HubScope } from "../hub.fixture.ts";
import { withPerforms } from "./ledger.fixture.ts";

type Page = Awaited<ReturnType<HubScope["log"]["export"]>>;

async function pages(ask: (from: number) => Promise<Page>): Promise<Page[]> {
  const all: Page[] = [];
  for (let from: number | undefined = 1; from !== undefined; ) {
    const page: Page = await ask(from);
    all.push(page);
    from = page.next;
  }
  return all;
}

test("every entry comes as it is stored, in order, whatever the size of the pages", async () => {
  const { app, log } = await withPerforms(20);
  const stored = (await log.read(1)).map(({ seq, text }) => ({ entry: seq, text }));
  for (const limit of [1, 3, 1000, undefined]) {
    const all = await pages((from) => app.log.export({ from, ...(limit === undefined ? {} : { limit }) }));
    expect(all.flatMap(({ entries = [] }) => entries)).toEqual(stored);
    expect(all).toHaveLength(Math.ceil(stored.length / (limit ?? 1000)));
  }
  expect(await app.log.export({ from: log.head + 1 })).toEqual({ from: log.head + 1, entries: [], blobs: [] });
});

test("content that is kept beside its entry comes with it, once a page, and a page has its bound", async () => {
  const { app, log } = await withPerforms(0);
  const large = "é".repeat(1024 * 1024);
  for (const input of [large, large, `${large}2`, `${large}3`, `${large}4`])
    await app.action.perform({ name: "greet", input });
  const all = await pages((from) => app.log.export({ from }));
  expect(all.length).toBeGreaterThan(1);
  for (const { entries = [], blobs = [] } of all) {
    const length = [...entries, ...blobs].reduce((sum, { text }) => sum + text.length, 0);
    expect(length).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(new Set(blobs.map(({ name }) => name)).size).toBe(blobs.length);
    for (const { name, text } of blobs) expect(contentName(text)).toBe(name);
    const wanted = entries.flatMap(({ text }) =>
      checkEntry(text).parts.flatMap((part) => (part.kind === "blob" ? [part.name] : [])),
    );
    expect(blobs.map(({ name }) => name).sort()).toEqual([...new Set(wanted)].sort());
  }
  const numbers = all.flatMap(({ entries = [] }) => entries.map(({ entry }) => entry));
  expect(numbers).toEqual(Array.from({ length: log.head }, (_, i) => i + 1));
  expect(all.flatMap(({ blobs = [] }) => blobs).some(({ text }) => text.includes(`${large}4`))).toBe(true);
});

test("the hashes of the leaves alone lead to the root, those included whose entries are gone", async () => {
  const { app, log } = await withPerforms(10);
  let first = 1;
  while (first < 8) first = await log.trim(8, []);
  const { root } = await app.log.head();
  for (const limit of [1, 7, 65_536]) {
    const range = new CompactRange();
    for (const { leaves = "", entries } of await pages((from) => app.log.export({ from, limit, leaves: true }))) {
      expect(entries).toBeUndefined();
      const hashes = Uint8Array.from(Buffer.from(leaves, "base64"));
      for (let at = 0; at < hashes.length; at += 32) range.append(hashes.subarray(at, at + 32));
    }
    expect(range.size).toBe(log.head);
    expect(Buffer.from(range.root()).toString("base64")).toBe(root as string);
  }
});
