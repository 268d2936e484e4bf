// What of a decision goes into the log: the entry's header and parts, made with templates around the caller's data, because
// serialising whole entries was measured at five times the cost.

import type { Fault } from "../fault/fault.ts";
import { encodeEntry, encodeRows, quote } from "../log/entry.ts";
import type { NewEntry, RowChange } from "../log/log.ts";
import { jsonText } from "../message/json-text.ts";
import { type Envelope, messageName, NO_FACTS } from "../message/message.ts";
import type { LogWork, Settled } from "../plugin/result.ts";
import type { BaseTables, Change } from "../state/state.ts";
import type { Table } from "../state/table.ts";
import type { Verdict } from "./decide.ts";

/** An entry's body: what was asked. */
export interface Body {
  readonly data: unknown;
  readonly key?: string;
  readonly deadline?: number;
  readonly correlation?: string;
  readonly traceparent?: string;
  readonly hops?: number;
  readonly via?: readonly string[];
  readonly request?: string;
  readonly may?: readonly string[];
  readonly internal?: true;
}

/** The outcome of a message that was carried out at once. It would else be a message with an entry of its own. */
export interface OutcomeAtOnce {
  readonly message: string;
  readonly verdicts: readonly Verdict[];
  readonly data?: unknown;
  readonly error?: Fault | undefined;
}

/** An entry's trace: what came of it, and why. */
export interface Trace {
  readonly verdicts: readonly Verdict[];
  /** What the caller was answered, or will be: then `pending` is set. */
  readonly data?: unknown;
  readonly pending?: true | undefined;
  readonly error?: Fault;
  readonly outcome?: OutcomeAtOnce;
  readonly settles?: readonly Settled[] | undefined;
  /** The held message that this entry decides again. */
  readonly continues?: string | undefined;
  /** How many messages followed from it in its commit: their entries stand right behind it. */
  readonly led?: number | undefined;
  /** Where this entry ends a retry: the entry that ended the try before. */
  readonly after?: number | undefined;
  /** How many of the principal's refusals before this one were counted and not recorded. */
  readonly uncounted?: number;
}

export class Recorder {
  readonly #salt: () => string;
  readonly #tables: BaseTables;
  readonly #logged: readonly Table[];

  /** `tables` as they are before what is recorded is applied; `all` of them, session tables included. */
  constructor(salt: () => string, tables: BaseTables, all: readonly Table[]) {
    this.#salt = salt;
    this.#tables = tables;
    this.#logged = all.filter(({ kind }) => kind === "logged");
  }

  /** The entry, with the changes of logged tables among `changes`, and rows that only the log keeps. */
  entry(
    envelope: Envelope,
    verdict: string,
    trace: Trace,
    changes: readonly Change[],
    coldRows: readonly RowChange[],
    log?: LogWork,
  ): NewEntry {
    const rows: RowChange[] = [];
    for (const { table, key, row } of changes) {
      if (table.kind !== "logged") continue;
      if (row === undefined) rows.push({ table: table.name, key, json: undefined });
      else {
        const fresh = this.#tables.get(table, key) === undefined;
        rows.push({ table: table.name, key, json: JSON.stringify(row), fresh });
      }
    }
    if (coldRows.length > 0) rows.push(...coldRows);
    if (log?.rows !== undefined) rows.push(...log.rows);
    // Repeated rows are in the tables already: they go into the entry only.
    const recorded = log?.restates ? [...this.#everyRow(), ...rows] : rows;
    const header = {
      id: envelope.id,
      message: messageName(envelope.message),
      node: envelope.node,
      principal: envelope.principal,
      grant: envelope.grant,
      at: envelope.at,
      cause: envelope.cause,
      verdict,
    };
    const parts = {
      b: bodyText(envelope),
      f: envelope.facts === NO_FACTS ? undefined : JSON.stringify(envelope.facts),
      r: encodeRows(recorded),
      t: traceText(trace),
    };
    const { text, lines, blobs } = encodeEntry(header, parts, this.#salt);
    const entry = { id: envelope.id, at: envelope.at, text, lines, rows, blobs };
    return log?.erases ? { ...entry, erases: log.erases } : entry;
  }

  *#everyRow(): Iterable<RowChange> {
    for (const table of this.#logged) {
      for (const [key, row] of this.#tables.rows(table)) yield { table: table.name, key, json: JSON.stringify(row) };
    }
  }
}

/** As `JSON.stringify` makes it; by hand where a message was carried out at once, as nearly all are. */
function traceText(trace: Trace): string {
  const { outcome } = trace;
  if (outcome === undefined) return JSON.stringify(trace);
  const { message, verdicts, data, error } = outcome;
  const came = `"message":${quote(message)},"verdicts":[${verdictsText(verdicts, saidAtOnce)}]${member("data", data)}${member("error", error)}`;
  return `{"verdicts":[${verdictsText(trace.verdicts, said)}]${member("data", trace.data)},"outcome":{${came}}}`;
}

/** By plugin, its last verdict and the JSON of that: mostly the next one is the same. */
type Said = Map<string, { readonly verdict: Verdict; readonly text: string }>;
const said: Said = new Map();
const saidAtOnce: Said = new Map();

function verdictsText(verdicts: readonly Verdict[], last: Said): string {
  let text = "";
  for (const verdict of verdicts) {
    let known = last.get(verdict.plugin);
    if (known === undefined || !isSame(known.verdict, verdict)) {
      known = { verdict, text: JSON.stringify(verdict) };
      last.set(verdict.plugin, known);
    }
    text = text === "" ? known.text : `${text},${known.text}`;
  }
  return text;
}

function isSame(one: Verdict, other: Verdict): boolean {
  return (
    one.kind === other.kind &&
    one.clause === other.clause &&
    one.wrote === other.wrote &&
    one.publishes === other.publishes
  );
}

/** A member of a JSON object; nothing where the value has no JSON. */
function member(name: string, value: unknown): string {
  const json = value === undefined ? undefined : jsonText(value);
  return json === undefined ? "" : `,"${name}":${json}`;
}

function bodyText(envelope: Envelope): string {
  let text = `{"data":${jsonText(envelope.message.data)}`;
  if (envelope.key !== undefined) text += `,"key":${JSON.stringify(envelope.key)}`;
  if (envelope.request !== undefined) text += `,"request":${JSON.stringify(envelope.request)}`;
  if (envelope.deadline !== undefined) text += `,"deadline":${envelope.deadline}`;
  if (envelope.correlation !== undefined) text += `,"correlation":${JSON.stringify(envelope.correlation)}`;
  if (envelope.traceparent !== undefined) text += `,"traceparent":${JSON.stringify(envelope.traceparent)}`;
  if (envelope.hops > 0) text += `,"hops":${envelope.hops}`;
  if (envelope.via.length > 0) text += `,"via":${JSON.stringify(envelope.via)}`;
  if (envelope.may !== undefined) text += `,"may":${JSON.stringify(envelope.may)}`;
  if (envelope.internal) text += `,"internal":true`;
  return `${text}}`;
}
