// What a log shows to somebody who trusts nothing of it: for tests that alter one. Proofs are verified by proof/; the tables are
// made again of the entries' rows, by nothing of the kernel's.

import { expect } from "bun:test";
import type { Log } from "../log/log.ts";
import type { Notary } from "../notary/notary.ts";
import { type CheckpointKey, verifyCheckpoint } from "../proof/checkpoint.ts";
import { checkEntry, contentName } from "../proof/entry-check.ts";
import { verifyInclusion } from "../proof/merkle.ts";
import { parseVerifierKey } from "../proof/note.ts";

async function* entriesOf(log: Log) {
  for (let from = log.first; from <= log.head; ) {
    const page = await log.read(from, { limit: 500 });
    yield* page;
    from = (page.at(-1)?.seq ?? log.head) + 1;
  }
}

/**
 * Verifies every entry that is kept against a signed checkpoint: its parts against its header, its header against the root.
 * Answers which parts were erased, as `12 b`.
 */
export async function provenEntries(
  { log, notary }: { readonly log: Log; readonly notary: Notary },
  keys?: readonly CheckpointKey[],
): Promise<string[]> {
  const trusted = keys ?? [parseVerifierKey(await notary.verifierKey())];
  const { size, root, log: id } = await verifyCheckpoint(await notary.checkpoint(), trusted);
  expect([id, size]).toEqual([log.id, log.head]);
  const gone: string[] = [];
  let next = log.first;
  for await (const { seq, text } of entriesOf(log)) {
    expect(seq).toBe(next++);
    const { leaf, parts, erased } = checkEntry(text);
    const proof = await log.tree.inclusion(seq - 1, size);
    expect(verifyInclusion({ index: seq - 1, size, leaf, proof, root })).toBe(true);
    for (const part of parts) {
      if (part.kind === "blob") expect(contentName((await log.blob(part.name)) ?? "")).toBe(part.name);
    }
    gone.push(...erased.map((letter) => `${seq} ${letter}`));
  }
  expect(next).toBe(size + 1);
  return gone;
}

type Rows = Readonly<Record<string, string>>;

/** Every row as the kept entries make it. */
export async function replayedRows(log: Log): Promise<Rows> {
  const rows = new Map<string, string>();
  for await (const { text } of entriesOf(log)) {
    const part = checkEntry(text).parts.find(({ letter }) => letter === "r");
    if (part === undefined) continue;
    const json = part.kind === "inline" ? part.json : ((await log.blob(part.name)) as string);
    for (const [table, key, ...row] of JSON.parse(json) as [string, string, unknown?][]) {
      if (row.length === 0) rows.delete(`${table} ${key}`);
      else rows.set(`${table} ${key}`, JSON.stringify(row[0]));
    }
  }
  return sorted(rows);
}

/** Every row as it is stored. */
export async function storedRows(log: Log, tables: readonly string[]): Promise<Rows> {
  const rows = new Map<string, string>();
  for (const table of tables) {
    for (const { key, json } of await log.rows(table, { limit: 1_000_000 })) rows.set(`${table} ${key}`, json);
  }
  return sorted(rows);
}

function sorted(rows: ReadonlyMap<string, string>): Rows {
  return Object.fromEntries([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
}
