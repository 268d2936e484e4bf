// What a decision needs and cannot have in memory is read before it, outside it, and handed to it as facts. Nothing is
// prepared for whom the plugins before would refuse: preparing is I/O, and somebody else's I/O is an attack.

import { type Fault, FaultError, fault, faultOf } from "../fault/fault.ts";
import type { Envelope, Facts } from "../message/message.ts";
import { deepFreeze, messageName } from "../message/message.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import type { AnyPlugin, Logger } from "../plugin/plugin.ts";
import type { Reader } from "../plugin/reader.ts";
import type { Table } from "../state/table.ts";
import type { Tables } from "../state/tables.ts";
import type { Timers } from "../time/timers.ts";
import { endOfHold } from "./held-message.ts";
import { ENDED_HOLD, HELD_FACTS, holdTable } from "./kernel-tables.ts";
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
    const found = await gather(parts, envelope, route, tracked);
    if (found.kind === "fault") return use(found);
    if (tracked.unchanged()) return use({ kind: "facts", facts: deepFreeze(found.facts) });
  }
  const text = `${route.name}: what it was prepared with kept changing; try again`;
  return use({ kind: "fault", fault: fault("FACTS_STALE", text, undefined, envelope.id) });
}

/** The facts of every plugin that prepares for the message, beside those that its envelope has. */
async function gather(
  parts: Omit<Preparation, "reader" | "tables">,
  envelope: Envelope,
  route: Route,
  reader: Reader,
): Promise<Prepared> {
  const facts: Record<string, unknown> = {};
  for (const plugin of route.preparers) {
    const before = parts.composition.plugins.indexOf(plugin);
    const asked = { ...envelope, facts: { ...envelope.facts, ...facts } };
    if (!envelope.internal && parts.tip.ask(asked, route, before).kind !== "done") break;
    const found = await limited(parts, plugin, route, () => plugin.prepare?.[route.name]?.(envelope, reader));
    if (found.kind === "fault") return found;
    Object.assign(facts, found.facts);
  }
  return { kind: "facts", facts };
}

/** @throws FaultError what preparing the held message came to: it stays held then, and can be settled again. */
export async function prepareHeld(
  parts: Omit<Preparation, "reader" | "tables">,
  { message }: Envelope,
  reader: Reader,
): Promise<Facts> {
  const { id, hold, outcome } = message.data as { id: string; hold: string; outcome: unknown };
  const held = reader.get(holdTable, id);
  const ended = held === undefined ? await endOfHold(reader, id) : undefined;
  if (ended !== undefined) return { [ENDED_HOLD]: ended };
  const route = held && parts.composition.routes.get(messageName(held.envelope.message));
  if (held?.hold.name !== hold || route === undefined || route.preparers.length === 0) return {};
  const envelope = { ...held.envelope, facts: { ...held.envelope.facts, [hold]: outcome } };
  const found = await gather(parts, envelope, route, reader);
  if (found.kind === "fault") throw new FaultError(found.fault);
  return { [HELD_FACTS]: found.facts };
}

async function limited(
  { timers, logger }: Pick<Preparation, "timers" | "logger">,
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

  get first() {
    return this.#reader.first;
  }

  get proofs() {
    return this.#reader.proofs;
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

  count<Row>(table: Table<Row>, group?: string): number {
    this.#scans.push([table, this.#tables.version(table)]);
    return this.#reader.count(table, group);
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

  blob(name: string) {
    return this.#reader.blob(name);
  }

  cold(table: string, key: string) {
    return this.#reader.cold(table, key);
  }

  part(...args: Parameters<Reader["part"]>) {
    return this.#reader.part(...args);
  }

  unchanged(): boolean {
    const rows = this.#reads.every(([table, key, row]) => this.#reader.get(table, key) === row);
    return rows && this.#scans.every(([table, version]) => this.#tables.version(table) === version);
  }
}
