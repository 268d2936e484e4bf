// Reads the log file of a stopped node without changing a byte: not its epoch, not its version, and no file beside it.

import type { Database } from "bun:sqlite";
import { FaultError, fault } from "../fault/fault.ts";
import { parseNote, readCheckpoint } from "../log/checkpoint-file.ts";
import type { Restoration, StoredEntry } from "../log/log.ts";
import { headOf } from "../log/sqlite/damage/file-content.ts";
import { inspectFile } from "../log/sqlite/damage/file-inspection.ts";
import { damagedFile, locked, refusalOf } from "../log/sqlite/file-faults.ts";
import { findMeta, readMeta } from "../log/sqlite/meta.ts";
import { checkVersion, MIGRATIONS, pragma } from "../log/sqlite/migrations.ts";
import { isOpenHere, RawFile, stampOf } from "../log/sqlite/raw-file.ts";
import { openReadOnly, type ReadOnlyFile } from "../log/sqlite/read-only-file.ts";
import { SqliteBlobs } from "../log/sqlite/sqlite-blobs.ts";
import { SqliteGroups } from "../log/sqlite/sqlite-groups.ts";
import { SqliteRows } from "../log/sqlite/sqlite-rows.ts";
import { openTree } from "../log/sqlite/sqlite-tiles.ts";
import { finalize, prepare, type Statements } from "../log/sqlite/statements.ts";
import type { MerkleTree } from "../log/tree/merkle-tree.ts";
import { keyName } from "../notary/signer.ts";
import { type NodeKeyRow, nodeKeyTable } from "../pipeline/kernel-tables.ts";
import { formatCheckpoint } from "../proof/checkpoint.ts";
import { formatVerifierKey, type Signer, signNote } from "../proof/note.ts";
import { checkNotHeld, shareLog } from "./hold-log.ts";
import type { ReadableLog } from "./log-source.ts";

/** The log file of a stopped node, opened for reading. Dispose of it after use: it holds a lock. */
export class StoppedLog implements ReadableLog, Disposable {
  readonly id: string;
  readonly first: number;
  readonly head: number;
  /** `at` of the last entry. */
  readonly lastAt: number;
  readonly epoch: number;
  readonly restorations: readonly Restoration[];
  readonly tree: MerkleTree;
  readonly #path: string;
  readonly #raw: RawFile;
  #release: () => void = () => {};
  readonly #file: ReadOnlyFile;
  readonly #do: Statements;
  readonly #groups: SqliteGroups;
  readonly #blobs: SqliteBlobs;

  /** @throws FaultError LOG_LOCKED, LOG_NEWER, LOG_DAMAGED, LOG_UNAVAILABLE */
  constructor(path: string) {
    this.#path = path;
    if (isOpenHere(path)) throw locked(path);
    checkNotHeld(path);
    this.#raw = reading(path, () => new RawFile(path));
    try {
      const { wal, damaged, stamp } = reading(path, () => inspectFile(path, this.#raw));
      if (damaged.length > 0) throw damagedFile(path, damaged);
      // Locked only now, because the inspection opens and closes the file.
      this.#release = shareLog(path);
      if (stampOf(path) !== stamp) throw locked(path);
      this.#file = reading(path, () => openReadOnly(path, wal));
    } catch (thrown) {
      this.#raw.close();
      this.#release();
      throw thrown;
    }
    const { db } = this.#file;
    try {
      checkSigned(db, path);
      this.#do = prepare(db);
    } catch (thrown) {
      this.#close();
      throw thrown;
    }
    try {
      this.id = readMeta<string>(this.#do, "log");
      this.first = readMeta<number>(this.#do, "first");
      this.epoch = readMeta<number>(this.#do, "epoch");
      this.restorations = JSON.parse(readMeta<string>(this.#do, "restored")) as Restoration[];
      this.#groups = new SqliteGroups(this.#do);
      this.#blobs = new SqliteBlobs(this.#do);
      const { head, lastAt } = headOf(db);
      this.head = head;
      this.lastAt = lastAt;
      this.tree = openTree(this.#do, this.#groups, this.head);
    } catch (thrown) {
      this[Symbol.dispose]();
      throw thrown;
    }
  }

  read(from: number, { limit = 1000 }: { readonly limit?: number } = {}): readonly StoredEntry[] {
    const entries: StoredEntry[] = [];
    for (let seq = Math.max(from, this.first); seq <= this.head && entries.length < limit; ) {
      const { first, texts } = this.#groups.of(seq);
      for (; seq < first + texts.length && entries.length < limit; seq++) {
        entries.push({ seq, text: texts[seq - first] as string });
      }
    }
    return entries;
  }

  blob(name: string): string | undefined {
    return this.#blobs.get(name);
  }

  /** The verifier keys of all keys that it admits or ever admitted. */
  keys(): readonly string[] {
    return new SqliteRows(this.#do)
      .range(nodeKeyTable.name, undefined, Number.MAX_SAFE_INTEGER)
      .map(({ key, json }) => {
        const { node } = JSON.parse(json) as NodeKeyRow;
        return formatVerifierKey({ name: keyName(node), publicKey: Buffer.from(key, "base64url") });
      });
  }

  /** The checkpoint in it (a backup has one) or beside it; `undefined` where there is none of this log. */
  noted(): { readonly note: string; readonly size: number } | undefined {
    const inside = findMeta(this.#do.meta, "checkpoint");
    const found = inside === undefined ? readCheckpoint(this.#path) : parseNote(String(inside));
    if (found.kind !== "checkpoint" || found.checkpoint.log !== this.id) return undefined;
    return { note: found.note, size: found.checkpoint.size };
  }

  /** Signs a checkpoint of all of it, as the node would at its next start. */
  sign(signer: Signer, at: number): Promise<string> {
    const last = this.restorations.at(-1);
    const restored = last && { epoch: last.epoch, size: last.size, root: Buffer.from(last.root, "base64") };
    const text = formatCheckpoint({
      ...{ log: this.id, size: this.head, root: this.tree.root(), epoch: this.epoch, at },
      ...(restored === undefined ? {} : { restored }),
    });
    return signNote(text, signer);
  }

  [Symbol.dispose](): void {
    finalize(this.#do);
    this.#close();
  }

  #close(): void {
    this.#file.close();
    this.#raw.close();
    this.#release();
  }
}

/** A version 1 file has no tree to compare a backup with. @throws FaultError LOG_UNAVAILABLE for one, or LOG_NEWER, LOG_DAMAGED */
function checkSigned(db: Database, path: string): void {
  checkVersion(db, path);
  const version = pragma(db, "user_version");
  if (version === MIGRATIONS.length) return;
  if (version === 0) throw damagedFile(path, ["it is empty"]);
  const text = `the log ${path} is of version ${version}, from before logs were signed; start the node on it once, then try again`;
  throw new FaultError(fault("LOG_UNAVAILABLE", text, { path, version }));
}

/** The keys that the log of a stopped node admits; none where there is no log, or it cannot be read. */
export function keysAdmittedBy(path: string): readonly string[] {
  try {
    using log = new StoppedLog(path);
    return log.keys();
  } catch {
    return [];
  }
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw refusalOf(thrown, path);
  }
}
