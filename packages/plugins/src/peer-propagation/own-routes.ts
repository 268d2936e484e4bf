// What this node offers: the rows of whichever tables say that they are routable, as they become durable. It knows no table by
// name, so that a plugin that comes later is routed by declaring it.

import type { FollowedRow, PluginRuntime } from "@capstan/orchestrator";
import type { SpeakerInput } from "@capstan/peer";

type Leaf = readonly [name: string, digest: string];

export class OwnRoutes {
  readonly #tell: (input: SpeakerInput) => void;
  readonly #log: PluginRuntime["log"];
  /** By table and key, so that a row that is gone can be told from its name; by name, so that two rows of one name are seen. */
  readonly #byRow = new Map<string, string>();
  readonly #byName = new Map<string, Map<string, string>>();

  constructor(tell: (input: SpeakerInput) => void, log: PluginRuntime["log"]) {
    this.#tell = tell;
    this.#log = log;
  }

  changed(rows: readonly FollowedRow[]): void {
    const touched = new Set<string>();
    for (const followed of rows) this.#change(followed, touched);
    const announce: Leaf[] = [];
    const withdraw: string[] = [];
    for (const name of touched) {
      const digest = this.#digest(name);
      if (digest === undefined) withdraw.push(name);
      else announce.push([name, digest]);
    }
    if (announce.length + withdraw.length > 0) this.#tell({ type: "originate", announce, withdraw });
  }

  #change({ table, key, row }: FollowedRow, touched: Set<string>): void {
    const id = `${table.name} ${key}`;
    const before = this.#byRow.get(id);
    const route = row === undefined ? undefined : this.#routeOf(table, key, row);
    if (before !== undefined && before !== route?.[0]) {
      const others = this.#byName.get(before);
      others?.delete(id);
      if (others?.size === 0) this.#byName.delete(before);
      this.#byRow.delete(id);
      touched.add(before);
    }
    if (route === undefined) return;
    const [name, digest] = route;
    const known = this.#byName.get(name) ?? new Map<string, string>();
    if (known.get(id) === digest) return;
    this.#byName.set(name, known.set(id, digest));
    this.#byRow.set(id, name);
    touched.add(name);
  }

  /** Two rows under one name are one route: the first in the order of their tables and keys says which. */
  #digest(name: string): string | undefined {
    const rows = this.#byName.get(name);
    if (rows === undefined) return undefined;
    const [first] = [...rows.keys()].sort();
    return first === undefined ? undefined : rows.get(first);
  }

  /** A plugin's function: what it throws costs its row the route, and nothing else. */
  #routeOf(table: FollowedRow["table"], key: string, row: unknown): readonly [string, string] | undefined {
    try {
      return table.route?.(key, row);
    } catch (thrown) {
      this.#log.error({ table: table.name, key, error: String(thrown) }, "a table could not say its row's route");
      return undefined;
    }
  }
}
