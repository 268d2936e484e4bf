// A group that fails leaves no trace: not in the file, and not in what an open log has in memory of it.

import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blobIn, long } from "../conformance/conformance-blobs.ts";
import { put, remove } from "../conformance/conformance-check.ts";
import { filledTo, hexOf } from "../conformance/conformance-tree.ts";
import { sampleMaker } from "../conformance/sample.ts";
import type { Log } from "../log.ts";
import { checkContent } from "./damage/content-check.ts";
import { sqliteLog } from "./sqlite-log.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A log whose appends and trims fail at the last moment while `disk.full`. */
function failing() {
  const directory = mkdtempSync(join(tmpdir(), "capstan-log-"));
  const disk = { full: false };
  const path = join(directory, "log.db");
  const open = () =>
    sqliteLog(path, {
      beforeCommit: () => {
        if (disk.full) throw new Error("no space left");
      },
    });
  const log = open();
  cleanups.push(async () => {
    await log.close();
    rmSync(directory, { recursive: true });
  });
  return { path, log, disk };
}

async function stateOf(log: Log) {
  return {
    ...{ first: log.first, head: log.head, lastAt: log.lastAt, size: log.tree.size },
    root: hexOf(await log.tree.root()),
    older: hexOf(await log.tree.root(Math.min(250, log.head))),
    entries: await log.read(log.first, { limit: 10_000 }),
    rows: await log.rows("t"),
  };
}

for (const [head, lost] of [
  [10, 5],
  [250, 10],
  [250, 900],
  [256, 256],
  [511, 2],
] as const) {
  test(`a group of ${lost} after ${head} entries`, async () => {
    const { path, log, disk } = failing();
    const sample = sampleMaker();
    await filledTo(log, sample, head - 1);
    const kept = sample.entry({ parts: { b: long("kept"), t: "{}" }, rows: [put("t", "a", 1), put("t", "b", 2)] });
    await log.append(head - 1, [kept]);
    const before = await stateOf(log);
    const others = sample.group(lost - 1);
    const erasing = sample.entry({
      parts: { b: long("lost"), f: long("kept") },
      rows: [put("t", "a", 3), remove("t", "b"), { ...put("t", "c", 4), fresh: true }, put("u", "x", 5)],
      erases: [{ seq: head, parts: ["b", "t"] }],
    });
    const group = [...others, erasing];
    // Twice: what the first left behind would show in the second.
    for (let i = 0; i < 2; i++) {
      disk.full = true;
      expect(() => log.append(head, group)).toThrow("no space left");
      disk.full = false;
      expect(await stateOf(log)).toEqual(before);
      expect(await log.blob(blobIn(erasing).name)).toBeUndefined();
      expect(await log.blob(blobIn(kept).name)).toBe(blobIn(kept).text);
    }
    await log.probe();
    expect(await log.append(head, group)).toEqual({ kind: "ok", head: head + lost });
    expect(await log.blob(blobIn(erasing).name)).toBe(blobIn(erasing).text);
    const after = await stateOf(log);
    await log.close();
    const db = new Database(path);
    expect(checkContent(db)).toEqual([]);
    db.close(true);
    const again = sqliteLog(path);
    expect(await stateOf(again)).toEqual(after);
    await again.close();
  });
}

test("a trim", async () => {
  const { path, log, disk } = failing();
  const sample = sampleMaker();
  const old = sample.entry({ parts: { b: long("old") }, rows: [put("t", "a", 1)] });
  await log.append(0, [old]);
  await filledTo(log, sample, 600);
  const before = await stateOf(log);
  disk.full = true;
  expect(() => log.trim(300, [remove("t", "a")])).toThrow("no space left");
  disk.full = false;
  expect(await stateOf(log)).toEqual(before);
  expect(await log.blob(blobIn(old).name)).toBe(blobIn(old).text);
  expect(await log.find(old.id)).toBe(1);
  await log.trim(300, [remove("t", "a")]);
  expect(await log.row("t", "a")).toBeUndefined();
  expect(log.first).toBeGreaterThan(1);
  await log.close();
  const db = new Database(path);
  expect(checkContent(db)).toEqual([]);
  db.close(true);
});
