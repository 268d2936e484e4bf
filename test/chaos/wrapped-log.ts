// Logs around the real one: one that dies at its append, and the control, which says that it wrote what it has not.

import type { AppendResult, Awaitable, Log, NewEntry, RowChange, StoredEntry, StoredRow } from "@capstan/orchestrator";
import type { KillSwitch } from "./kill-point.ts";

class WrappedLog implements Log {
  constructor(protected readonly inner: Log) {}

  get id(): string {
    return this.inner.id;
  }
  get first(): number {
    return this.inner.first;
  }
  get head(): number {
    return this.inner.head;
  }
  get lastAt(): number {
    return this.inner.lastAt;
  }
  get epoch(): number {
    return this.inner.epoch;
  }
  get durable(): boolean {
    return this.inner.durable;
  }
  get tree(): Log["tree"] {
    return this.inner.tree;
  }
  get restorations(): Log["restorations"] {
    return this.inner.restorations;
  }
  get damage(): Log["damage"] {
    return this.inner.damage;
  }
  append(expectedHead: number, entries: readonly NewEntry[]): Awaitable<AppendResult> {
    return this.inner.append(expectedHead, entries);
  }
  read(from: number, options?: Parameters<Log["read"]>[1]): Awaitable<readonly StoredEntry[]> {
    return this.inner.read(from, options);
  }
  tail(from: number, signal: AbortSignal): AsyncIterable<StoredEntry> {
    return this.inner.tail(from, signal);
  }
  blob(name: string): Awaitable<string | undefined> {
    return this.inner.blob(name);
  }
  trim(...asked: Parameters<Log["trim"]>): Awaitable<number> {
    return this.inner.trim(...asked);
  }
  find(id: string): Awaitable<number | undefined> {
    return this.inner.find(id);
  }
  row(table: string, key: string): Awaitable<string | undefined> {
    return this.inner.row(table, key);
  }
  rows(table: string, range?: Parameters<Log["rows"]>[1]): Awaitable<readonly StoredRow[]> {
    return this.inner.rows(table, range);
  }
  snapshot(tables: readonly string[]): ReturnType<Log["snapshot"]> {
    return this.inner.snapshot(tables);
  }
  probe(): Awaitable<void> {
    return this.inner.probe();
  }
  close(): Awaitable<void> {
    return this.inner.close();
  }
}

/** Dies before an append or after it; `append:inside` is the SQLite log's own `beforeCommit`. */
export class KillingLog extends WrappedLog {
  readonly #kill: KillSwitch;

  constructor(inner: Log, kill: KillSwitch) {
    super(inner);
    this.#kill = kill;
  }

  override append(expectedHead: number, entries: readonly NewEntry[]): Awaitable<AppendResult> {
    this.#kill.reached("append:before");
    const result = this.inner.append(expectedHead, entries);
    this.#kill.reached("append:after");
    return result;
  }
}

/** How long the control keeps what it calls durable in memory. */
const WRITE_LATER_MS = 50;

/** The control: its append answers at once and writes later. Everything else is as it should be. */
export class EarlyLog extends WrappedLog {
  #unwritten: NewEntry[] = [];
  #rows = new Map<string, RowChange>();
  #later: ReturnType<typeof setTimeout> | undefined;

  override get head(): number {
    return this.inner.head + this.#unwritten.length;
  }
  override get lastAt(): number {
    return this.#unwritten.at(-1)?.at ?? this.inner.lastAt;
  }
  override append(expectedHead: number, entries: readonly NewEntry[]): AppendResult {
    if (expectedHead !== this.head) return { kind: "conflict", head: this.head };
    this.#unwritten.push(...entries);
    for (const row of entries.flatMap(({ rows }) => rows)) this.#rows.set(`${row.table}\n${row.key}`, row);
    // What the first start records is written at once: its flush is not to fall into what is tried.
    if (this.inner.head === 0) this.#write();
    else this.#later ??= setTimeout(() => this.#write(), WRITE_LATER_MS);
    return { kind: "ok", head: this.head };
  }
  override async read(from: number, options: Parameters<Log["read"]>[1] = {}): Promise<readonly StoredEntry[]> {
    const { limit = 1000, reverse = false } = options;
    const { head } = this.inner;
    const unwritten = this.#unwritten.map(({ text }, i) => ({ seq: head + 1 + i, text }));
    if (!reverse) {
      const written = await this.inner.read(from, { limit });
      return [...written, ...unwritten.filter(({ seq }) => seq >= from)].slice(0, limit);
    }
    const newest = unwritten.filter(({ seq }) => seq <= from).reverse();
    const written = await this.inner.read(Math.min(from, head), { limit, reverse });
    return [...newest, ...written].slice(0, limit);
  }
  override find(id: string): Awaitable<number | undefined> {
    const unwritten = this.#unwritten.findIndex((entry) => entry.id === id);
    return unwritten < 0 ? super.find(id) : this.inner.head + 1 + unwritten;
  }
  override row(table: string, key: string): Awaitable<string | undefined> {
    const unwritten = this.#rows.get(`${table}\n${key}`);
    return unwritten === undefined ? super.row(table, key) : unwritten.json;
  }
  override rows(table: string, range?: Parameters<Log["rows"]>[1]): Awaitable<readonly StoredRow[]> {
    this.#write();
    return super.rows(table, range);
  }
  override get tree(): Log["tree"] {
    this.#write();
    return super.tree;
  }
  override blob(name: string): Awaitable<string | undefined> {
    this.#write();
    return super.blob(name);
  }
  override trim(...asked: Parameters<Log["trim"]>): Awaitable<number> {
    this.#write();
    return super.trim(...asked);
  }
  override close(): Awaitable<void> {
    this.#write();
    return super.close();
  }

  #write(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    const entries = this.#unwritten;
    this.#unwritten = [];
    this.#rows.clear();
    if (entries.length > 0) this.inner.append(this.inner.head, entries);
  }
}
