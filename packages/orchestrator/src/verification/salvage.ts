// Salvages a damaged log: copies its entries before the first damage into a new file, and recomputes the tables
// from them. The damaged file is not changed. The new file is the same log (same id), only shorter.

import { existsSync } from "node:fs";
import { importedEntry } from "../backup/copy-log.ts";
import { type ImportedEntry, LogImport } from "../backup/log-import.ts";
import { type CheckpointFile, parseNote, readCheckpoint } from "../log/checkpoint-file.ts";
import type { Blob } from "../log/log.ts";
import { makeLogId } from "../log/log-id.ts";
import { viewOf } from "../log/sqlite/damage/damaged-file.ts";
import { locked, refusal, refusalOf } from "../log/sqlite/file-faults.ts";
import { checkVersion, MIGRATIONS, pragma } from "../log/sqlite/migrations.ts";
import { compareSums } from "../log/sqlite/page-sums.ts";
import { isOpenHere, RawFile } from "../log/sqlite/raw-file.ts";
import { openReadOnly, type ReadOnlyFile } from "../log/sqlite/read-only-file.ts";
import { scanWal } from "../log/sqlite/wal-scan.ts";
import { checkEntry, contentName } from "../proof/entry-check.ts";
import { CompactRange, equal, leafHash } from "../proof/merkle.ts";
import { ProofError } from "../proof/proof-error.ts";
import { StoredFile, type StoredTexts } from "./stored-file.ts";

/** The result of a salvage. */
export interface Salvaged {
  /** Entries that are in the new file, from `first` to `last`. */
  readonly first: number;
  readonly last: number;
  /** The number of entries that the log had, as far as can be told. */
  readonly of: number;
  /** The first damaged entry, and its damage; `undefined` where every entry was saved. */
  readonly stopped?: string;
  /** How many saved entries a checkpoint covers, which is in the new file too; 0 without one. */
  readonly covered: number;
  /** The size of a checkpoint whose entries were all saved but have another root: some were altered, and nothing tells which. */
  readonly contradicted?: number;
}

type Progress = (done: number, of: number) => void;

/**
 * @param out a file that does not exist yet
 * @param progress called now and then with how many entries were read
 * @throws FaultError LOG_LOCKED, LOG_NEWER, LOG_UNAVAILABLE; LOG_DAMAGED where nothing can be saved; EEXIST
 */
export function salvageLog(path: string, out: string, progress: Progress = () => {}): Salvaged {
  if (!existsSync(path)) throw refusal("LOG_UNAVAILABLE", path, `there is no file ${path}; name a log's file`);
  if (isOpenHere(path)) throw locked(path);
  let raw: RawFile | undefined;
  let file: ReadOnlyFile | undefined;
  try {
    raw = new RawFile(path);
    const wal = scanWal(path);
    const damage = wal.damage ?? compareSums(path, raw.fd, wal).damage;
    file = openReadOnly(path, damage === undefined ? wal : viewOf(path, raw, wal));
    checkVersion(file.db, path);
    if (pragma(file.db, "user_version") < MIGRATIONS.length)
      throw refusal(
        "LOG_DAMAGED",
        path,
        `the log ${path} is of an older version, of which no entry can be told to be whole`,
      );
    return save(path, new StoredFile(file.db), { out, damage, progress });
  } catch (thrown) {
    throw refusalOf(thrown, path);
  } finally {
    file?.close();
    raw?.close();
  }
}

interface Saving {
  readonly out: string;
  readonly damage: string | undefined;
  readonly progress: Progress;
}

function save(path: string, stored: StoredFile, { out, damage, progress }: Saving): Salvaged {
  const into = new LogImport(out);
  try {
    const first = Number(stored.value("first") ?? 1);
    const known = checkpointsOf(path, stored);
    const sizes = new Set(known.map(({ checkpoint }) => checkpoint.size));
    const copied = copyEntries(stored, into, first, { sizes, progress });
    if (into.size < first)
      throw refusal("LOG_DAMAGED", path, `nothing of ${path} can be saved: ${copied.stopped ?? "it is empty"}`);
    const reached = known.filter(({ checkpoint }) => copied.roots.has(checkpoint.size));
    const fits = ({ checkpoint }: Noted): boolean =>
      equal(copied.roots.get(checkpoint.size) as Uint8Array, checkpoint.root);
    const covering = reached.filter(fits).sort((a, b) => b.checkpoint.size - a.checkpoint.size)[0];
    const contradicted = reached.find((one) => !fits(one))?.checkpoint.size;
    const id = stored.value("log");
    into.finish({
      id: typeof id === "string" ? id : (known[0]?.checkpoint.log ?? makeLogId()),
      epoch: Math.max(Number(stored.value("epoch") ?? 0), ...known.map(({ checkpoint }) => checkpoint.epoch)),
      restorations: stored.restorations(),
      ...(covering === undefined ? {} : { checkpoint: covering.note }),
    });
    const last = into.size;
    const of = Math.max(last, copied.seen, ...known.map(({ checkpoint }) => checkpoint.size));
    const stopped = of > last ? (copied.stopped ?? damage ?? `entry ${last + 1} is gone`) : undefined;
    return {
      ...{ first, last, of, covered: covering?.checkpoint.size ?? 0 },
      ...(stopped === undefined ? {} : { stopped }),
      ...(contradicted === undefined ? {} : { contradicted }),
    };
  } catch (thrown) {
    into.discard();
    throw thrown;
  }
}

interface Copied {
  /** The last entry of which any trace was found. */
  readonly seen: number;
  readonly stopped: string | undefined;
  /** Roots by size of the tree, as far as entries were copied. */
  readonly roots: ReadonlyMap<number, Uint8Array>;
}

function copyEntries(
  stored: StoredFile,
  into: LogImport,
  first: number,
  { sizes, progress }: { readonly sizes: ReadonlySet<number>; readonly progress: Progress },
): Copied {
  const of = Math.max(0, ...sizes);
  const roots = new Map<number, Uint8Array>();
  const tree = new CompactRange();
  const grown = (leaf: Uint8Array): void => {
    tree.append(leaf);
    if (sizes.has(tree.size)) roots.set(tree.size, tree.root());
  };
  for (let index = 0; index < first - 1; index++) {
    const leaf = stored.leaf(index);
    if (leaf === undefined) return { seen: 0, stopped: `the leaf of entry ${index + 1} is gone`, roots };
    into.addLeaf(leaf);
    grown(leaf);
  }
  let seen = first - 1;
  let stopped: string | undefined;
  for (const group of stored.groups()) {
    seen = Math.max(seen, group.first + group.texts.length - 1);
    progress(seen, Math.max(seen, of));
    if (stopped === undefined) stopped = copyGroup(stored, into, group, grown);
  }
  return { seen, stopped, roots };
}

/** Copies a group's entries. Returns why it stopped before the group's end. */
function copyGroup(
  stored: StoredFile,
  into: LogImport,
  group: StoredTexts,
  grown: (leaf: Uint8Array) => void,
): string | undefined {
  if (group.first !== into.size + 1) return `entry ${into.size + 1} is gone`;
  const whole: ImportedEntry[] = [];
  let stopped: string | undefined;
  for (const [i, text] of group.texts.entries()) {
    const entry = wholeEntry(stored, text, whole.at(-1)?.at ?? into.lastAt);
    if (typeof entry === "string") {
      stopped = `entry ${group.first + i}: ${entry}`;
      break;
    }
    whole.push(entry);
    grown(leafHash(text.split("\n", 1)[0] as string));
  }
  into.addGroup(whole);
  return stopped ?? (group.n === group.texts.length ? undefined : `entry ${into.size + 1} is gone`);
}

/** The entry with the blobs that it names, or why it is damaged. */
function wholeEntry(stored: StoredFile, text: string, lastAt: number): ImportedEntry | string {
  try {
    const checked = checkEntry(text);
    if (checked.header.at < lastAt) return "it is of before the entry before it";
    const content = new Map<string, Blob>();
    for (const part of checked.parts) {
      if (part.kind === "inline") continue;
      const json = stored.blob(part.name);
      if (json === undefined) return `the content of its part ${part.letter} is gone`;
      if (contentName(json) !== part.name) return `the content of its part ${part.letter} is not what it was`;
      content.set(part.name, { name: part.name, text: json });
    }
    return importedEntry(text, checked, content);
  } catch (thrown) {
    if (thrown instanceof ProofError || thrown instanceof SyntaxError) return thrown.message;
    throw thrown;
  }
}

type Noted = Extract<CheckpointFile, { kind: "checkpoint" }>;

/** The readable checkpoints: beside the file, and inside a backup. */
function checkpointsOf(path: string, stored: StoredFile): readonly Noted[] {
  const own = stored.value("checkpoint");
  const all = [readCheckpoint(path), ...(typeof own === "string" ? [parseNote(own)] : [])];
  return all.flatMap((one) => (one.kind === "checkpoint" ? [one] : []));
}
