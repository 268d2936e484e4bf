// Checks that a file's tables and indexes are those of its version's migrations: with an altered schema, SQLite would
// interpret the same bytes differently.

import { Database } from "bun:sqlite";
import { MIGRATIONS, migrate } from "../migrations.ts";

/** One line for each difference. @param version a known version */
export function checkSchema(db: Database, version: number): string[] {
  using fresh = new Database(":memory:");
  migrate(fresh, MIGRATIONS.slice(0, version));
  const [is, was] = [schemaOf(db), schemaOf(fresh)];
  const wrong: string[] = [];
  for (const [name, sql] of was)
    if (is.get(name) !== sql) wrong.push(`the ${name}: it is not as version ${version} makes it`);
  for (const name of is.keys()) if (!was.has(name)) wrong.push(`the ${name}: it is none of a log's`);
  return wrong;
}

function schemaOf(db: Database): ReadonlyMap<string, string | null> {
  using schema = db.prepare<{ type: string; name: string; tbl_name: string; sql: string | null }, []>(
    "SELECT type, name, tbl_name, sql FROM sqlite_schema",
  );
  return new Map(schema.all().map(({ type, name, tbl_name, sql }) => [`${type} ${name} of ${tbl_name}`, sql]));
}
