import { Database } from "bun:sqlite";
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { APPLICATION_ID, checkVersion, MIGRATIONS, migrate, pragma } from "./migrations.ts";

let db = new Database(":memory:");
afterEach(() => {
  db.close();
  db = new Database(":memory:");
});

test("a new file is brought to the last version and marked as a log", () => {
  checkVersion(db, "log.db");
  migrate(db);
  expect(pragma(db, "user_version")).toBe(MIGRATIONS.length);
  expect(pragma(db, "application_id")).toBe(APPLICATION_ID);
  checkVersion(db, "log.db");
});

test("an older file gets only the steps that it lacks", () => {
  migrate(db);
  db.run("UPDATE meta SET value = 41 WHERE name = 'epoch'");
  migrate(db, [...MIGRATIONS, "UPDATE meta SET value = value + 1 WHERE name = 'epoch'"]);
  migrate(db, [...MIGRATIONS, "UPDATE meta SET value = value + 1 WHERE name = 'epoch'"]);
  expect(db.query("SELECT value FROM meta WHERE name = 'epoch'").get()).toEqual({ value: 42 });
  expect(pragma(db, "user_version")).toBe(MIGRATIONS.length + 1);
});

test("a step that fails leaves the file at the version before it", () => {
  migrate(db);
  expect(() => migrate(db, [...MIGRATIONS, "DROP TABLE meta; SELECT * FROM nothing"])).toThrow();
  expect(pragma(db, "user_version")).toBe(MIGRATIONS.length);
  expect(db.query("SELECT count(*) AS n FROM meta").get()).toEqual({ n: 6 });
});

test("a file of a later version is refused", () => {
  migrate(db, [...MIGRATIONS, "SELECT 1"]);
  expect(() => checkVersion(db, "log.db")).toThrow(/newer Capstan/);
});

test("docs/storage.md shows the schema as it is", async () => {
  migrate(db);
  const page = await Bun.file(join(import.meta.dir, "../../../../../docs/storage.md")).text();
  const documented = new Database(":memory:");
  for (const [, sql = ""] of page.matchAll(/^```sql\n(.*?)^```/gms)) documented.run(sql);
  expect(shapeOf(documented)).toEqual(shapeOf(db));
  expect(shapeOf(db)).toHaveLength(7);
  documented.close();
});

/** Tables with their columns, and indices. */
function shapeOf(of: Database) {
  const all = of.query("SELECT type, name, tbl_name FROM sqlite_schema ORDER BY type, name").all() as {
    name: string;
  }[];
  return all.map((one) => ({ ...one, columns: of.query(`PRAGMA table_xinfo(${one.name})`).all() }));
}
