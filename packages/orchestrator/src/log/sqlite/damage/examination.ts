// Examines a log's whole content, if its page sums do not prove it intact: what is damaged, and what is intact. file-content.ts
// compares the tree with the checkpoint.

import { type Database, SQLiteError } from "bun:sqlite";
import { MIGRATIONS, pragma } from "../migrations.ts";
import { type ContentProblem, checkContent, problemText } from "./content-check.ts";
import { checkSchema } from "./schema-check.ts";

export interface Examination {
  /** One line for each problem; empty where everything is intact. */
  readonly damaged: readonly string[];
  /** Whether all rows of all tables are intact. */
  readonly tables: boolean;
  /** Ranges of damaged or missing entries, in order. */
  readonly entries: readonly (readonly [first: number, last: number])[];
  /** Whether the entries could be read to the end. */
  readonly readable: boolean;
}

/** The most lines of SQLite's own check: one damaged page can cause many. */
const MOST_STRUCTURE = 10;

/** @param db a Capstan log of a known version */
export function examine(db: Database): Examination {
  const structure = [...checkStructure(db), ...checkSchema(db, pragma(db, "user_version"))];
  // Checksums came with version 2; in an older file there is nothing else to check.
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

/** A check that fails on an unexpected value counts as damage too. */
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
