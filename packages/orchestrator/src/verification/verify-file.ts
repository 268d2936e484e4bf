// Verifies a log by its file, while its node is stopped: the checksums of the file, the entries, the tables against the entries, and all of it against a
// signed checkpoint. It changes not a byte, copies nothing, and keeps a few bytes of each entry and row in memory.

import { existsSync } from "node:fs";
import { FaultError, fault } from "../fault/fault.ts";
import { proven } from "../fault/proof-fault.ts";
import { readCheckpoint } from "../log/checkpoint-file.ts";
import type { Restoration } from "../log/log.ts";
import { viewOf } from "../log/sqlite/damage/damaged-file.ts";
import { examine } from "../log/sqlite/damage/examination.ts";
import { locked, refusal, refusalOf } from "../log/sqlite/file-faults.ts";
import { checkVersion, MIGRATIONS, pragma } from "../log/sqlite/migrations.ts";
import { compareSums } from "../log/sqlite/page-sums.ts";
import { isOpenHere, RawFile, stampOf } from "../log/sqlite/raw-file.ts";
import { openReadOnly, type ReadOnlyFile } from "../log/sqlite/read-only-file.ts";
import { scanWal } from "../log/sqlite/wal-scan.ts";
import { timeOfId } from "../message/id.ts";
import { parseVerifierKey } from "../proof/note.ts";
import { type FoundCheckpoint, foundCheckpoint } from "./checkpoint-verdict.ts";
import { conclude, sizesOf } from "./conclusion.ts";
import { EntryVerifier } from "./entry-verifier.ts";
import { Problems } from "./problems.ts";
import { StoredFile } from "./stored-file.ts";
import type { Verification } from "./verification.ts";
import { verifyTables } from "./verify-tables.ts";
import { WitnessComparison, type WitnessedLog } from "./witnessed-log.ts";

/** What a log is verified against. */
export interface VerifyOptions {
  /** A checkpoint that the caller kept, as the text of its note. */
  readonly checkpoint?: string | undefined;
  /** What a witness has of the log: with it the first changed or missing entry can be named. */
  readonly witness?: WitnessedLog | undefined;
  /** Verifier keys that are trusted, as `node.pub` has one; by default those that the log itself names. */
  readonly keys?: readonly string[] | undefined;
  /** Called now and then with how many entries were checked. */
  readonly progress?: ((done: number, of: number) => void) | undefined;
}

/**
 * @param path the log's main file; its WAL and its checkpoint are looked for beside it
 * @throws FaultError LOG_LOCKED, LOG_NEWER, LOG_UNAVAILABLE, VERIFIER_KEY_INVALID; LOG_DAMAGED where it is no log at all
 */
export async function verifyLogFile(path: string, options: VerifyOptions = {}): Promise<Verification> {
  if (!existsSync(path)) throw refusal("LOG_UNAVAILABLE", path, `there is no file ${path}; name a log's file`);
  if (isOpenHere(path)) throw askServer(locked(path), path);
  await proven(() => options.keys?.map(parseVerifierKey));
  let raw: RawFile | undefined;
  let file: ReadOnlyFile | undefined;
  try {
    raw = new RawFile(path);
    const problems = new Problems();
    const stamp = stampOf(path);
    const wal = scanWal(path);
    const damage = wal.damage ?? compareSums(path, raw.fd, wal).damage;
    if (damage !== undefined) addLine(problems, damage);
    file = openReadOnly(path, damage === undefined ? wal : viewOf(path, raw, wal));
    const result = await verifyOpen(file, path, options, problems);
    // There is no lock where there is no WAL: a node may have started meanwhile.
    if (stampOf(path) !== stamp) throw locked(path);
    return result;
  } catch (thrown) {
    throw askServer(refusalOf(thrown, path), path);
  } finally {
    file?.close();
    raw?.close();
  }
}

async function verifyOpen(
  { db }: ReadOnlyFile,
  path: string,
  options: VerifyOptions,
  problems: Problems,
): Promise<Verification> {
  checkVersion(db, path);
  const version = pragma(db, "user_version");
  if (version < MIGRATIONS.length) {
    const text = `the log ${path} is of version ${version}, which has no tree to verify; start a node on it once (capstan serve)`;
    throw refusal("LOG_UNAVAILABLE", path, text);
  }
  for (const line of examine(db).damaged) addLine(problems, line);
  const stored = new StoredFile(db);
  const found = checkpointsOf(path, stored, options);
  const restorations = stored.restorations();
  const first = Number(stored.value("first") ?? 1);
  const witness = options.witness && new WitnessComparison(options.witness);
  const entries = new EntryVerifier({
    ...{ first, problems, sizes: sizesOf(found, restorations) },
    blob: (name) => stored.blob(name),
    saw: (entry, leaf) => witness?.saw(entry, leaf),
  });
  const of = Math.max(first - 1, ...sizesOf(found, restorations));
  const progress = (done: number): void => options.progress?.(done, Math.max(done, of));
  takeEntries(stored, entries, first, { problems, progress });
  entries.finish();
  const { rows, unproved } = verifyTables(stored, entries.replay, entries.forgotten, problems);
  checkRestorations(restorations, entries, problems);
  const log = stored.value("log");
  return conclude({
    ...{ entries, problems, found, keys: options.keys, first, restorations, rows, witness },
    ...{ log: typeof log === "string" ? log : undefined, epoch: Number(stored.value("epoch") ?? 0) },
    ...{ blobs: stored.blobs(), notes: unheldNotes(unproved) },
  });
}

function checkpointsOf(
  path: string,
  stored: StoredFile,
  { checkpoint, witness }: VerifyOptions,
): readonly FoundCheckpoint[] {
  const found: FoundCheckpoint[] = [];
  if (witness !== undefined) found.push(foundCheckpoint("of the witness", witness.checkpoint));
  if (checkpoint !== undefined) found.push(foundCheckpoint("given", checkpoint));
  const beside = readCheckpoint(path);
  if (beside.kind !== "none") found.push({ where: "beside the file", file: beside });
  const own = stored.value("checkpoint");
  if (typeof own === "string") found.push(foundCheckpoint("in the file", own));
  return found;
}

/** Checks that the log still begins with what was restored. */
function checkRestorations(restorations: readonly Restoration[], entries: EntryVerifier, problems: Problems): void {
  for (const { epoch, size, root } of restorations) {
    const is = entries.root(size);
    if (is === undefined || Buffer.from(is).toString("base64") !== root)
      problems.add(`entries 1 to ${size}`, `they are not those of the backup that was restored in epoch ${epoch}`);
  }
}

function takeEntries(
  stored: StoredFile,
  entries: EntryVerifier,
  first: number,
  { problems, progress }: { readonly problems: Problems; progress(done: number): void },
): void {
  for (let index = 0; index < first - 1; index++) entries.absent(stored.leaf(index));
  let next = first;
  for (const { texts, n, ...group } of stored.groups()) {
    progress(next - 1);
    // Missing entries: their leaves may be known, and then prove the entries after them.
    for (; next < group.first; next++) entries.absent(stored.leaf(next - 1));
    if (group.first !== next || texts.length !== n) {
      // Reported already by the check of the groups.
      for (; next < group.first + texts.length; next++) entries.absent(stored.leaf(next - 1));
      continue;
    }
    const headers = texts.map((text) => entries.entry(next++, text)?.header);
    if (headers.includes(undefined)) continue;
    const at = headers.at(-1)?.at ?? 0;
    const born = Math.min(at, ...headers.map((header) => timeOfId(header?.id ?? "") ?? at));
    if (at !== group.at || born !== group.born) {
      const where = n === 1 ? `entry ${group.first}` : `entries ${group.first} to ${next - 1}`;
      problems.add(where, "their group is of another time than they are: they cannot be found by their ids");
    }
  }
}

function unheldNotes(rows: number): string[] {
  if (rows === 0) return [];
  return [
    `${rows === 1 ? "1 row" : `${rows} rows`} could not be held against the entries, because what wrote them is gone`,
  ];
}

/** A line of the form "entries 880 to 912: the checksum does not fit". */
function addLine(problems: Problems, line: string): void {
  const at = line.indexOf(": ");
  if (at < 0) problems.add("the file", line);
  else problems.add(line.slice(0, at), line.slice(at + 2));
}

function askServer(thrown: unknown, path: string): unknown {
  if (!(thrown instanceof FaultError)) return thrown;
  if (thrown.code !== "LOG_LOCKED") return thrown;
  const todo = "ask the server instead (capstan log verify without a file), or stop it first";
  return new FaultError(fault("LOG_LOCKED", `the log ${path} is in use; ${todo}`, thrown.details));
}
