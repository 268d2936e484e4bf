// The pages' sums: that they fit whatever a node does and however it ends, that they do not where a byte is another, and that they are
// there before a page is copied into the main file.

import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomFrom, sampleMaker } from "../conformance/sample.ts";
import { compareSums, type SumsResult, sumsOf } from "./page-sums.ts";
import { sqliteLog } from "./sqlite-log.ts";
import { PAGE_BYTES, walOf } from "./wal.ts";
import { scanWal } from "./wal-scan.ts";

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "capstan-sums-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return join(directory, "log.db");
}

function compare(path: string): SumsResult {
  const fd = openSync(path, "r");
  try {
    return compareSums(path, fd, scanWal(path));
  } finally {
    closeSync(fd);
  }
}

/** The files as a kill at this moment leaves them. */
function killed(path: string): string {
  const copy = newPath();
  for (const of of [(one: string) => one, walOf, sumsOf]) copyFileSync(of(path), of(copy));
  return copy;
}

/** Groups that come to several times what the WAL holds. */
function fill(path: string, each: (i: number) => void = () => {}): void {
  const log = sqliteLog(path);
  const sample = sampleMaker();
  for (let i = 0; i < 120; i++) {
    const rows = [{ table: "t", key: `k${i % 17}`, json: `"${"y".repeat(200)}"` }];
    log.append(log.head, [sample.entry({ body: "x".repeat(100_000), rows })]);
    each(i);
  }
  log.close();
}

describe("pages' sums", () => {
  test("fit after each kill, however much of the WAL was written back, and after a close", () => {
    const path = newPath();
    const found: SumsResult[] = [];
    fill(path, (i) => {
      if (i % 9 === 0) found.push(compare(killed(path)));
    });
    expect(statSync(path).size).toBeGreaterThan(8 * 2 ** 20);
    expect(found).toEqual(found.map(() => ({})));
    expect(compare(path)).toEqual({});
  });

  test("do not fit where any one byte of a page is another", () => {
    const path = newPath();
    fill(path);
    const whole = readFileSync(path);
    const random = randomFrom(3);
    for (let i = 0; i < 60; i++) {
      const bytes = Buffer.from(whole);
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << (i % 8));
      writeFileSync(path, bytes);
      // The first page says how many there are, so that it may be the end of the file that is missed.
      const page = Math.floor(at / PAGE_BYTES) + 1;
      if (page > 1) expect(compare(path)).toEqual({ doubt: `page ${page} is another` });
      else expect(compare(path).doubt).toBeString();
    }
  });

  test("do not fit where two pages are exchanged, one is older, or the file is shorter", () => {
    const path = newPath();
    fill(path);
    const whole = readFileSync(path);
    const exchanged = Buffer.from(whole);
    whole.copy(exchanged, 40 * PAGE_BYTES, 41 * PAGE_BYTES, 42 * PAGE_BYTES);
    whole.copy(exchanged, 41 * PAGE_BYTES, 40 * PAGE_BYTES, 41 * PAGE_BYTES);
    writeFileSync(path, exchanged);
    expect(compare(path)).toEqual({ doubt: "page 41 is another" });
    writeFileSync(path, whole.subarray(0, 300 * PAGE_BYTES));
    expect(compare(path).doubt).toStartWith("it ends before page 301 of ");
    writeFileSync(path, whole);
    expect(compare(path)).toEqual({});
  });

  test("that are damaged themselves are none, and that is no damage of the log", () => {
    const path = newPath();
    fill(path);
    for (const at of [0, 9, 13, 17, 25]) {
      const bytes = readFileSync(sumsOf(path));
      bytes[at] = (bytes[at] as number) ^ 4;
      writeFileSync(sumsOf(path), bytes);
      expect(compare(path)).toEqual({ doubt: "it has no page sums" });
      const log = sqliteLog(path);
      expect(log.damage).toBeUndefined();
      log.close();
      expect(compare(path)).toEqual({});
    }
  });

  test("show that frames are gone that had been written back: what is left of them is older than the main file", () => {
    const path = newPath();
    let copy: string | undefined;
    fill(path, () => {
      // The moment after writing back: all of the WAL is in the main file as well.
      const bytes = readFileSync(sumsOf(path));
      const wal = scanWal(path);
      if (copy === undefined && bytes.readUInt32LE(12) === wal.frames && wal.salts?.equals(bytes.subarray(16, 24)))
        copy = killed(path);
    });
    if (copy === undefined) throw new Error("no moment after writing back was seen");
    expect(compare(copy)).toEqual({});
    const { frames } = scanWal(copy);
    const bytes = readFileSync(walOf(copy));
    // A byte of the last transaction: to the WAL alone that is a tail which a crash tore off.
    bytes[32 + (frames - 1) * (24 + PAGE_BYTES) + 5000] =
      (bytes[32 + (frames - 1) * (24 + PAGE_BYTES) + 5000] as number) ^ 1;
    writeFileSync(walOf(copy), bytes);
    expect(scanWal(copy).damage).toBeUndefined();
    expect(compare(copy).damage).toContain(`${frames} frames were durable`);
    const log = sqliteLog(copy);
    // The main file alone has all of it.
    expect([log.damage?.damaged.length, log.head > 0]).toEqual([1, true]);
    expect(log.read(1, { limit: 1000 })).toHaveLength(log.head);
    log.close();
  });
});
