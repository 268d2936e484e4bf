// What this node offers: the rows of whichever tables say that they are routable, as they become durable. It knows no table by
// name, so that a plugin that comes later is routed by declaring it.

import type { FollowedRow, PluginRuntime, Routable } from "@capstan/orchestrator";
import type { SpeakerInput } from "@capstan/peer";

/** A row that has a name, by its table and key, and what it says of it. */
interface Claim {
  readonly row: string;
  readonly route: Routable;
}

const NONE: readonly never[] = [];

export class OwnRoutes {
  readonly #tell: (input: SpeakerInput) => void;
  readonly #log: PluginRuntime["log"];
  /** By table and key, so that what is gone can be told by its names. */
  readonly #byRow = new Map<string, readonly string[]>();
  /** In the order of tables and keys. Nearly every name has one: a map for each would be most of what a route costs here. */
  readonly #byName = new Map<string, readonly Claim[]>();

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
      // Two rows under one name are one route: the first says which.
      const first = this.#byName.get(name)?.[0];
      if (first === undefined) withdraw.push(name);
      else announce.push(first.route);
    }
    if (announce.length + withdraw.length > 0) this.#tell({ type: "originate", announce, withdraw });
  }

  #change({ table, key, row }: FollowedRow, touched: Set<string>): void {
    const id = `${table.name} ${key}`;
    const routes = this.#routesOf(table, key, row);
    const names = routes.map(([name]) => name);
    for (const name of this.#byRow.get(id) ?? NONE) {
      if (names.includes(name)) continue;
      this.#claim(name, id, undefined);
      touched.add(name);
    }
    for (const route of routes) if (this.#claim(route[0], id, route)) touched.add(route[0]);
    if (names.length === 0) this.#byRow.delete(id);
    else this.#byRow.set(id, names);
  }

  /** What a row says of a name; `undefined`: nothing any more. @returns whether that is something else than before */
  #claim(name: string, row: string, route: Routable | undefined): boolean {
    const claims = this.#byName.get(name) ?? NONE;
    const others: Claim[] = [];
    for (const claim of claims) {
      if (claim.row !== row) others.push(claim);
      else if (route !== undefined && isSame(claim.route, route)) return false;
    }
    if (route !== undefined) others.push({ row, route });
    if (others.length > 1) others.sort((a, b) => (a.row < b.row ? -1 : 1));
    if (others.length === 0) this.#byName.delete(name);
    else this.#byName.set(name, others);
    return true;
  }

  /** A plugin's function: what it throws costs its row the routes, and nothing else. */
  #routesOf(table: FollowedRow["table"], key: string, row: unknown): readonly Routable[] {
    if (row === undefined) return NONE;
    try {
      return table.routes?.(key, row) ?? NONE;
    } catch (thrown) {
      this.#log.error({ table: table.name, key, error: String(thrown) }, "a table could not say its row's routes");
      return NONE;
    }
  }
}

function isSame(one: Routable, other: Routable): boolean {
  return one.length === other.length && one.every((word, at) => word === other[at]);
}
