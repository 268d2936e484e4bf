// What the server left behind, read without it: the log, from a copy, so that looking changes nothing; and the file of side
// effects. Both are read on from where the last look ended.

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEntry, type Log, type StoredEntry, sqliteLog, type Trace } from "@capstan/orchestrator";
import { SIDE_EFFECTS } from "./protocols.ts";

/** What a committed entry says came of a message. */
export interface Settlement {
  readonly entry: number;
  readonly data: unknown;
  /** The fault's code, where it failed. */
  readonly code: string | undefined;
}

const READ_AT_ONCE = 1000;

export class Evidence {
  readonly #directory: string;
  readonly #violation: (text: string) => void;
  /** Message ids of the committed performs under a key. */
  readonly performs = new Map<string, string[]>();
  /** By message id. */
  readonly settlements = new Map<string, Settlement[]>();
  /** How often an action that must not run twice ran under a key. */
  readonly ran = new Map<string, number>();
  #last: StoredEntry = { seq: 0, text: "" };
  #sideEffectBytes = 0;

  constructor(directory: string, violation: (text: string) => void) {
    this.#directory = directory;
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
      for (const name of ["log.db", "log.db-wal"]) {
        const from = join(this.#directory, name);
        if (existsSync(from)) copyFileSync(from, join(copy, name));
      }
      const log = sqliteLog(join(copy, "log.db"));
      await this.#readLog(log);
      await log.close();
    } finally {
      rmSync(copy, { recursive: true });
    }
    this.#readSideEffects();
  }

  async #readLog(log: Log): Promise<void> {
    if (this.head > 0) {
      const [again] = await log.read(this.head);
      if (again?.text !== this.#last.text) this.#violation(`entry ${this.head} is gone, or not what it was`);
    }
    while (this.head < log.head) {
      const entries = await log.read(this.head + 1, { limit: READ_AT_ONCE });
      if (entries.length === 0) return this.#violation(`entry ${this.head + 1} of ${log.head} is missing`);
      for (const stored of entries) this.#readEntry(stored);
    }
  }

  #readEntry(stored: StoredEntry): void {
    if (stored.seq !== this.head + 1) this.#violation(`entry ${stored.seq} comes after ${this.head}`);
    this.#last = stored;
    const { header, part } = decodeEntry(stored);
    const body = part("b") as { readonly data: unknown; readonly key?: string };
    const trace = part("t") as Trace | undefined;
    if (header.message === "action.perform") {
      if (header.verdict !== "done" || body.key === undefined)
        this.#violation(`entry ${stored.seq}: ${header.verdict}`);
      else add(this.performs, body.key, header.id);
    }
    for (const { id, data, error } of trace?.settles ?? []) {
      add(this.settlements, id, { entry: stored.seq, data: data ?? body.data, code: error?.code });
    }
  }

  #readSideEffects(): void {
    const path = join(this.#directory, SIDE_EFFECTS);
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

function add<V>(map: Map<string, V[]>, key: string, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
