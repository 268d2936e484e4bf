// Verifies stored entries one after another: the form of each, its parts, the order of times, unique ids; and computes from them the tree, the tables
// and the keys. It does no I/O, and keeps a few bytes of each entry.

import { PART_NAMES } from "../log/part.ts";
import { type ErasureRow, erasureTable, type NodeKeyRow, nodeKeyTable } from "../pipeline/kernel-tables.ts";
import { type CheckedEntry, checkEntry, contentName, type EntryPart, type PartLetter } from "../proof/entry-check.ts";
import { CompactRange, leafHash } from "../proof/merkle.ts";
import { ProofError } from "../proof/proof-error.ts";
import { GoneParts } from "./gone-parts.ts";
import { Hasher64 } from "./hash64.ts";
import { KeyHistory } from "./key-history.ts";
import { Map64 } from "./map64.ts";
import { type Problems, RESTORE } from "./problems.ts";
import { type RecordedRow, Replay } from "./replay.ts";

export interface EntryVerifierParts {
  /** The oldest entry that is kept; of those before it there are only leaves. */
  readonly first: number;
  /** Sizes of the tree for which the root is wanted. */
  readonly sizes: Iterable<number>;
  /** Content that is kept beside the entries. */
  blob(name: string): string | undefined;
  readonly problems: Problems;
  /** Called with each leaf, by its entry's number. */
  saw?(entry: number, leaf: Uint8Array): void;
}

/** Messages whose entries change what is expected of other entries or keys. */
const [COMPACT, TRIMMED, ROTATED] = ["log.compact", "log.trimmed", "key.rotated"];
const LETTERS = Object.keys(PART_NAMES) as PartLetter[];
const TAMPERED =
  "somebody changed it after it was logged; hold it against a backup, and find out who can write the file";

export class EntryVerifier {
  readonly keys = new KeyHistory();
  readonly gone = new GoneParts();
  readonly replay: Replay;
  readonly #parts: EntryVerifierParts;
  readonly #tree = new CompactRange();
  readonly #roots = new Map<number, Uint8Array>();
  readonly #sizes: ReadonlySet<number>;
  readonly #hasher = new Hasher64();
  readonly #ids = new Map64();
  #entries = 0;
  #lastAt = 0;
  #forgotten = 1;
  /** The first entry that says that earlier ones were compacted away. */
  #forgottenBy: number | undefined;
  #leaves = 0;
  /** A leaf is unknown: no root is known from there on. */
  #broken = false;

  constructor(parts: EntryVerifierParts) {
    this.#parts = parts;
    this.#sizes = new Set(parts.sizes);
    this.replay = new Replay(parts.first === 1);
    this.#reached();
  }

  /** Entries that were there to be checked. */
  get entries(): number {
    return this.#entries;
  }

  /** By what the entries say, those before this one were compacted away. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** How many leaves there were. */
  get leaves(): number {
    return this.#leaves;
  }

  /** The root over the first `size` leaves, one of the sizes asked for; `undefined` where a leaf is missing. */
  root(size: number): Uint8Array | undefined {
    return this.#roots.get(size);
  }

  /** The root over all leaves that are known. */
  rootNow(): Uint8Array {
    return this.#tree.root();
  }

  /** An entry is missing: there is only its leaf's hash, or not even that. */
  absent(leaf: Uint8Array | undefined): void {
    if (leaf !== undefined) this.#append(leaf);
    else {
      this.#leaves++;
      this.#broken = true;
    }
  }

  /** Verifies an entry. Answers it where it is well-formed. */
  entry(seq: number, text: string): CheckedEntry | undefined {
    this.#entries++;
    const checked = this.#checked(seq, text);
    this.#append(checked?.leaf ?? leafHash(text.split("\n", 1)[0] as string));
    if (checked === undefined) return undefined;
    const { header, parts, erased } = checked;
    if (header.at < this.#lastAt) this.#problem(seq, "it is of before the entry before it");
    this.#lastAt = Math.max(this.#lastAt, header.at);
    this.#checkId(seq, header.id);
    this.gone.found(seq, erased);
    for (const part of parts) this.#checkContent(seq, part);
    this.#takeRows(seq, checked);
    if (header.verdict === "done") this.#takeMeaning(seq, checked);
    return checked;
  }

  /** The checks that need all entries. */
  finish(): void {
    const { first, problems } = this.#parts;
    if (first > this.#forgotten) {
      problems.add(
        `entries ${this.#forgotten} to ${first - 1}`,
        "they are gone, and no compaction that is in the log took them",
        TAMPERED,
      );
    }
    for (const [entry, parts] of this.gone.unaccounted()) {
      problems.add(
        `entry ${entry}`,
        `of its parts ${parts.join(", ")} is gone, and no entry says that it was redacted`,
        TAMPERED,
      );
    }
  }

  /** Checks that erasures are recorded in proved entries: an attacker could add a record at the unproved end. */
  checkAccounts(proved: number): void {
    const { first, problems } = this.#parts;
    const unproved = (by: number): string => `gone by what entry ${by} says, which nothing proves yet`;
    const todo = "start the node, which signs that entry as well; if it does not verify then, restore a backup";
    if (first > 1 && this.#forgottenBy !== undefined && this.#forgottenBy > proved)
      problems.add(`entries 1 to ${first - 1}`, unproved(this.#forgottenBy), todo);
    for (const [entry, by] of this.gone.accountedAfter(proved))
      problems.add(`entry ${entry}`, `of its parts some are ${unproved(by)}`, todo);
  }

  #append(leaf: Uint8Array): void {
    this.#leaves++;
    this.#parts.saw?.(this.#leaves, leaf);
    if (this.#broken) return;
    this.#tree.append(leaf);
    this.#reached();
  }

  #reached(): void {
    if (this.#sizes.has(this.#tree.size)) this.#roots.set(this.#tree.size, this.#tree.root());
  }

  #checked(seq: number, text: string): CheckedEntry | undefined {
    try {
      return checkEntry(text);
    } catch (thrown) {
      if (!(thrown instanceof ProofError)) throw thrown;
      this.#problem(seq, thrown.message, TAMPERED);
      return undefined;
    }
  }

  #checkId(seq: number, id: string): void {
    const name = this.#hasher.of(id);
    const before = this.#ids.get(name);
    if (before !== undefined) this.#problem(seq, `its id ${id} is that of entry ${before.low}`, TAMPERED);
    this.#ids.set(name, { high: 0, low: seq });
  }

  #checkContent(seq: number, part: EntryPart): void {
    if (part.kind !== "blob") return;
    const content = this.#parts.blob(part.name);
    if (content === undefined) this.#problem(seq, `the content of its part ${part.letter}, ${part.name}, is gone`);
    else if (contentName(content) !== part.name)
      this.#problem(seq, `the content of its part ${part.letter} is not ${part.name}`);
  }

  #takeRows(seq: number, { header, parts, erased }: CheckedEntry): void {
    if (erased.includes("r")) this.replay.lose(seq);
    const rows = this.#valueOf(seq, parts, "r");
    if (rows === undefined) return;
    if (!Array.isArray(rows) || !rows.every(isRow)) {
      this.#problem(seq, "its rows are not of the form that rows have");
      return;
    }
    if (header.message === COMPACT && header.verdict === "done") this.#compacted(seq, parts);
    for (const row of rows as RecordedRow[]) {
      const [table, key, value] = row;
      this.replay.apply(row);
      if (value === undefined) continue;
      if (table === nodeKeyTable.name) this.keys.wrote(key, value as NodeKeyRow);
      if (table === erasureTable.name) this.#erased(seq, Number(key), value as ErasureRow);
    }
  }

  /** A compaction's entry repeats every row, so that the entries before it may be removed. */
  #compacted(seq: number, parts: readonly EntryPart[]): void {
    this.replay.restate();
    const trace = this.#valueOf(seq, parts, "t") as { readonly data?: { readonly before?: number } } | undefined;
    this.#forgets(seq, trace?.data?.before ?? 1);
  }

  #erased(by: number, entry: number, row: ErasureRow): void {
    const letters = LETTERS.filter((letter) => row[PART_NAMES[letter]] !== undefined);
    this.gone.redacted(entry, letters, by);
    if (letters.includes("r")) this.replay.recover(entry);
  }

  #forgets(seq: number, before: number): void {
    this.#forgotten = Math.max(this.#forgotten, before);
    if (this.#forgotten >= this.#parts.first) this.#forgottenBy ??= seq;
  }

  #takeMeaning(seq: number, { header, parts }: CheckedEntry): void {
    if (header.message !== TRIMMED && header.message !== ROTATED) return;
    const body = this.#valueOf(seq, parts, "b") as { readonly data?: Record<string, unknown> } | undefined;
    const { before, statement } = body?.data ?? {};
    if (header.message === TRIMMED) this.#forgets(seq, Number(before ?? 1));
    else if (typeof statement === "string") this.keys.rotated(seq, statement);
  }

  #valueOf(seq: number, parts: readonly EntryPart[], letter: PartLetter): unknown {
    const part = parts.find((one) => one.letter === letter);
    if (part === undefined) return undefined;
    const json = part.kind === "inline" ? part.json : this.#parts.blob(part.name);
    if (json === undefined) return undefined;
    try {
      return JSON.parse(json) as unknown;
    } catch {
      this.#problem(seq, `its part ${letter} is not JSON`, TAMPERED);
      return undefined;
    }
  }

  #problem(seq: number, what: string, todo = RESTORE): void {
    this.#parts.problems.add(`entry ${seq}`, what, todo);
  }
}

function isRow(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 2 || value.length > 3) return false;
  return typeof value[0] === "string" && typeof value[1] === "string";
}
