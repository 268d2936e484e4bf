// What this node offers: the rows of whichever tables say that they are routable, as they become durable. It knows no table by
// name, so that a plugin that comes later is routed by declaring it.

import type { FollowedRow, PluginRuntime, Routable } from "@capstan/orchestrator";
import type { SpeakerInput } from "@capstan/peer";

export class OwnRoutes {
  readonly #tell: (input: SpeakerInput) => void;
  readonly #log: PluginRuntime["log"];
  /** By table and key, so that what is gone can be told by its names; by name, so that two rows of one name are seen. */
  readonly #byRow = new Map<string, readonly string[]>();
  readonly #byName = new Map<string, Map<string, Routable>>();

  constructor(tell: (input: SpeakerInput) => void, log: PluginRuntime["log"]) {
    this.#tell = tell;
    this.#log = log;
  }

  changed(rows: readonly FollowedRow[]): void {
    const touched = new Set<string>();
    for (const followed of rows) this.#change(followed, touched);
    const announce: Routable[] = [];
    const withdraw: string[] = [];
    for (const name of touched) {
      const route = this.#route(name);
      if (route === undefined) withdraw.push(name);
      else announce.push(route);
    }
    if (announce.length + withdraw.length > 0) this.#tell({ type: "originate", announce, withdraw });
  }

  #change({ table, key, row }: FollowedRow, touched: Set<string>): void {
    const id = `${table.name} ${key}`;
    const routes = new Map(this.#routesOf(table, key, row).map((route) => [route[0], route]));
    for (const name of this.#byRow.get(id) ?? []) {
      if (routes.has(name)) continue;
      const others = this.#byName.get(name);
      others?.delete(id);
      if (others?.size === 0) this.#byName.delete(name);
      touched.add(name);
    }
    for (const [name, route] of routes) {
      const known = this.#byName.get(name) ?? new Map<string, Routable>();
      if (isSame(known.get(id), route)) continue;
      this.#byName.set(name, known.set(id, route));
      touched.add(name);
    }
    if (routes.size === 0) this.#byRow.delete(id);
    else this.#byRow.set(id, [...routes.keys()]);
  }

  /** Two rows under one name are one route: the first in the order of their tables and keys says which. */
  #route(name: string): Routable | undefined {
    const rows = this.#byName.get(name);
    if (rows === undefined) return undefined;
    const [first] = [...rows.keys()].sort();
    return first === undefined ? undefined : rows.get(first);
  }

  /** A plugin's function: what it throws costs its row the routes, and nothing else. */
  #routesOf(table: FollowedRow["table"], key: string, row: unknown): readonly Routable[] {
    if (row === undefined) return [];
    try {
      return table.routes?.(key, row) ?? [];
    } catch (thrown) {
      this.#log.error({ table: table.name, key, error: String(thrown) }, "a table could not say its row's routes");
      return [];
    }
  }
}

function isSame(one: Routable | undefined, other: Routable): boolean {
  return one !== undefined && one.length === other.length && one.every((word, at) => word === other[at]);
}
