// From decided to durable. Entries are decided on the tip and gathered; one append makes a group of them durable at once.
// If it fails, everything back to the durable head is undone and nobody is told otherwise (DESIGN.md §2, output commit).

import { type Fault, FaultError, fault } from "../fault/fault.ts";
import type { AppendResult, Damage, Log, NewEntry, StoredEntry } from "../log/log.ts";
import type { Change } from "../state/state.ts";
import type { Tables } from "../state/tables.ts";
import { Told } from "./told.ts";

export interface CommitterEvents {
  /** Entries up to `durable` are durable: these. */
  committed(durable: number, group: readonly NewEntry[]): void;
  /** Everything after `durable` was undone. */
  undone(durable: number, reason: Fault): void;
  /** A group of this many is being appended. Answers whom to tell that it was. */
  appending?(entries: number): () => void;
  report(thrown: unknown): void;
}

interface Waiting {
  readonly seq: number;
  resolve(): void;
  reject(error: FaultError): void;
}

/** When to append what was decided. `gathering`: nobody waits for it. `pending`: how many entries it is by now, where more may come. */
export type Schedule = (flush: () => void, gathering: boolean, pending?: () => number) => void;

export class Committer {
  readonly #log: Log;
  readonly #tables: Tables;
  readonly #events: CommitterEvents;
  readonly #schedule: Schedule;
  #gathering = false;
  #unheld = false;
  #pending: NewEntry[] = [];
  /** The group that is being appended. */
  #inFlight: readonly NewEntry[] = [];
  #scheduled = false;
  #appending = false;
  #waiting: Waiting[] = [];
  readonly #listeners = new Set<() => void>();
  #failed = false;

  /** Number of the last decided entry. */
  tip: number;
  /** Number of the last durable entry. */
  durable: number;
  /** Grows each time that decided entries were undone. */
  generation = 0;

  constructor(log: Log, tables: Tables, events: CommitterEvents, schedule: Schedule) {
    this.#log = log;
    this.#tables = tables;
    this.#events = events;
    this.#schedule = schedule;
    this.tip = log.head;
    this.durable = log.head;
  }

  /**
   * Whether entries can be taken. After a failed append the log is probed first, so that reads are not decided on what
   * will be undone.
   */
  ready(): boolean {
    if (this.#log.damage !== undefined) return false;
    if (!this.#failed) return true;
    try {
      const probed = this.#log.probe();
      if (probed instanceof Promise) {
        probed.then(
          () => {
            this.#failed = false;
          },
          () => {},
        );
        return false;
      }
      this.#failed = false;
      return true;
    } catch {
      return false;
    }
  }

  /** Why nothing is taken, while that is so. */
  get refusal(): Fault {
    return this.#log.damage === undefined ? logUnavailable() : logDamaged(this.#log.damage);
  }

  /**
   * Takes a decided entry and applies its changes to the tip. @param nobodyWaits nothing that it leads to waits until it is durable: it goes
   * with the next entry that somebody waits for, its own outcome most often, and then their rows come to nothing
   */
  add(entry: NewEntry, changes: readonly Change[], nobodyWaits = false): number {
    const seq = ++this.tip;
    this.#tables.apply(changes, seq);
    this.#pending.push(entry);
    if (nobodyWaits) this.#gather();
    else this.hurry();
    return seq;
  }

  /** Somebody waits for what is decided: it is appended once what has arrived by now is decided too. */
  hurry(): void {
    if (this.#scheduled || this.#appending || this.#pending.length === 0) return;
    this.#scheduled = true;
    const append = (): void => {
      this.#scheduled = false;
      this.flush();
    };
    this.#schedule(append, false, () => this.#pending.length);
  }

  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#schedule(() => {
      this.#gathering = false;
      this.flush();
    }, true);
  }

  /** Whether what is sent now leaves at once. */
  get unheld(): boolean {
    return this.#unheld;
  }

  /** What `send` sends leaves at once: of what is decided and may yet be undone it depends on nothing, or may be done all the same. */
  sendUnheld<T>(send: () => T): T {
    const before = this.#unheld;
    this.#unheld = true;
    try {
      return send();
    } finally {
      this.#unheld = before;
    }
  }

  /** Appends what is pending as one group. */
  flush(): void {
    if (this.#appending || this.#pending.length === 0) return;
    const group = this.#pending;
    this.#pending = [];
    const appended = this.#events.appending?.(group.length);
    try {
      const result = this.#log.append(this.durable, group);
      if (!(result instanceof Promise)) {
        if (result.kind === "ok") appended?.();
        this.#appended(result, group);
        return;
      }
      this.#appending = true;
      this.#inFlight = group;
      // Undone from a turn of the loop of its own: answers decided before it have then all reached their gates.
      const undo = (thrown: unknown): void =>
        this.#schedule(() => {
          this.#appending = false;
          this.#undo(thrown);
        }, false);
      result.then((one) => {
        if (one.kind === "conflict") return undo(conflict(one));
        appended?.();
        this.#appending = false;
        this.#inFlight = [];
        this.#appended(one, group);
        this.flush();
      }, undo);
    } catch (thrown) {
      this.#undo(thrown);
    }
  }

  /** Resolves once entry `seq` is durable; rejects with LOG_UNAVAILABLE if it is undone. */
  whenDurable(seq: number): Promise<void> | undefined {
    if (seq <= this.durable) return undefined;
    this.hurry();
    return new Promise((resolve, reject) => this.#waiting.push({ seq, resolve, reject }));
  }

  /**
   * What `tell` answers or throws, once everything that is decided by now is durable; rejects with LOG_UNAVAILABLE where it is
   * undone instead. Whoever is given an answer may keep it, and tell it later than any undo.
   */
  durably<T>(tell: () => T): T | Told<T> {
    if (this.tip <= this.durable) return tell();
    this.hurry();
    const told = new Told(this.tip, tell);
    this.#waiting.push(told);
    return told;
  }

  /** Calls back each time that entries became durable or were undone. Answers how to stop that. */
  onAdvance(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Entries that are decided and not yet durable, from `from` on. */
  pending(from: number): readonly StoredEntry[] {
    if (from > this.tip || this.tip === this.durable) return [];
    const first = this.durable + 1;
    return [...this.#inFlight, ...this.#pending].flatMap(({ text }, i) =>
      first + i >= from ? [{ seq: first + i, text }] : [],
    );
  }

  /** The content of a blob of a pending entry. */
  pendingBlob(name: string): string | undefined {
    for (const { blobs } of [...this.#inFlight, ...this.#pending]) {
      for (const blob of blobs ?? []) if (blob.name === name) return blob.text;
    }
    return undefined;
  }

  /** The pending entry of a message. */
  findPending(id: string): number | undefined {
    const index = [...this.#inFlight, ...this.#pending].findIndex((entry) => entry.id === id);
    return index < 0 ? undefined : this.durable + 1 + index;
  }

  #appended(result: AppendResult, group: readonly NewEntry[]): void {
    if (result.kind === "conflict") {
      this.#undo(conflict(result));
      return;
    }
    this.durable = result.head;
    this.#tables.commit(result.head);
    this.#events.committed(result.head, group);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (one.seq > result.head) this.#waiting.push(one);
      else one.resolve();
    }
    for (const listener of [...this.#listeners]) listener();
  }

  #undo(thrown: unknown): void {
    this.#events.report(thrown);
    this.#failed = true;
    this.#inFlight = [];
    this.#pending = [];
    this.#tables.undo();
    this.tip = this.durable;
    this.generation++;
    const reason = logUnavailable();
    this.#events.undone(this.durable, reason);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) one.reject(new FaultError(reason));
    for (const listener of [...this.#listeners]) listener();
  }
}

function conflict({ head }: AppendResult): Error {
  return new Error(`another writer appended up to entry ${head}`);
}

function logDamaged({ damaged }: Damage): Fault {
  const text = `the log is damaged (${damaged[0]}) and is only read; the server's log tells the way back`;
  return fault("LOG_DAMAGED", text);
}

export function logUnavailable(): Fault {
  return fault(
    "LOG_UNAVAILABLE",
    "the log could not be written, so nothing was done; reads go on, try the write again later",
  );
}
