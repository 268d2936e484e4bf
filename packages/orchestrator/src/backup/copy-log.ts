// One pass over a source: everything up to a signed checkpoint, each part held against its digest, each header against the
// root. It writes into an import that its caller keeps or discards.

import { setImmediate as otherWork } from "node:timers/promises";
import { FaultError, fault } from "../fault/fault.ts";
import type { Blob, RowChange } from "../log/log.ts";
import { PART_NAMES } from "../log/part.ts";
import { trimmable } from "../log/sqlite/trim.ts";
import { erasureTable, numberKey } from "../pipeline/kernel-tables.ts";
import type { Checkpoint } from "../proof/checkpoint.ts";
import { type CheckedEntry, checkEntry, contentName, type PartLetter } from "../proof/entry-check.ts";
import { equal, HASH_BYTES } from "../proof/merkle.ts";
import { ProofError } from "../proof/proof-error.ts";
import type { BackupSource, ExportedEntry, ExportPage } from "./backup-source.ts";
import type { ImportedEntry, LogImport } from "./log-import.ts";

/** The log was compacted, or parts of it were erased, while it was read: begin again, with a newer checkpoint. */
export class MovedOn extends Error {}

export interface Pass {
  readonly source: BackupSource;
  /** How far to go. Who signed it, the caller asks. */
  readonly checkpoint: Checkpoint;
  readonly into: LogImport;
  /** Told of entries as they come. */
  readonly progress: (done: number, of: number) => void;
  readonly signal: AbortSignal | undefined;
}

/** Answers the number of the oldest entry. @throws MovedOn, FaultError LOG_DAMAGED, and what the source throws */
export async function copyLog(pass: Pass): Promise<number> {
  const { source, checkpoint, into, progress, signal } = pass;
  const { size } = checkpoint;
  const gone: Gone[] = [];
  const first = await unlessAborted(signal, source.first());
  // Compacted since it was signed, and further than a log of that size can be.
  if (first > trimmable(size)) throw new MovedOn();
  await copyLeaves(pass, first - 1);
  while (into.size < size) {
    const page = await unlessAborted(signal, nextPage(source, into.size + 1));
    if (page.entries.length === 0) throw notAsSigned(`entry ${into.size + 1} of ${size} is gone`);
    gone.push(...addPage(into, page, size));
    progress(into.size, size);
    // A source that is a file answers at once: whoever wants this to stop has to come to say so.
    await otherWork();
  }
  if (gone.some((one) => !isAccounted(into, one))) throw new MovedOn();
  if (equal(into.root(), checkpoint.root)) return first;
  throw notAsSigned(`the root of its first ${size} entries is another`);
}

/** A source that does not answer is not waited for. @throws what the signal was aborted with */
async function unlessAborted<T>(signal: AbortSignal | undefined, asked: Promise<T>): Promise<T> {
  if (signal === undefined) return asked;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    signal.throwIfAborted();
    return await Promise.race([asked, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
    asked.catch(() => {});
  }
}

async function nextPage(source: BackupSource, from: number): Promise<ExportPage> {
  try {
    return await source.entries(from);
  } catch (thrown) {
    if (thrown instanceof FaultError && thrown.code === "HISTORY_GONE") throw new MovedOn();
    throw thrown;
  }
}

/** The leaves of entries that were compacted away. */
async function copyLeaves({ source, into, signal }: Pass, count: number): Promise<void> {
  while (into.size < count) {
    const hashes = await unlessAborted(signal, source.leaves(into.size, count - into.size));
    if (hashes.length === 0 || hashes.length % HASH_BYTES !== 0) throw notAsSigned("leaves of its tree are missing");
    for (let at = 0; at < hashes.length && into.size < count; at += HASH_BYTES) {
      into.addLeaf(hashes.subarray(at, at + HASH_BYTES));
    }
  }
}

/** Parts of an entry that are not there. */
interface Gone {
  readonly entry: number;
  readonly parts: readonly PartLetter[];
}

/** Whether the copied entries say that the parts were erased: an erasure that came since is not among them. */
function isAccounted(into: LogImport, { entry, parts }: Gone): boolean {
  const erased = into.row(erasureTable, numberKey(entry));
  return parts.every((part) => erased?.[PART_NAMES[part]] !== undefined);
}

/** Answers what is gone of its entries. */
function addPage(into: LogImport, { entries, blobs }: ExportPage, size: number): readonly Gone[] {
  const content = new Map<string, Blob>();
  for (const blob of blobs) {
    if (contentName(blob.text) !== blob.name) throw notAsSigned(`the content of ${blob.name} has another digest`);
    content.set(blob.name, blob);
  }
  const group: ImportedEntry[] = [];
  const gone: Gone[] = [];
  for (const exported of entries) {
    const next = into.size + group.length + 1;
    if (next > size) break;
    if (exported.entry !== next) throw notAsSigned(`entry ${next} is gone`);
    const checked = checkedEntry(exported);
    if (checked.erased.length > 0) gone.push({ entry: next, parts: checked.erased });
    const entry = importedEntry(exported.text, checked, content);
    if (entry.at < (group.at(-1)?.at ?? into.lastAt))
      throw notAsSigned(`entry ${next} is older than the one before it`);
    group.push(entry);
  }
  into.addGroup(group);
  return gone;
}

function checkedEntry({ entry, text }: ExportedEntry): CheckedEntry {
  try {
    return checkEntry(text);
  } catch (thrown) {
    if (!(thrown instanceof ProofError)) throw thrown;
    throw notAsSigned(`entry ${entry}: ${thrown.message}`);
  }
}

/** @throws MovedOn where content that it names is not there */
export function importedEntry(text: string, checked: CheckedEntry, content: ReadonlyMap<string, Blob>): ImportedEntry {
  const { id, at } = checked.header;
  const blobs = checked.parts.flatMap((part) => {
    if (part.kind === "inline") return [];
    const blob = content.get(part.name);
    // The part was erased since the entry was read.
    if (blob === undefined) throw new MovedOn();
    return [blob];
  });
  return { id, at, text, rows: rowsOf(checked, content), blobs };
}

type RecordedRow = readonly [table: string, key: string, row?: unknown];

/** What the entry wrote. */
function rowsOf({ parts }: CheckedEntry, content: ReadonlyMap<string, Blob>): readonly RowChange[] {
  const part = parts.find(({ letter }) => letter === "r");
  if (part === undefined) return [];
  const json = part.kind === "inline" ? part.json : (content.get(part.name) as Blob).text;
  return (JSON.parse(json) as RecordedRow[]).map(([table, key, ...row]) => ({
    ...{ table, key },
    // A row is stored as it is serialised, and so is the same again once it was parsed.
    json: row.length === 0 ? undefined : JSON.stringify(row[0]),
  }));
}

function notAsSigned(why: string): FaultError {
  return new FaultError(fault("LOG_DAMAGED", `what was read is not the log that was signed: ${why}; nothing was kept`));
}
