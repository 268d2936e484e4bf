// What is stored otherwise than it was written is never given out, wherever it is read.

import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { blobIn, long } from "../conformance/conformance-blobs.ts";
import { put } from "../conformance/conformance-check.ts";
import { sampleMaker } from "../conformance/sample.ts";
import { MerkleTree } from "../tree/merkle-tree.ts";
import { rowSum } from "./checksum.ts";
import { readMeta } from "./meta.ts";
import { migrate } from "./migrations.ts";
import { SqliteBlobs } from "./sqlite-blobs.ts";
import { SqliteGroups } from "./sqlite-groups.ts";
import { SqliteRows } from "./sqlite-rows.ts";
import { openTree, sqliteTiles } from "./sqlite-tiles.ts";
import { finalize, prepare } from "./statements.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

const sample = sampleMaker();
const entry = sample.entry({ parts: { b: long("blob") }, rows: [put("t", "a", 1), put("t", "b", 2)] });
const others = sample.group(299);

/** A log's parts on a database in memory: 300 entries, two rows, a blob. */
function stored() {
  const db = new Database(":memory:");
  migrate(db);
  const statements = prepare(db);
  cleanups.push(() => {
    finalize(statements);
    db.close(true);
  });
  const parts = {
    db,
    statements,
    groups: new SqliteGroups(statements),
    rows: new SqliteRows(statements),
    blobs: new SqliteBlobs(statements),
    tree: new MerkleTree(sqliteTiles(statements)),
  };
  for (const group of [[entry, ...others.slice(0, 149)], others.slice(149)]) {
    parts.groups.append(parts.tree.size + 1, group, parts.tree);
    parts.rows.settle(parts.rows.apply(group));
    parts.blobs.add(group);
  }
  return parts;
}

const damage = expect.objectContaining({ code: "LOG_DAMAGED" });

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("all of it is given out where it is whole", () => {
  const { groups, rows, blobs, statements, tree } = stored();
  expect(groups.of(1).texts[0]).toBe(entry.text);
  expect([rows.get("t", "a"), rows.range("t", undefined, 10).length]).toEqual(["1", 2]);
  expect(blobs.get(blobIn(entry).name)).toBe(blobIn(entry).text);
  expect(openTree(statements, groups, 300).root()).toEqual(tree.root());
});

for (const change of [
  "body = CAST(replace(CAST(body AS TEXT), 'note', 'nope') AS BLOB)",
  "n = n + 1",
  "at = at + 1",
  "born = born + 1",
  "sum = sum + 1",
]) {
  test(`a group of which somebody set ${change} is neither read nor searched nor erased in, and the one beside it is`, () => {
    const { db, groups } = stored();
    db.run(`UPDATE log SET ${change} WHERE first = 1`);
    const message = "entries 1 to 150";
    for (const work of [
      () => groups.of(1),
      () => groups.of(150),
      () => groups.find(entry.id, 1),
      () => groups.erase({ seq: 1, parts: ["b"] }),
    ]) {
      expect(thrown(work)).toEqual(damage);
    }
    if (!change.startsWith("n "))
      expect(thrown(() => groups.of(1))).toMatchObject({ message: expect.stringContaining(message) });
    expect(groups.of(151).texts.length).toBe(150);
  });
}

test("an entry whose group is gone is said to be gone", () => {
  const { db, groups } = stored();
  db.run("DELETE FROM log WHERE first = 151");
  expect(thrown(() => groups.of(200))).toMatchObject({
    code: "LOG_DAMAGED",
    message: expect.stringContaining("entry 200"),
  });
});

for (const change of ["json = '3'", "sum = sum + 1", "key = 'aa'", "tbl = 'tt'"]) {
  test(`a row of which somebody set ${change} is not given out, and the one beside it is`, () => {
    const { db, rows } = stored();
    db.run(`UPDATE row SET ${change} WHERE key = 'a'`);
    const [table, key] = [change.startsWith("tbl") ? "tt" : "t", change.startsWith("key") ? "aa" : "a"];
    const error = thrown(() => rows.get(table, key));
    expect(error).toMatchObject({ code: "LOG_DAMAGED", message: expect.stringContaining(`${table} "${key}"`) });
    expect(thrown(() => rows.range(table, undefined, 10))).toEqual(damage);
    expect(rows.get("t", "b")).toBe("2");
    expect(rows.range("t", "aa", 10).length).toBe(1);
  });
}

for (const [what, sql, why] of [
  ["lost a row", "DELETE FROM row WHERE key = 'a'", "it has 1 of 2 rows"],
  ["lost all rows", "DELETE FROM row", "it has 0 of 2 rows"],
  ["got back an older row, checksum and all", "older", "a row in it is not the one that was written"],
] as const) {
  test(`a table that ${what} is found where all of it is read`, () => {
    const { db, rows } = stored();
    const all = () => [...rows.all("t", () => {})];
    expect(all().length).toBe(2);
    if (sql !== "older") db.run(sql);
    else db.run("UPDATE row SET json = '0', sum = ? WHERE key = 'a'", [rowSum("t", "a", "0")]);
    expect(thrown(all)).toMatchObject({ code: "LOG_DAMAGED", message: expect.stringContaining(`the table t: ${why}`) });
  });
}

test("a blob with other content, and one whose count was changed, are said to be damaged", () => {
  const { db, blobs } = stored();
  const { name } = blobIn(entry);
  db.run("UPDATE blob SET refs = 7");
  expect(thrown(() => blobs.release(name))).toEqual(damage);
  db.run("UPDATE blob SET body = CAST(body || ' ' AS BLOB)");
  expect(thrown(() => blobs.get(name))).toMatchObject({ code: "LOG_DAMAGED", message: expect.stringContaining(name) });
});

for (const change of ["hashes = zeroblob(8192)", "hashes = x'00'", "sum = sum + 1", "id = 1"]) {
  test(`a tile of which somebody set ${change} gives no root and no proof`, () => {
    const { db, statements, groups, tree } = stored();
    db.run(`UPDATE tile SET ${change}`);
    for (const work of [
      () => tree.inclusion(5, 256),
      () => tree.leaves(0, 10),
      () => tree.consistency(5, 300),
      () => openTree(statements, groups, 300),
    ]) {
      expect(thrown(work)).toEqual(damage);
    }
    // What lies past the tile is in memory.
    expect(tree.leaves(256, 100).length).toBe(44 * 32);
  });
}

test("a value that was changed, and one that is gone, are said to be damaged", () => {
  const { db, statements } = stored();
  db.run("UPDATE meta SET value = 2 WHERE name = 'first'");
  expect(thrown(() => readMeta(statements, "first"))).toMatchObject({
    code: "LOG_DAMAGED",
    message: expect.stringContaining('"first"'),
  });
  db.run("DELETE FROM meta WHERE name = 'log'");
  expect(thrown(() => readMeta(statements, "log"))).toMatchObject({ message: expect.stringContaining("gone") });
});
