// What an opening has to know about a log before it trusts it: the last entry, and whether the tree is consistent with the
// checkpoint beside the file. It changes nothing.

import type { Database } from "bun:sqlite";
import { createPublicKey, verify } from "node:crypto";
import { FaultError } from "../../../fault/fault.ts";
import { openNote } from "../../../proof/note.ts";
import { type CheckpointFile, contradiction } from "../../checkpoint-file.ts";
import { readMeta } from "../meta.ts";
import { SqliteGroups } from "../sqlite-groups.ts";
import { openTree } from "../sqlite-tiles.ts";
import { finalize, prepare } from "../statements.ts";

/** The number and time of the last entry, from its group; 0 where there is none. */
export function headOf(db: Database): { readonly head: number; readonly lastAt: number } {
  using latest = db.prepare<{ first: number; n: number; at: number }, []>(
    "SELECT first, n, at FROM log ORDER BY first DESC LIMIT 1",
  );
  const last = latest.get();
  return last === null ? { head: 0, lastAt: 0 } : { head: last.first + last.n - 1, lastAt: last.at };
}

/** How the log contradicts the checkpoint; `undefined` where it does not. */
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

/** The DER prefix before the 32 bytes of an ed25519 key (RFC 8410 §4). */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/**
 * Whether a key that the log admits signed the note; `true` where the log admits none yet. This does not establish trust in the key:
 * it only decides whether the checkpoint or the log was altered.
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
