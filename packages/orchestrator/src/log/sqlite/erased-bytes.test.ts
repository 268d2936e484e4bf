// What was erased or trimmed is in none of the log's files. They are read by another process: whoever opens and closes a file
// in the process that has the log open would drop its lock.

import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { long } from "../conformance/conformance-blobs.ts";
import { randomFrom, sampleMaker } from "../conformance/sample.ts";
import type { Log, NewEntry } from "../log.ts";
import { PARTS, type Part } from "../part.ts";
import { sqliteLog } from "./sqlite-log.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function newPath(): string {
  const directory = mkdtempSync(join(tmpdir(), "capstan-log-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return join(directory, "log.db");
}

function open(path: string): Log {
  const log = sqliteLog(path);
  cleanups.push(() => log.close());
  return log;
}

/** All bytes of all files of the log. */
function bytesOf(path: string): Buffer {
  const files = readdirSync(dirname(path)).map((name) => join(dirname(path), name));
  return Buffer.from(Bun.spawnSync(["cat", ...files]).stdout);
}

/** Salt and JSON of a part: what no other line has. */
function lineOf(entry: NewEntry, part: Part): string {
  const line = entry.text.split("\n").find((one, i) => i > 0 && one[0]?.toLowerCase() === part);
  if (line === undefined) throw new Error(`the entry has no part ${part}`);
  return line;
}

test("an erased part is in no file any more, and what stays is", async () => {
  const path = newPath();
  const log = open(path);
  const sample = sampleMaker();
  const parts = { b: '"what is to be gone"', f: '"what is to be gone too"', t: '"what stays"' };
  const [before, entry, after] = [sample.entry({ parts }), sample.entry({ parts }), sample.entry({ parts })];
  await log.append(0, [before, entry, after]);
  // In the WAL and in the file both.
  for (let i = 0; i < 200; i++)
    await log.append(log.head, [sample.entry({ parts: { b: JSON.stringify("x".repeat(40_000)) } })]);
  for (const part of ["b", "f", "t"] as const) expect(bytesOf(path).includes(lineOf(entry, part))).toBe(true);
  await log.append(log.head, [sample.entry({ parts, erases: [{ seq: 2, parts: ["b", "f"] }] })]);
  const bytes = bytesOf(path);
  for (const part of ["b", "f"] as const) {
    expect(bytes.includes(lineOf(entry, part))).toBe(false);
    expect(bytes.includes(lineOf(entry, part).slice(1, 23))).toBe(false);
  }
  expect(bytes.includes(lineOf(entry, "t"))).toBe(true);
});

test("so is a part that was kept beside its entry", async () => {
  const path = newPath();
  const log = open(path);
  const sample = sampleMaker();
  const entry = sample.entry({ parts: { b: long("a word of the caller's"), t: "{}" } });
  await log.append(0, [entry, ...sample.group(10)]);
  expect(bytesOf(path).includes("a word of the caller's")).toBe(true);
  await log.append(11, [sample.entry({ erases: [{ seq: 1, parts: ["b"] }] })]);
  const bytes = bytesOf(path);
  expect(bytes.includes("a word of the caller's")).toBe(false);
  expect(bytes.includes(lineOf(entry, "b"))).toBe(false);
});

test("a writer that is killed after an erasure, before the WAL was emptied, leaves it to the next opening", async () => {
  const path = newPath();
  const fixture = join(import.meta.dir, "sqlite-log.fixture.ts");
  const child = Bun.spawn([process.execPath, fixture, "erase", path], { stdin: "ignore", stdout: "ignore" });
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  // The test is one of something: what is to be gone is still there.
  expect(readFileSync(`${path}-wal`).includes("what is to be gone")).toBe(true);
  const log = open(path);
  expect((await log.read(1, { limit: 1 }))[0]?.text).not.toContain("what is to be gone");
  const bytes = bytesOf(path);
  expect(bytes.includes("what is to be gone")).toBe(false);
  expect(bytes.includes("what stays")).toBe(true);
});

test("a part whose erasure failed is there still, and gone once it succeeds", async () => {
  const path = newPath();
  let broken = false;
  const log = sqliteLog(path, {
    beforeCommit: () => {
      if (broken) throw new Error("no space left");
    },
  });
  cleanups.push(() => log.close());
  const sample = sampleMaker();
  await log.append(0, [sample.entry({ parts: { b: '"what is to be gone"' } })]);
  const before = await log.read(1);
  broken = true;
  const erasing = sample.entry({ erases: [{ seq: 1, parts: ["b"] }] });
  expect(() => log.append(1, [erasing])).toThrow("no space left");
  expect(await log.read(1)).toEqual(before);
  broken = false;
  await log.append(1, [erasing]);
  expect(bytesOf(path).includes("what is to be gone")).toBe(false);
});

test("what a trim of several slices forgot is in no file any more once it is done", async () => {
  const path = newPath();
  const log = open(path);
  const sample = sampleMaker();
  const filler = JSON.stringify("x".repeat(20_000));
  const entries = Array.from({ length: 600 }, () => sample.entry({ parts: { b: filler } }));
  for (let at = 0; at < 600; at += 4) await log.append(at, entries.slice(at, at + 4));
  let slices = 0;
  for (let before = 0; before < log.first; slices++) {
    before = log.first;
    await log.trim(500, []);
  }
  expect(slices).toBeGreaterThan(3);
  expect(log.first).toBe(497);
  const bytes = bytesOf(path);
  const found = (entry: NewEntry) => bytes.includes(lineOf(entry, "b").slice(1, 23));
  expect(entries.slice(0, 496).filter(found)).toEqual([]);
  expect(entries.slice(496).filter(found).length).toBeGreaterThan(90);
});

// Groups of every size, so that parts lie in leaf pages, in overflow pages and across them; trims, which move what is kept.
for (const seed of [1, 2, 3]) {
  test(`nothing that was erased or trimmed is in any file, in whatever order that happened (${seed})`, async () => {
    const path = newPath();
    let log = open(path);
    const sample = sampleMaker();
    const random = randomFrom(seed);
    const upTo = (limit: number) => Math.floor(random() * limit);
    const entries: NewEntry[] = [];
    const gone: string[] = [];
    const left = new Map<number, Set<Part>>();
    for (let step = 0; step < 100; step++) {
      const group = Array.from({ length: 1 + upTo(step % 10 === 0 ? 60 : 4) }, () => {
        const text = () => JSON.stringify("y".repeat(upTo(upTo(8) === 0 ? 20_000 : 600)));
        return sample.entry({
          parts: { b: text(), f: text(), r: text(), t: text() },
          rows: [{ table: "t", key: `k${upTo(300)}`, json: text() }],
        });
      });
      if (upTo(3) === 0 && log.head > 0) {
        const seq = log.first + upTo(log.head - log.first + 1);
        const parts = PARTS.filter(() => upTo(2) === 0);
        const entry = entries[seq - 1] as NewEntry;
        for (const part of parts) if (left.get(seq)?.delete(part)) gone.push(lineOf(entry, part));
        group[0] = { ...(group[0] as NewEntry), erases: [{ seq, parts }] };
      }
      for (const entry of group) left.set(entries.push(entry), new Set(PARTS));
      await log.append(log.head, group);
      if (upTo(12) === 0) {
        const before = log.first;
        const first = await log.trim(log.first + upTo(log.head - log.first), []);
        for (let seq = before; seq < first; seq++) {
          for (const part of left.get(seq) ?? []) gone.push(lineOf(entries[seq - 1] as NewEntry, part));
          left.delete(seq);
        }
      }
      if (upTo(40) === 0) {
        await log.close();
        expect(existsSync(`${path}-wal`)).toBe(false);
        log = open(path);
      }
    }
    const bytes = bytesOf(path);
    // By halves of the salt, because a line may lie across pages, which do not follow each other.
    const found = (line: string) => bytes.includes(line.slice(1, 12)) || bytes.includes(line.slice(12, 23));
    expect(log.first).toBeGreaterThan(1);
    expect(gone.length).toBeGreaterThan(100);
    expect(gone.filter(found)).toEqual([]);
    const kept = [...left].flatMap(([seq, parts]) =>
      [...parts].map((part) => lineOf(entries[seq - 1] as NewEntry, part)),
    );
    expect(kept.filter((line) => !found(line))).toEqual([]);
  });
}
