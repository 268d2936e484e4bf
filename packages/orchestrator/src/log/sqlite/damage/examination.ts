// A log's content looked at as a whole, where its pages' sums do not vouch for it: what is damaged, and what of it is whole. The
// tree against the checkpoint is looked at elsewhere.

import { type Database, SQLiteError } from "bun:sqlite";
import { MIGRATIONS, pragma } from "../migrations.ts";
import { type ContentProblem, checkContent, problemText } from "./content-check.ts";
import { checkSchema } from "./schema-check.ts";

export interface Examination {
  /** One line each; empty where all is whole. */
  readonly damaged: readonly string[];
  /** Whether every row of every table is as it was written. */
  readonly tables: boolean;
  /** Entries that are damaged or gone, first and last, in order. */
  readonly entries: readonly (readonly [first: number, last: number])[];
  /** Whether the entries could be read to the end. */
  readonly readable: boolean;
}

/** Lines of SQLite's own check: where one page is damaged, many can follow. */
const MOST_STRUCTURE = 10;

/** @param db a file of ours, of a version that we know */
export function examine(db: Database): Examination {
  const structure = [...checkStructure(db), ...checkSchema(db, pragma(db, "user_version"))];
  // Checksums came with version 2; before it there is no more to hold the content to.
  const content = pragma(db, "user_version") < MIGRATIONS.length ? [] : contentOf(db);
  return {
    damaged: [...structure, ...content.map(problemText)],
    tables: !content.some(ofTables),
    entries: content.flatMap((one) => (one.kind === "entries" ? [[one.first, one.last] as const] : [])),
    readable: !content.some(({ kind }) => kind === "storage"),
  };
}

function ofTables(problem: ContentProblem): boolean {
  return problem.kind === "row" || problem.kind === "table" || problem.kind === "storage" || isTables(problem);
}

function isTables(problem: ContentProblem): boolean {
  return problem.kind === "value" && problem.name === "tables";
}

function checkStructure(db: Database): string[] {
  try {
    using check = db.prepare<{ integrity_check: string }, []>(`PRAGMA integrity_check(${MOST_STRUCTURE})`);
    const lines = check.all().map((row) => row.integrity_check);
    return lines.length === 1 && lines[0] === "ok" ? [] : lines.map((line) => `the file's pages: ${oneLine(line)}`);
  } catch (thrown) {
    if (!(thrown instanceof SQLiteError)) throw thrown;
    return [`the file's pages: ${oneLine(thrown.message)}`];
  }
}

/** A damaged number or text may be anything that no check expects, and so is damage too. */
function contentOf(db: Database): readonly ContentProblem[] {
  try {
    return checkContent(db);
  } catch (thrown) {
    const why = thrown instanceof Error ? oneLine(thrown.message) : String(thrown);
    return [{ kind: "storage", what: "the content", why }];
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, "; ");
}
