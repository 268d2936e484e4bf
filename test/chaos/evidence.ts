// What the server left behind, read without it: the log, from a copy, so that looking changes nothing; and the file of side
// effects. Both are read on from where the last look ended.

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type DecodedEntry,
  decodeEntry,
  type Log,
  type Part,
  type StoredEntry,
  sqliteLog,
  type Trace,
  verificationText,
  verifyLogFile,
} from "@capstan/orchestrator";
import { SIDE_EFFECTS } from "./protocols.ts";

/** What a committed entry says came of a message. */
export interface Settlement {
  readonly entry: number;
  readonly data: unknown;
  /** The fault's code, where it failed. */
  readonly code: string | undefined;
}

const READ_AT_ONCE = 1000;
/** The log, and what lies beside it and is of it. */
const FILES = ["log.db", "log.db-wal", "log.db-sums", "log.db.checkpoint"];

export class Evidence {
  readonly #directory: string;
  readonly #outside: string;
  readonly #violation: (text: string) => void;
  /** Message ids of the committed performs under a key. */
  readonly performs = new Map<string, string[]>();
  /** By message id. */
  readonly settlements = new Map<string, Settlement[]>();
  /** How often an action that must not run twice ran under a key. */
  readonly ran = new Map<string, number>();
  #last: StoredEntry = { seq: 0, text: "" };
  #sideEffectBytes = 0;
  /** Entries that were verified, each time anew, and how often there was a checkpoint to hold them to. */
  verified = 0;
  checkpoints = 0;

  /** @param outside where the side effects are written down; default the same directory */
  constructor(directory: string, violation: (text: string) => void, outside = directory) {
    this.#directory = directory;
    this.#outside = outside;
    this.#violation = violation;
  }

  /** The log's head when it was last read. */
  get head(): number {
    return this.#last.seq;
  }

  /** Reads what was added. The server must be dead. */
  async read(): Promise<void> {
    const copy = mkdtempSync(join(tmpdir(), "capstan-evidence-"));
    try {
      for (const name of FILES) {
        const from = join(this.#directory, name);
        if (existsSync(from)) copyFileSync(from, join(copy, name));
      }
      await this.#verify(join(copy, "log.db"));
      const log = sqliteLog(join(copy, "log.db"));
      await this.#readLog(log);
      await log.close();
    } finally {
      rmSync(copy, { recursive: true });
    }
    this.#readSideEffects();
  }

  /** The file by itself: that it is whole, that its tables are what its entries made, and that the checkpoint beside it is of it. */
  async #verify(path: string): Promise<void> {
    const { found, checkpoints, entries } = await verifyLogFile(path);
    this.verified += entries;
    if (checkpoints.length > 0) this.checkpoints++;
    const unsound = found > 0 || checkpoints.some(({ valid }) => !valid);
    if (unsound) this.#violation(`the log does not verify: ${verificationText(await verifyLogFile(path))}`);
  }

  async #readLog(log: Log): Promise<void> {
    if (this.head > 0) {
      const [again] = await log.read(this.head);
      if (again?.text !== this.#last.text) this.#violation(`entry ${this.head} is gone, or not what it was`);
    }
    while (this.head < log.head) {
      const entries = await log.read(this.head + 1, { limit: READ_AT_ONCE });
      if (entries.length === 0) return this.#violation(`entry ${this.head + 1} of ${log.head} is missing`);
      for (const stored of entries) await this.#readEntry(log, stored);
    }
  }

  async #readEntry(log: Log, stored: StoredEntry): Promise<void> {
    if (stored.seq !== this.head + 1) this.#violation(`entry ${stored.seq} comes after ${this.head}`);
    this.#last = stored;
    const entry = decodeEntry(stored);
    const { header } = entry;
    const body = (await partOf(log, entry, "b")) as { readonly data: unknown; readonly key?: string };
    const trace = (await partOf(log, entry, "t")) as Trace | undefined;
    if (header.message === "action.perform") {
      if (header.verdict !== "done" || body.key === undefined)
        this.#violation(`entry ${stored.seq}: ${header.verdict}`);
      else add(this.performs, body.key, header.id);
    }
    if (trace?.outcome !== undefined) {
      const { data, error } = trace.outcome;
      add(this.settlements, header.id, { entry: stored.seq, data, code: error?.code });
    }
    for (const { id, data, error } of trace?.settles ?? []) {
      add(this.settlements, id, { entry: stored.seq, data: data ?? body.data, code: error?.code });
    }
  }

  #readSideEffects(): void {
    const path = join(this.#outside, SIDE_EFFECTS);
    if (!existsSync(path)) return;
    const bytes = readFileSync(path);
    // A line that a kill cut short is an effect that did not happen; the next process goes on behind it.
    const text = bytes.subarray(this.#sideEffectBytes).toString("utf8");
    this.#sideEffectBytes = bytes.length;
    for (const line of text.split("\n")) {
      const [key = ""] = line.split(" ");
      if (key !== "") this.ran.set(key, (this.ran.get(key) ?? 0) + 1);
    }
  }
}

/** A part's value, kept in the entry or beside it. */
async function partOf(log: Log, entry: DecodedEntry, letter: Part): Promise<unknown> {
  const stored = entry.stored(letter);
  if (stored?.kind !== "blob") return entry.part(letter);
  return JSON.parse((await log.blob(stored.name)) as string);
}

function add<V>(map: Map<string, V[]>, key: string, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
