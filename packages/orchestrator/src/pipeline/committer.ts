// From decided to durable. Entries are decided on the tip and gathered; one append makes a group of them durable at once.
// If it fails, everything back to the durable head is undone and nobody is told otherwise (DESIGN.md §2, output commit).

import { type Fault, FaultError, fault } from "../fault/fault.ts";
import { DurableAnswer } from "../log/durable-answer.ts";
import type { AppendResult, Damage, Log, NewEntry, StoredEntry } from "../log/log.ts";
import type { Change } from "../state/state.ts";
import type { Tables } from "../state/tables.ts";

export interface CommitterEvents {
  /** Entries up to `durable` are durable; `group` are those that became so now. */
  committed(durable: number, group: readonly NewEntry[]): void;
  /** Everything after `durable` was undone. */
  undone(durable: number, reason: Fault): void;
  /** A group of so many entries is being appended. Answers what to call once it was. */
  appending?(entries: number): () => void;
  report(thrown: unknown): void;
}

interface Waiting {
  readonly seq: number;
  resolve(): void;
  reject(error: FaultError): void;
}

/** Decides when to call `flush`. `gathering`: nobody waits for these entries. `pending`: counts the entries that wait, which may grow meanwhile. */
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
   * Whether entries can be taken. After a failed append the log is probed first, so that nothing is decided on entries that would be
   * undone again.
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
   * Takes a decided entry and applies its changes to the tip.
   * @param nobodyWaits nobody waits for it to be durable: it is appended with the next entry that somebody waits for, most often its own
   * outcome, and then the rows that the two write and remove never reach the storage
   */
  add(entry: NewEntry, changes: readonly Change[], nobodyWaits = false): number {
    const seq = ++this.tip;
    this.#tables.apply(changes, seq);
    this.#pending.push(entry);
    if (nobodyWaits) this.#gather();
    else this.hurry();
    return seq;
  }

  /** Somebody waits for what is decided: it is appended once the messages that have arrived by now are decided too. */
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

  /** Whether frames that are sent now leave at once (`sendUnheld`). */
  get unheld(): boolean {
    return this.#unheld;
  }

  /** Frames that `send` sends leave at once. They must not depend on decisions that may yet be undone (`PluginRuntime.sendUnheld`). */
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
      // Undone in a turn of the event loop of its own: by then all answers decided before have reached their gates.
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
   * What `tell` answers or throws, once everything decided by now is durable; rejects with LOG_UNAVAILABLE if it is undone instead. An answer
   * must wait here, because whoever gets it may pass it on after the undo.
   */
  durably<T>(tell: () => T): T | DurableAnswer<T> {
    if (this.tip <= this.durable) return tell();
    this.hurry();
    const told = new DurableAnswer(this.tip, tell);
    this.#waiting.push(told);
    return told;
  }

  /** Calls back each time that entries became durable or were undone. Answers a function that cancels this. */
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
