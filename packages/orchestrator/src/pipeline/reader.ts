// What `prepare` and `answer` read: the tip's rows and the log's entries, those included that are decided and not yet
// durable. Whoever lets an answer out of the process waits for the tip it was read on.

import { FaultError, fault } from "../fault/fault.ts";
import type { DecodedEntry } from "../log/entry.ts";
import type { Awaitable, Log, StoredEntry } from "../log/log.ts";
import type { Part } from "../log/part.ts";
import type { NodeInfo, Proofs, Reader } from "../plugin/reader.ts";
import type { BaseTables } from "../state/state.ts";
import type { Table } from "../state/table.ts";
import type { Timers } from "../time/timers.ts";
import type { Committer } from "./committer.ts";

/** Entries that one read answers at most. */
export const MOST_ENTRIES = 1000;

export class TipReader implements Reader {
  readonly node: NodeInfo;
  readonly proofs: Proofs;
  readonly #log: Log;
  readonly #committer: Committer;
  readonly #tables: BaseTables;
  readonly #timers: Timers;
  readonly #waiting = new Set<() => void>();
  #stopped = false;

  constructor(node: NodeInfo, log: Log, committer: Committer, tables: BaseTables, timers: Timers, proofs: Proofs) {
    this.#timers = timers;
    this.node = node;
    this.proofs = proofs;
    this.#log = log;
    this.#committer = committer;
    this.#tables = tables;
  }

  get revision(): number {
    return this.#committer.tip;
  }

  get first(): number {
    return this.#log.first;
  }

  get<Row>(table: Table<Row>, key: string): Row | undefined {
    return this.#tables.get(table, key) as Row | undefined;
  }

  rows<Row>(table: Table<Row>): Iterable<readonly [string, Row]> {
    return this.#tables.rows(table) as Iterable<readonly [string, Row]>;
  }

  count<Row>(table: Table<Row>, group?: string): number {
    return this.#tables.count(table as Table, group);
  }

  entries(
    from: number,
    { limit = MOST_ENTRIES, reverse = false }: { readonly limit?: number; readonly reverse?: boolean } = {},
  ): Awaitable<readonly StoredEntry[]> {
    const most = Math.min(limit, MOST_ENTRIES);
    if (reverse) {
      const pending = this.#committer
        .pending(1)
        .filter(({ seq }) => seq <= from)
        .reverse();
      const wanted = pending.slice(0, most);
      if (wanted.length === most) return wanted;
      const start = Math.min(from, this.#committer.durable);
      return join(wanted, this.#log.read(start, { limit: most - wanted.length, reverse: true }));
    }
    const pending = this.#committer.pending(from);
    const stored = this.#log.read(from, { limit: most });
    if (stored instanceof Promise) {
      return stored.then((entries) => {
        // What was pending when the read began may have become durable before it ended.
        const last = entries.at(-1)?.seq ?? 0;
        return [...entries, ...pending.filter(({ seq }) => seq > last)].slice(0, most);
      });
    }
    return pending.length === 0 ? stored : [...stored, ...pending].slice(0, most);
  }

  find(id: string): Awaitable<number | undefined> {
    return this.#committer.findPending(id) ?? this.#log.find(id);
  }

  durableAfter(after: number, ms: number): Promise<void> {
    if (this.#committer.durable > after || ms <= 0) return Promise.resolve();
    if (this.#stopped) return Promise.reject(stopping());
    const { generation, tip } = this.#committer;
    const waiting = this.#waiting;
    return new Promise((resolve, reject) => {
      waiting.add(giveUp);
      const stopTimer = this.#timers.after(ms, end);
      const stop = this.#committer.onAdvance(() => {
        // What was decided already and is undone is not going to be durable.
        const undone = tip > after && this.#committer.generation !== generation;
        if (this.#committer.durable > after || undone) end();
      });
      function end(): void {
        stopTimer();
        stop();
        waiting.delete(giveUp);
        resolve();
      }
      function giveUp(): void {
        reject(stopping());
        end();
      }
    });
  }

  /** The node stops: whoever waits for what comes is told that nothing does. */
  stop(): void {
    this.#stopped = true;
    for (const giveUp of [...this.#waiting]) giveUp();
  }

  cold(table: string, key: string): Awaitable<string | undefined> {
    return this.#log.row(table, key);
  }

  part(entry: DecodedEntry, part: Part): Awaitable<unknown> {
    const stored = entry.stored(part);
    switch (stored?.kind) {
      case undefined:
      case "erased":
        return undefined;
      case "inline":
        return JSON.parse(stored.json) as unknown;
      case "blob": {
        const text = this.blob(stored.name);
        return text instanceof Promise ? text.then(parsed) : parsed(text);
      }
      default:
        return stored satisfies never;
    }
  }

  blob(name: string): Awaitable<string | undefined> {
    return this.#committer.pendingBlob(name) ?? this.#log.blob(name);
  }
}

function stopping(): FaultError {
  return new FaultError(fault("STOPPING", "the node is shutting down; ask again later"));
}

/** `undefined` where it was erased since its entry was read. */
function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

function join(
  first: readonly StoredEntry[],
  rest: Awaitable<readonly StoredEntry[]>,
): Awaitable<readonly StoredEntry[]> {
  if (rest instanceof Promise) return rest.then((entries) => [...first, ...entries]);
  return first.length === 0 ? rest : [...first, ...rest];
}
