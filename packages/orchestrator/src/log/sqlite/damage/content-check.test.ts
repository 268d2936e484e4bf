import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blobIn, long } from "../../conformance/conformance-blobs.ts";
import { put, remove } from "../../conformance/conformance-check.ts";
import { randomFrom, sampleMaker } from "../../conformance/sample.ts";
import type { NewEntry } from "../../log.ts";
import { blobSum, groupSum, metaSum, rowSum, tileSum } from "../checksum.ts";
import { sqliteLog } from "../sqlite-log.ts";
import { tileId } from "../sqlite-tiles.ts";
import { parseTableSums, TableSumChanges } from "../table-sums.ts";
import { checkContent, problemText } from "./content-check.ts";

const directory = mkdtempSync(join(tmpdir(), "capstan-log-"));
afterAll(() => rmSync(directory, { recursive: true }));

const whole = join(directory, "whole.db");
const blob = { name: "", text: "" };

/** 700 entries in groups of 7, two complete tiles, rows in two tables, one blob that two entries name. */
beforeAll(async () => {
  const log = sqliteLog(whole);
  const sample = sampleMaker();
  for (let group = 0; group < 100; group++) {
    const entries = Array.from({ length: 7 }, (_, i) => {
      const parts = (group === 10 || group === 20) && i === 0 ? { b: long("blob") } : { b: "{}" };
      return sample.entry({ parts, rows: [put("t", `k${group}`, i), put("u", `k${i}`, group)] });
    });
    if (group === 10) Object.assign(blob, blobIn(entries[0] as NewEntry));
    await log.append(log.head, entries);
  }
  await log.close();
});

const open: Database[] = [];
afterEach(() => {
  for (const db of open.splice(0)) db.close();
});

let copies = 0;
function copied(): Database {
  const path = join(directory, `copy-${copies++}.db`);
  copyFileSync(whole, path);
  const db = new Database(path);
  open.push(db);
  return db;
}

function problems(spoil: (db: Database) => void): string[] {
  const db = copied();
  spoil(db);
  return checkContent(db).map(problemText);
}

const sql = (text: string) => (db: Database) => void db.run(text);

interface Group {
  readonly first: number;
  readonly n: number;
  readonly at: number;
  readonly born: number;
  readonly body: Uint8Array;
}

/** Changes a group as somebody does who knows of the checksum. */
function forge(first: number, change: (group: Group) => Partial<Group>) {
  return (db: Database) => {
    const before = db.query("SELECT first, n, at, born, body FROM log WHERE first = ?").get(first) as Group;
    const { n, at, born, body, ...after } = { ...before, ...change(before) };
    db.run("DELETE FROM log WHERE first = ?", [first]);
    db.run("INSERT INTO log (first, n, at, born, body, sum) VALUES (?, ?, ?, ?, ?, ?)", [
      after.first,
      n,
      at,
      born,
      body,
      groupSum(after.first, n, at, born, body),
    ]);
  };
}

function edited(body: Uint8Array, from: string, to: string): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(body).replace(from, to));
}

describe("the check of a log's content", () => {
  test("finds nothing in one that is whole", () => {
    expect(problems(() => {})).toEqual([]);
  });

  const unfit = "the checksum does not fit";
  for (const [what, spoil, expected] of [
    [
      "a bit of a group's body",
      sql("UPDATE log SET body = CAST(body || x'20' AS BLOB) WHERE first = 8"),
      [`entries 8 to 14: ${unfit}`],
    ],
    ["a group's number of entries", sql("UPDATE log SET n = 6 WHERE first = 8"), [`entries 8 to 14: ${unfit}`]],
    ["a group's time", sql("UPDATE log SET at = at + 1 WHERE first = 8"), [`entries 8 to 14: ${unfit}`]],
    ["a group's earliest time", sql("UPDATE log SET born = born - 1 WHERE first = 8"), [`entries 8 to 14: ${unfit}`]],
    ["a group's place", sql("UPDATE log SET first = 9 WHERE first = 8"), [`entries 8 to 14: ${unfit}`]],
    ["the last group", sql("UPDATE log SET sum = sum + 1 WHERE first = 694"), [`entries 694 to 700: ${unfit}`]],
    ["two groups in a row", sql("UPDATE log SET sum = sum + 1 WHERE first IN (8, 15)"), [`entries 8 to 21: ${unfit}`]],
    ["a group that is gone", sql("DELETE FROM log WHERE first = 8"), ["entries 8 to 14: they are gone"]],
    ["the first group gone", sql("DELETE FROM log WHERE first = 1"), ["entries 1 to 7: they are gone"]],
    ["a row's JSON", sql("UPDATE row SET json = '7' WHERE tbl = 't' AND key = 'k3'"), [`the row t "k3": ${unfit}`]],
    [
      "a row that is gone, and all that says so",
      sql("DELETE FROM row WHERE tbl = 't' AND key = 'k3'"),
      ["the table t: it has 99 of 100 rows"],
    ],
    ["a table that is gone", sql("DELETE FROM row WHERE tbl = 'u'"), ["the table u: it has 0 of 7 rows"]],
    [
      "a row that nobody wrote",
      (db: Database) =>
        db.run("INSERT INTO row (tbl, key, json, sum) VALUES ('w', 'k', '1', ?)", [rowSum("w", "k", "1")]),
      ["the table w: it has 1 of 0 rows"],
    ],
    [
      "another row, checksum and all",
      (db: Database) =>
        db.run("UPDATE row SET json = '7', sum = ? WHERE tbl = 't' AND key = 'k3'", [rowSum("t", "k3", "7")]),
      ["the table t: a row in it is not the one that was written"],
    ],
    ["a value", sql("UPDATE meta SET value = 'l-other' WHERE name = 'log'"), [`the value "log": ${unfit}`]],
    ["a value that is gone", sql("DELETE FROM meta WHERE name = 'epoch'"), ['the value "epoch": it is gone']],
    [
      "a tile",
      sql("UPDATE tile SET hashes = zeroblob(8192) WHERE id = 1"),
      [`tile 1 of level 0 of the tree: ${unfit}`],
    ],
    ["a tile that is gone", sql("DELETE FROM tile WHERE id = 0"), ["tile 0 of level 0 of the tree: it is gone"]],
    [
      "a tile that is short, checksum and all",
      (db: Database) =>
        db.run("UPDATE tile SET hashes = x'00', sum = ? WHERE id = 1", [tileSum(0, 1, new Uint8Array(1))]),
      ["tile 1 of level 0 of the tree: it has 0.03125 hashes"],
    ],
    [
      "tiles of entries that are gone",
      sql("DELETE FROM log WHERE first > 300"),
      ["tile 1 of level 0 of the tree: the entries that it is of are gone"],
    ],
    [
      "a tile of a level that there cannot be",
      (db: Database) => db.run("INSERT INTO tile (id, hashes, sum) VALUES (?, x'00', 0)", [tileId(7, 0)]),
      ["tile 0 of level 7 of the tree: the entries that it is of are gone"],
    ],
    [
      "a blob's content",
      sql("UPDATE blob SET body = x'00'"),
      () => [`the blob ${blob.name}: its content has another digest`],
    ],
    ["a blob's count", sql("UPDATE blob SET refs = 1"), () => [`the blob ${blob.name}: ${unfit}`]],
    [
      "a blob's count, checksum and all",
      (db: Database) => db.run("UPDATE blob SET refs = 1, sum = ?", [blobSum(blob.name, 1)]),
      () => [`the blob ${blob.name}: 2 parts name it, and 1 are counted`],
    ],
    ["a blob that is gone", sql("DELETE FROM blob"), () => [`the blob ${blob.name}: it is gone`]],
    [
      "a header, checksum and all",
      forge(8, ({ body }) => ({ body: edited(body, "note.write", "note.burnt") })),
      ["entry 8: its header is not the tree's"],
    ],
    [
      "a group's number of entries, checksum and all",
      forge(694, () => ({ n: 8 })),
      ["entries 694 to 701: there are 7"],
    ],
    [
      "a group's time that runs backwards, checksum and all",
      forge(15, ({ at }) => ({ at: at - 1000 })),
      ["entries 15 to 21: they are of before the entries before them"],
    ],
    [
      "a group that is there twice, checksum and all",
      (db: Database) => {
        const group = db.query("SELECT n, at, born, body FROM log WHERE first = 8").get() as Group;
        const sum = groupSum(10, group.n, group.at, group.born, group.body);
        db.run("INSERT INTO log (first, n, at, born, body, sum) VALUES (10, ?, ?, ?, ?, ?)", [
          group.n,
          group.at,
          group.born,
          group.body,
          sum,
        ]);
      },
      undefined,
    ],
    [
      "what is kept from, checksum and all",
      (db: Database) => db.run("UPDATE meta SET value = 8, sum = ? WHERE name = 'first'", [metaSum("first", 8)]),
      ["entries 1 to 7: they are there twice"],
    ],
  ] as const) {
    test(`finds ${what}`, () => {
      const found = problems(spoil);
      if (expected === undefined) expect(found).toContain("entries 10 to 16: they are there twice");
      else expect(found).toEqual([...(typeof expected === "function" ? expected() : expected)]);
    });
  }

  test("says what SQLite cannot read, and goes on with the rest", () => {
    const found = problems((db) => {
      db.run("DROP TABLE blob");
      db.run("UPDATE meta SET value = 'l-other' WHERE name = 'log'");
    });
    expect(found).toEqual([`the value "log": ${unfit}`, "the blobs: no such table: blob"]);
  });
});

test("two hundred random groups, erasures, trims, blobs and openings leave sums that fit", async () => {
  const path = join(directory, "random.db");
  let log = sqliteLog(path);
  const sample = sampleMaker();
  const random = randomFrom(11);
  const upTo = (limit: number) => Math.floor(random() * limit);
  for (let g = 0; g < 200; g++) {
    const group = Array.from({ length: 1 + upTo(8) }, () => {
      const rows = Array.from({ length: upTo(4) }, () => {
        const key = `k${upTo(30)}`;
        if (upTo(3) === 0) return remove("t", key);
        // Said to be fresh also where it is not.
        return { ...put("t", key, upTo(1e6)), fresh: upTo(2) === 0 };
      });
      const body = upTo(12) === 0 ? long(`blob ${upTo(4)}`) : "{}";
      const seq = log.first + upTo(log.head + 3);
      return sample.entry({ parts: { b: body, t: "{}" }, rows, erases: upTo(9) === 0 ? [{ seq, parts: ["b"] }] : [] });
    });
    await log.append(log.head, group);
    if (upTo(15) === 0) await log.trim(upTo(log.head), [remove("t", `k${upTo(30)}`)]);
    if (upTo(40) === 0) {
      await log.close();
      log = sqliteLog(path);
    }
  }
  const rows = [...(log.snapshot(["t"]) as Iterable<unknown>)].length;
  expect(log.first).toBeGreaterThan(1);
  await log.close();
  const db = new Database(path);
  open.push(db);
  expect(checkContent(db)).toEqual([]);
  const { value } = db.query("SELECT value FROM meta WHERE name = 'tables'").get() as { value: string };
  expect(parseTableSums(value).get("t")?.count).toBe(rows);
});

test("sums of rows do not depend on the order in which they came and went", () => {
  const changes = new TableSumChanges(new Map([["t", { count: 1, sum: 2 ** 52 - 1 }]]));
  changes.added("t", 2 ** 32 - 1);
  changes.removed("t", 2 ** 32 - 1);
  expect(changes.after.get("t")).toEqual({ count: 1, sum: 2 ** 52 - 1 });
  changes.added("u", 5);
  changes.added("u", 7);
  changes.removed("u", 5);
  expect(changes.after.get("u")).toEqual({ count: 1, sum: 7 });
});
