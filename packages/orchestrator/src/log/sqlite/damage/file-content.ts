// Few things of a log's file that an opening has to know before it trusts it: where it ends, and whether its tree is that of the
// checkpoint beside it. It reads and changes nothing.

import type { Database } from "bun:sqlite";
import { createPublicKey, verify } from "node:crypto";
import { FaultError } from "../../../fault/fault.ts";
import { openNote } from "../../../proof/note.ts";
import { type CheckpointFile, contradiction } from "../../checkpoint-file.ts";
import { readMeta } from "../meta.ts";
import { SqliteGroups } from "../sqlite-groups.ts";
import { openTree } from "../sqlite-tiles.ts";
import { finalize, prepare } from "../statements.ts";

/** The last entry, as its group has it; 0 where there is none. */
export function headOf(db: Database): { readonly head: number; readonly lastAt: number } {
  using latest = db.prepare<{ first: number; n: number; at: number }, []>(
    "SELECT first, n, at FROM log ORDER BY first DESC LIMIT 1",
  );
  const last = latest.get();
  return last === null ? { head: 0, lastAt: 0 } : { head: last.first + last.n - 1, lastAt: last.at };
}

/** In which way the log is not that of the checkpoint; `undefined` where it is. */
export function contradictionOf(db: Database, file: CheckpointFile): string | undefined {
  if (file.kind !== "checkpoint") return undefined;
  const statements = prepare(db);
  try {
    const { head } = headOf(db);
    const tree = openTree(statements, new SqliteGroups(statements), head);
    const id = readMeta<string>(statements, "log");
    return contradiction(file.checkpoint, { id, size: head, root: (size) => tree.root(size) });
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return thrown.message;
  } finally {
    finalize(statements);
  }
}

/** What precedes an ed25519 key of 32 bytes in its DER form (RFC 8410 §4). */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/**
 * Whether a key that the log admits signed the note; also where the log admits none yet. Whether the key is to be trusted is
 * not asked here: only whether it is the checkpoint that was altered, or the log.
 */
export function signedByOwn(db: Database, note: string): boolean {
  using admitted = db.prepare<{ key: string }, []>("SELECT key FROM row WHERE tbl = 'nodeKey'");
  const keys = admitted.all().map(({ key }) => Buffer.from(key, "base64url"));
  if (keys.length === 0) return true;
  const { text, signatures } = openNote(note);
  const bytes = Buffer.from(text);
  return keys
    .filter(({ length }) => length === 32)
    .map((key) => createPublicKey({ key: Buffer.concat([SPKI, key]), format: "der", type: "spki" }))
    .some((key) => signatures.some(({ signature }) => verify(null, bytes, key, signature)));
}
