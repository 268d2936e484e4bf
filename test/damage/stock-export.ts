// What stock SQLite says is in a file: the ground truth, which shares nothing with what is tested. It is the sqlite3 program
// where there is one, and else the library that comes with Bun, with its defaults.

import { Database } from "bun:sqlite";

const PROGRAM = Bun.which("sqlite3");
export const STOCK = PROGRAM === null ? "the library in Bun" : "the sqlite3 program";
const TABLES = ["sqlite_schema", "log", "row", "tile", "blob", "meta"];

/**
 * A digest of everything in every table, or the error that reading it ended with. SQLite may write the WAL back: give it a copy.
 */
export function stockExport(path: string): string {
  return PROGRAM === null ? libraryExport(path) : programExport(PROGRAM, path);
}

function programExport(program: string, path: string): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([program, path, ".dump"], { stdout: "pipe", stderr: "pipe" });
  return `${exitCode} ${stderr.toString().trim()} ${Bun.SHA256.hash(stdout, "hex")}`;
}

function libraryExport(path: string): string {
  const hash = new Bun.SHA256();
  try {
    using db = new Database(path);
    for (const table of TABLES) hash.update(JSON.stringify(db.query(`SELECT * FROM ${table} ORDER BY 1, 2`).all()));
  } catch (thrown) {
    hash.update(String(thrown));
  }
  return hash.digest("hex");
}
