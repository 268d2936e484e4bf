// Plugins that follow rows as they become durable (`PluginRuntime.follow`): each is given all rows, and then those that change. The changes are
// taken from the appended entries, never from the tip, which may yet be undone.

import type { Log, NewEntry } from "../log/log.ts";
import type { FollowedRow, Logger } from "../plugin/plugin.ts";
import type { Table } from "../state/table.ts";
import type { Committer } from "./committer.ts";

export interface FollowersParts {
  readonly log: Pick<Log, "snapshot">;
  readonly logger: Logger;
  committer(): Pick<Committer, "durable" | "onAdvance">;
}

type Tell = (rows: readonly FollowedRow[], durable: number) => void;

interface Follower {
  readonly tables: ReadonlyMap<string, Table>;
  readonly tell: Tell;
  /** Rows that changed since its last call, by table and key; the latest wins. */
  changed: Map<string, FollowedRow>;
  /** It was given the rows that were there. */
  begun: boolean;
}

export class Followers {
  readonly #parts: FollowersParts;
  readonly #followers = new Set<Follower>();
  #stop: (() => void) | undefined;

  constructor(parts: FollowersParts) {
    this.#parts = parts;
  }

  /** Answers a function that ends it. */
  add(tables: readonly Table[], tell: Tell): () => void {
    const follower: Follower = {
      tables: new Map(tables.map((table) => [table.name, table])),
      ...{ tell, changed: new Map(), begun: false },
    };
    this.#followers.add(follower);
    // Registered last, so that callers who wait for the entries are answered first.
    this.#stop ??= this.#parts.committer().onAdvance(() => this.#tellAll());
    void this.#begin(follower);
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  /** These entries are durable. */
  committed(group: readonly NewEntry[]): void {
    if (this.#followers.size === 0) return;
    for (const { rows } of group) {
      for (const { table: name, key, json } of rows) {
        for (const { tables, changed } of this.#followers) {
          const table = tables.get(name);
          if (table === undefined) continue;
          const at = `${name} ${key}`;
          // Removed first, so that the map keeps the order of the latest changes.
          changed.delete(at);
          changed.set(at, { table, key, row: json === undefined ? undefined : JSON.parse(json) });
        }
      }
    }
  }

  /** Changes that come while the rows are read are passed after them: a row may be passed twice, but never an older version after a newer one. */
  async #begin(follower: Follower): Promise<void> {
    await undefined;
    try {
      const { tables } = follower;
      const rows: FollowedRow[] = [];
      const add = (name: string, key: string, json: string): void => {
        const table = tables.get(name);
        if (table !== undefined) rows.push({ table, key, row: JSON.parse(json) });
      };
      const snapshot = this.#parts.log.snapshot([...tables.keys()]);
      // Synchronously where the log allows it: then nothing becomes durable meanwhile.
      if (Symbol.iterator in snapshot) for (const { table, key, json } of snapshot) add(table, key, json);
      else for await (const { table, key, json } of snapshot) add(table, key, json);
      follower.begun = true;
      this.#tell(follower, rows);
      this.#tellOne(follower);
    } catch (thrown) {
      this.#parts.logger.error({ error: String(thrown) }, "the rows that a plugin follows could not be read");
    }
  }

  #tellAll(): void {
    for (const follower of [...this.#followers]) this.#tellOne(follower);
  }

  #tellOne(follower: Follower): void {
    if (!follower.begun || follower.changed.size === 0) return;
    const rows = [...follower.changed.values()];
    follower.changed = new Map();
    this.#tell(follower, rows);
  }

  #tell(follower: Follower, rows: readonly FollowedRow[]): void {
    if (!this.#followers.has(follower)) return;
    try {
      follower.tell(rows, this.#parts.committer().durable);
    } catch (thrown) {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      this.#parts.logger.error({ error }, "a plugin failed to follow rows");
    }
  }
}
