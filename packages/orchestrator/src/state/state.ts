// The state that decisions read and write. To a plugin it is immutable: `put` gives a new state that remembers the change.
// Behind all of them lies one set of mutable tables (tables.ts); a persistent tree was measured at three times the cost.

import { deepFreeze } from "../message/message.ts";
import type { Table } from "./table.ts";

/** A change of one row. */
export interface Change {
  readonly table: Table;
  readonly key: string;
  /** `undefined` where the row is removed. */
  readonly row: unknown;
}

/** The rows as a plugin sees them. Immutable: `put` and `remove` answer a new state. */
export interface State {
  get<Row>(table: Table<Row>, key: string): Row | undefined;
  put<Row>(table: Table<Row>, key: string, row: Row): State;
  remove(table: Table, key: string): State;
  /** Rows in no stated order. */
  rows<Row>(table: Table<Row>): Iterable<readonly [string, Row]>;
  /** How many rows are counted in a group (`TableOptions.countedBy`); without one, in any. No pass over the rows. */
  count<Row>(table: Table<Row>, group?: string): number;
}

/** The rows under a view's own changes. */
export interface BaseTables {
  get(table: Table, key: string): unknown;
  rows(table: Table): Iterable<readonly [string, unknown]>;
  count(table: Table, group?: string): number;
}

type OnSessionRead = (table: Table, key: string, row: unknown) => void;

/** A state as a chain of changes over the base. A chain is as long as one decision has writes: a handful. */
export class StateView implements State {
  readonly #base: BaseTables;
  readonly #parent: StateView | undefined;
  readonly #change: Change | undefined;
  /** How many changes it has since the base. */
  readonly depth: number;
  /** Called for every row read from a session table: a command records what it read there. */
  readonly #onSessionRead: OnSessionRead | undefined;

  constructor(base: BaseTables, onSessionRead?: OnSessionRead, parent?: StateView, change?: Change) {
    this.#base = base;
    this.#onSessionRead = onSessionRead;
    this.#parent = parent;
    this.#change = change;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }

  get<Row>(table: Table<Row>, key: string): Row | undefined {
    for (let view: StateView = this; view.#change !== undefined; view = view.#parent as StateView) {
      if (view.#change.key === key && view.#change.table.name === table.name)
        return view.#change.row as Row | undefined;
    }
    const row = this.#base.get(table, key);
    if (table.kind === "session" && this.#onSessionRead !== undefined) this.#onSessionRead(table, key, row);
    return row as Row | undefined;
  }

  put<Row>(table: Table<Row>, key: string, row: Row): StateView {
    return new StateView(this.#base, this.#onSessionRead, this, { table, key, row: deepFreeze(row) });
  }

  remove(table: Table, key: string): StateView {
    return new StateView(this.#base, this.#onSessionRead, this, { table, key, row: undefined });
  }

  *rows<Row>(table: Table<Row>): Iterable<readonly [string, Row]> {
    const changed = new Map<string, unknown>();
    for (const change of this.changes()) if (change.table.name === table.name) changed.set(change.key, change.row);
    for (const [key, row] of this.#base.rows(table)) {
      if (changed.has(key)) continue;
      if (table.kind === "session" && this.#onSessionRead !== undefined) this.#onSessionRead(table, key, row);
      yield [key, row as Row];
    }
    for (const [key, row] of changed) if (row !== undefined) yield [key, row as Row];
  }

  count<Row>(table: Table<Row>, group?: string): number {
    const { name, countedBy } = table;
    const isCounted = (key: string, row: unknown): boolean => {
      const of = row === undefined ? undefined : countedBy?.(key, row as Row);
      return of !== undefined && (group === undefined || of === group);
    };
    let count = this.#base.count(table as Table, group);
    for (let view: StateView = this; view.#change !== undefined; view = view.#parent as StateView) {
      const { table: changed, key, row } = view.#change;
      if (changed.name !== name || this.#last(name, key) !== view) continue;
      count += Number(isCounted(key, row)) - Number(isCounted(key, this.#base.get(table as Table, key)));
    }
    return count;
  }

  /** Where a row was changed last: chains are short. */
  #last(table: string, key: string): StateView {
    let view: StateView = this;
    while (view.#change?.key !== key || view.#change.table.name !== table) view = view.#parent as StateView;
    return view;
  }

  /** The changes since the base, or since `ancestor`, oldest first. */
  changes(ancestor?: StateView): readonly Change[] {
    const from = ancestor === undefined ? 0 : ancestor.depth;
    const changes = new Array<Change>(this.depth - from);
    for (let view: StateView = this; view.depth > from; view = view.#parent as StateView) {
      changes[view.depth - from - 1] = view.#change as Change;
    }
    return changes;
  }

  /** Whether this state was made from that one, so that a plugin cannot hand back a state of its own invention. */
  descendsFrom(ancestor: StateView): boolean {
    let view: StateView | undefined = this;
    while (view !== undefined && view.depth > ancestor.depth) view = view.#parent;
    return view === ancestor;
  }
}
