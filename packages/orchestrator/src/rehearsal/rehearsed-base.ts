// The rows that one decision is made on again: history's, with the overrides laid over them, and in session tables what the
// message itself recorded to have read. It notes the first read of something that nobody knows any more.

import { deepFreeze, type Facts } from "../message/message.ts";
import type { BaseTables } from "../state/state.ts";
import type { Table } from "../state/table.ts";
import type { SessionRow } from "./recorded-message.ts";
import type { ReplayedRows } from "./replayed-rows.ts";
import type { RowOverride } from "./row-override.ts";

export interface RehearsedBaseParts {
  readonly replayed: ReplayedRows;
  readonly overrides: ReadonlyMap<string, readonly RowOverride[]>;
  readonly sessionRows: readonly SessionRow[];
  /** Whether a plugin of the composition owns the table. */
  owns(table: string): boolean;
  /** Whether whoever reads now read the same the first time: then what was not recorded was not there. */
  readAsBefore(): boolean;
}

export class RehearsedBase implements BaseTables {
  readonly #parts: RehearsedBaseParts;
  #gap: string | undefined;

  constructor(parts: RehearsedBaseParts) {
    this.#parts = parts;
  }

  /** What the decision would have had to know and nobody does; none where it is sound. */
  get gap(): string | undefined {
    return this.#gap;
  }

  get(table: Table, key: string): unknown {
    if (table.kind === "session") return this.#session(table, key);
    const { replayed } = this.#owned(table);
    if (!replayed.knows(table.name, key)) this.#missing(`row "${key}" of "${table.name}" is not in the log any more`);
    return this.#overridden(table.name, key, replayed.get(table.name, key));
  }

  *rows(table: Table): Iterable<readonly [string, unknown]> {
    if (table.kind === "session") return yield* this.#sessionRows(table);
    const { replayed } = this.#owned(table);
    if (!replayed.knowsAll(table.name)) this.#missing(`rows of "${table.name}" are not in the log any more`);
    for (const [key, recorded] of replayed.rows(table.name)) {
      const row = this.#overridden(table.name, key, recorded);
      if (row !== undefined) yield [key, row];
    }
  }

  /** By a pass over the rows: overrides may have them counted in other groups. */
  count(table: Table, group?: string): number {
    let count = 0;
    for (const [key, row] of this.rows(table)) {
      const of = table.countedBy?.(key, row);
      if (of !== undefined && (group === undefined || of === group)) count++;
    }
    return count;
  }

  /** The facts, watched: whoever asks for one that was not recorded might have been given it by a `prepare` that changed. */
  watched(facts: Facts): Facts {
    const missing = (name: string | symbol): void => {
      if (typeof name === "string" && !Object.hasOwn(facts, name)) this.#missing(`the fact "${name}" was not recorded`);
    };
    return new Proxy(facts, {
      get(target, name) {
        missing(name);
        return Reflect.get(target, name);
      },
      has(target, name) {
        missing(name);
        return Reflect.has(target, name);
      },
      getOwnPropertyDescriptor(target, name) {
        missing(name);
        return Reflect.getOwnPropertyDescriptor(target, name);
      },
      ownKeys: (target) => {
        this.#missing("all its facts were asked for, and others might have been recorded");
        return Reflect.ownKeys(target);
      },
    });
  }

  #session({ name }: Table, key: string): unknown {
    this.#owned({ name });
    const recorded = this.#parts.sessionRows.find((row) => row[0] === name && row[1] === key);
    if (recorded !== undefined) return recorded[2] ?? undefined;
    this.#missing(`session row "${key}" of "${name}" was not recorded`);
    return undefined;
  }

  *#sessionRows({ name }: Table): Iterable<readonly [string, unknown]> {
    this.#owned({ name });
    if (!this.#parts.readAsBefore()) this.#missing(`session rows of "${name}" were not recorded`);
    const rows = new Map(this.#parts.sessionRows.filter((row) => row[0] === name).map((row) => [row[1], row[2]]));
    for (const [key, row] of rows) if (row !== null) yield [key, row];
  }

  #overridden(table: string, key: string, recorded: unknown): unknown {
    const overrides = this.#parts.overrides.get(table);
    if (overrides === undefined || recorded === undefined) return recorded;
    let row: unknown = recorded;
    for (const { becomes } of overrides) {
      if (row === undefined) return undefined;
      row = becomes(row, key, (other) => this.#parts.replayed.get(table, other));
    }
    return deepFreeze(row);
  }

  /** The same mistake as on a node that runs: it is the plugin's, and fails the message. */
  #owned({ name }: Pick<Table, "name">): RehearsedBaseParts {
    if (!this.#parts.owns(name)) throw new Error(`no plugin of this composition owns a table "${name}"`);
    return this.#parts;
  }

  #missing(what: string): void {
    this.#gap ??= what;
  }
}
