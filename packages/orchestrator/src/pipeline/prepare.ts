// What a decision needs and cannot have in memory is read before it, outside it, and handed to it as facts. Nothing is
// prepared for whom the plugins before would refuse: preparing is I/O, and somebody else's I/O is an attack.

import { type Fault, fault, faultOf } from "../fault/fault.ts";
import type { Envelope, Facts } from "../message/message.ts";
import { deepFreeze } from "../message/message.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import type { AnyPlugin, Logger, Reader } from "../plugin/plugin.ts";
import type { Table } from "../state/table.ts";
import type { Tables } from "../state/tables.ts";
import type { Timers } from "./timers.ts";
import type { Tip } from "./tip.ts";

/** A preparation is bounded: a message whose facts take longer is refused. */
const PREPARE_LIMIT_MS = 10_000;
/** How often facts are read again because what they were read from changed meanwhile. */
const MOST_TRIES = 3;

export interface Preparation {
  readonly composition: Composition;
  readonly tip: Tip;
  readonly reader: Reader;
  readonly tables: Tables;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** What preparing came to. */
export type Prepared =
  | { readonly kind: "facts"; readonly facts: Facts }
  | { readonly kind: "fault"; readonly fault: Fault };

/**
 * Hands `use` the facts of every plugin that prepares for the message, as many as it gets to before deciding would refuse;
 * or the fault that preparing came to. Nothing is decided between the last look at what was read and `use`.
 */
export async function prepare<T>(
  parts: Preparation,
  envelope: Envelope,
  route: Route,
  use: (prepared: Prepared) => T,
): Promise<T> {
  for (let attempt = 1; attempt <= MOST_TRIES; attempt++) {
    const tracked = new TrackingReader(parts.reader, parts.tables);
    const facts: Record<string, unknown> = {};
    for (const plugin of route.preparers) {
      const before = parts.composition.plugins.indexOf(plugin);
      if (!envelope.internal && parts.tip.ask({ ...envelope, facts }, route, before).kind !== "done") break;
      const found = await limited(parts, plugin, route, () => plugin.prepare?.[route.name]?.(envelope, tracked));
      if (found.kind === "fault") return use(found);
      Object.assign(facts, found.facts);
    }
    if (tracked.unchanged()) return use({ kind: "facts", facts: deepFreeze(facts) });
  }
  const text = `${route.name}: what it was prepared with kept changing; try again`;
  return use({ kind: "fault", fault: fault("FACTS_STALE", text, undefined, envelope.id) });
}

async function limited(
  { timers, logger }: Preparation,
  plugin: AnyPlugin,
  route: Route,
  work: () => Promise<Facts> | undefined,
): Promise<Prepared> {
  let stop = (): void => {};
  const limit = new Promise<Prepared>((resolve) => {
    stop = timers.after(PREPARE_LIMIT_MS, () => {
      const text = `${route.name}: "${plugin.name}" prepared for more than ${PREPARE_LIMIT_MS} ms`;
      resolve({ kind: "fault", fault: fault("PREPARE_TIMEOUT", text) });
    });
  });
  const found = async (): Promise<Prepared> => ({ kind: "facts", facts: (await work()) ?? {} });
  try {
    return await Promise.race([found(), limit]);
  } catch (thrown) {
    logger.error({ plugin: plugin.name, message: route.name, error: String(thrown) }, "a plugin's prepare failed");
    return { kind: "fault", fault: faultOf(thrown) };
  } finally {
    stop();
  }
}

/** Remembers which rows were read, and which tables whole, to see whether they are still the same when the facts are used. */
class TrackingReader implements Reader {
  readonly #reader: Reader;
  readonly #tables: Tables;
  readonly #reads: (readonly [Table, string, unknown])[] = [];
  readonly #scans: (readonly [Table, number])[] = [];
  readonly revision: number;

  constructor(reader: Reader, tables: Tables) {
    this.#reader = reader;
    this.#tables = tables;
    this.revision = reader.revision;
  }

  get node() {
    return this.#reader.node;
  }

  get<Row>(table: Table<Row>, key: string): Row | undefined {
    const row = this.#reader.get(table, key);
    this.#reads.push([table, key, row]);
    return row;
  }

  rows<Row>(table: Table<Row>): Iterable<readonly [string, Row]> {
    this.#scans.push([table, this.#tables.version(table)]);
    return this.#reader.rows(table);
  }

  entries(...args: Parameters<Reader["entries"]>) {
    return this.#reader.entries(...args);
  }

  find(id: string) {
    return this.#reader.find(id);
  }

  durableAfter(after: number, ms: number) {
    return this.#reader.durableAfter(after, ms);
  }

  cold(table: string, key: string) {
    return this.#reader.cold(table, key);
  }

  unchanged(): boolean {
    const rows = this.#reads.every(([table, key, row]) => this.#reader.get(table, key) === row);
    return rows && this.#scans.every(([table, version]) => this.#tables.version(table) === version);
  }
}
