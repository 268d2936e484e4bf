import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faultOf } from "../../fault/fault.ts";
import { hexOf, rootOver } from "../conformance/conformance-tree.ts";
import { sampleMaker } from "../conformance/sample.ts";
import type { Log, NewEntry } from "../log.ts";
import { checkContent } from "./damage/content-check.ts";
import { bornOf } from "./find-window.ts";
import { pragma } from "./migrations.ts";
import { sqliteLog } from "./sqlite-log.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** What version 1 wrote, word for word. */
const VERSION_1 = `
  CREATE TABLE log (first INTEGER PRIMARY KEY, n INTEGER NOT NULL, at INTEGER NOT NULL, born INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
  CREATE INDEX log_at ON log (at, first, n, born);
  CREATE INDEX log_late ON log (at, first, born) WHERE at - born > 1000;
  CREATE TABLE row (tbl TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, PRIMARY KEY (tbl, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('epoch', 0), ('probe', 0);
  PRAGMA application_id = 0x4361704c;
  PRAGMA user_version = 1;`;

/** A file as version 1 left it, of these groups and rows; `spoil` runs on it last. */
function versionOne(
  groups: readonly (readonly NewEntry[])[],
  rows: readonly (readonly [table: string, key: string, json: string])[],
  spoil = "",
): string {
  const directory = mkdtempSync(join(tmpdir(), "capstan-log-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "log.db");
  const db = new Database(path);
  db.run("PRAGMA journal_mode = WAL");
  db.run(VERSION_1);
  db.run("UPDATE meta SET value = 7 WHERE name = 'epoch'");
  let first = 1;
  for (const group of groups) {
    const at = group.at(-1)?.at as number;
    const body = new TextEncoder().encode(`\0${group.map(({ text }) => text).join("\0")}`);
    db.run("INSERT INTO log (first, n, at, born, body) VALUES (?, ?, ?, ?, ?)", [
      first,
      group.length,
      at,
      bornOf(group, at),
      body,
    ]);
    first += group.length;
  }
  const put = db.prepare("INSERT INTO row (tbl, key, json) VALUES (?, ?, ?)");
  for (const row of rows) put.run(...row);
  put.finalize();
  if (spoil !== "") db.run(spoil);
  db.close(true);
  return path;
}

function open(path: string): Log {
  const log = sqliteLog(path);
  cleanups.push(() => log.close());
  return log;
}

test("a file of version 1 is what it was, with its tree, its sums and an id of its own, and goes on", async () => {
  const sample = sampleMaker();
  const groups = [1, 255, 3, 64, 300].map((size) =>
    Array.from({ length: size }, () => sample.entry({ parts: { b: '{"data":"é日本"}', t: "{}" } })),
  );
  const entries = groups.flat();
  const rows = Array.from(
    { length: 2500 },
    (_, i) => [i % 3 === 0 ? "t" : "u", `k${i}`, `{"i":${i},"é":"日本"}`] as const,
  );
  const path = versionOne(groups, [...rows, ["v", "", "null"]]);

  const log = open(path);
  expect([log.epoch, log.head, log.first]).toEqual([8, 623, 1]);
  expect(log.id).toMatch(/^l-[0-9A-Z]{26}$/);
  expect((await log.read(1)).map(({ text }) => text)).toEqual(entries.map(({ text }) => text));
  expect(hexOf(await log.tree.root())).toBe(rootOver(entries));
  expect(hexOf(await log.tree.root(300))).toBe(rootOver(entries.slice(0, 300)));
  expect(await log.find(entries[400]?.id as string)).toBe(401);
  expect(await log.row("u", "k1")).toBe('{"i":1,"é":"日本"}');
  expect([...(log.snapshot(["t", "u", "v"]) as Iterable<unknown>)].length).toBe(2501);
  const more = sample.entry({ rows: [{ table: "t", key: "k0", json: undefined }] });
  await log.append(623, [more]);
  expect(hexOf(await log.tree.root())).toBe(rootOver([...entries, more]));
  const { id } = log;
  await log.close();

  const db = new Database(path);
  expect([pragma(db, "user_version"), checkContent(db)]).toEqual([2, []]);
  db.close();
  expect(open(path).id).toBe(id);
});

test("an empty file of version 1 becomes an empty log", async () => {
  const log = open(versionOne([], []));
  expect([log.head, log.tree.size]).toEqual([0, 0]);
  expect(await log.append(0, sampleMaker().group(3))).toEqual({ kind: "ok", head: 3 });
});

test("two files get two ids", () => {
  expect(open(versionOne([], [])).id).not.toBe(open(versionOne([], [])).id);
});

for (const [what, spoil] of [
  ["lacks a group", "DELETE FROM log WHERE first = 4"],
  ["says more of a group than it holds", "UPDATE log SET n = 4 WHERE first = 4"],
] as const) {
  test(`a file of version 1 that ${what} is refused, and stays one of version 1`, () => {
    const sample = sampleMaker();
    const path = versionOne([sample.group(3), sample.group(3), sample.group(3)], [], spoil);
    let code = "";
    try {
      open(path);
    } catch (thrown) {
      code = faultOf(thrown).code;
    }
    expect(code).toBe("LOG_DAMAGED");
    const db = new Database(path);
    expect(pragma(db, "user_version")).toBe(1);
    db.close();
  });
}
