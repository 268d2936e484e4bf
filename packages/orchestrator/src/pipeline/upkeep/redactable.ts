// The facts that `log.redact` is decided with: the entry's parts, and which of their rows are still in force. They repeat nothing of what is
// to be erased, except names of rows that stay.

import { type Fault, fault } from "../../fault/fault.ts";
import type { DecodedEntry } from "../../log/entry.ts";
import type { Log, RowChange } from "../../log/log.ts";
import { PART_NAMES, PARTS, type Part, type PartName } from "../../log/part.ts";
import type { Envelope, Facts } from "../../message/message.ts";
import type { Composition } from "../../plugin/composition.ts";
import type { Reader } from "../../plugin/reader.ts";
import { COLD_TABLES } from "../../state/table.ts";
import { KEY_TABLE, type KeyRow, OUTCOME_TABLE } from "../kernel-tables.ts";
import { keyRowKeys, requestRowKey } from "../keys.ts";
import { entryAt, outcomeOf } from "../outcomes.ts";
import type { Body, Trace } from "../recorder.ts";
import { entryIn } from "./trimming.ts";

export const REDACTABLE = "log.redactable";

export interface Redactable {
  readonly entry: number;
  readonly id: string;
  /** Letters of the parts that are there to be erased. */
  readonly parts: readonly Part[];
  /** Asked for, and not there. */
  readonly absent: readonly PartName[];
  /** Its message is pending. */
  readonly open: boolean;
  /** Rows that the part wrote and that still are as it wrote them. */
  readonly live: readonly (readonly [table: string, key: string])[];
  /** Rows to repeat, so that a replay of the rest gives the same state: removals, and rows of tables that are kept on disk only. */
  readonly rows: readonly RowChange[];
  /** Messages whose outcome it tells. */
  readonly outcomes: readonly string[];
}

export interface RedactableParts {
  readonly composition: Composition;
  readonly log: Log;
  readonly reader: Reader;
  /** Lets others run. */
  pause(): Promise<void>;
}

type Row = readonly [table: string, key: string, row?: unknown];

const LONGEST_WAIT_MS = 5000;
const LETTERS = Object.fromEntries(PARTS.map((letter) => [PART_NAMES[letter], letter])) as Record<PartName, Part>;
const COLD: ReadonlySet<string> = new Set(COLD_TABLES);
/** Stands for the digest of an erased body: it equals no other. */
const NO_DIGEST = "";

export function redactable(parts: RedactableParts) {
  return async (envelope: Envelope): Promise<Facts> => {
    const asked = envelope.message.data as { entry?: number; id?: string; parts: readonly PartName[] };
    const { reader } = parts;
    const number = asked.entry ?? (asked.id === undefined ? undefined : await reader.find(asked.id));
    if (number !== undefined && number <= reader.revision) await reader.durableAfter(number - 1, LONGEST_WAIT_MS);
    const entry = number === undefined || number < reader.first ? undefined : await entryAt(reader, number);
    if (entry === undefined) return { [REDACTABLE]: missing(reader, number, asked.id) };
    return { [REDACTABLE]: await look(parts, entry, new Set(asked.parts.map((name) => LETTERS[name]))) };
  };
}

function missing({ first }: Reader, number: number | undefined, id: string | undefined): Fault {
  if (number !== undefined && number < first) {
    const text = `entry ${number} is gone: the log was compacted, and keeps entries from ${first} on`;
    return fault("HISTORY_GONE", text, { first });
  }
  if (number === undefined && id === undefined) return fault("MESSAGE_INVALID", "log.redact: give entry or id");
  return fault("MESSAGE_NOT_FOUND", `the log has no entry ${id ?? number}`);
}

async function look(parts: RedactableParts, entry: DecodedEntry, letters: ReadonlySet<Part>): Promise<Redactable> {
  const { reader } = parts;
  const there = [...letters].filter((letter) => (entry.stored(letter)?.kind ?? "erased") !== "erased");
  const body = (await reader.part(entry, "b")) as Body | undefined;
  const trace = (await reader.part(entry, "t")) as Trace | undefined;
  const written = ((await reader.part(entry, "r")) ?? []) as readonly Row[];
  const { live, rows } = letters.has("r") ? await standing(parts, entry, written) : { live: [], rows: [] };
  const again = [...rows];
  if (letters.has("b") || letters.has("r")) again.push(...(await keyWithout(parts, entry, body, letters.has("b"))));
  const settled = trace?.settles?.map(({ id }) => id) ?? [];
  const outcomes = trace?.continues === undefined ? settled : [...settled, trace.continues];
  // Without its trace nobody could find this entry by reading on from the message.
  if (letters.has("t"))
    for (const id of outcomes) again.push({ table: OUTCOME_TABLE, key: id, json: String(entry.seq) });
  return {
    entry: entry.seq,
    id: entry.header.id,
    parts: there,
    absent: [...letters].filter((letter) => !there.includes(letter)).map((letter) => PART_NAMES[letter]),
    open: trace?.pending === true && (await outcomeOf(reader, entry)) === undefined,
    live,
    rows: again,
    outcomes: [entry.header.id, ...outcomes],
  };
}

/** What of the rows that the entry wrote is still in force. */
async function standing(parts: RedactableParts, entry: DecodedEntry, written: readonly Row[]) {
  const { composition, log, reader } = parts;
  const last = new Map(written.map((row) => [JSON.stringify([row[0], row[1]]), row]));
  const live: [string, string][] = [];
  const rows: RowChange[] = [];
  const removed: Row[] = [];
  for (const row of last.values()) {
    const [name, key] = row;
    const table = COLD.has(name) ? undefined : composition.tables.find((one) => one.name === name);
    const held = table === undefined ? await log.row(name, key) : JSON.stringify(reader.get(table, key));
    if (row.length === 2) {
      if (held === undefined) removed.push(row);
    } else if (held === JSON.stringify(row[2])) {
      // In such rows only a body's digest could tell anything; `keyWithout` removes that.
      if (name === OUTCOME_TABLE) rows.push({ table: name, key, json: held });
      else if (name !== KEY_TABLE) live.push([name, key]);
    }
  }
  for (const [table, key] of await putBefore(parts, entry.seq, removed)) rows.push({ table, key, json: undefined });
  return { live, rows };
}

/** The rows of key and request that the entry wrote, to be repeated; without the body's digest where the body is erased. */
async function keyWithout(
  { log }: RedactableParts,
  { seq, header }: DecodedEntry,
  body: Body | undefined,
  gone: boolean,
) {
  const { key: own, request } = body ?? {};
  const keys = own === undefined ? [] : [...keyRowKeys(header.principal, own)];
  if (request !== undefined) keys.push(requestRowKey(request));
  const rows: RowChange[] = [];
  for (const key of keys) {
    const json = await log.row(KEY_TABLE, key);
    if (json === undefined || entryIn(KEY_TABLE, json) !== seq) continue;
    const row = JSON.parse(json) as KeyRow;
    rows.push({ table: KEY_TABLE, key, json: gone ? JSON.stringify({ ...row, digest: NO_DIGEST }) : json });
  }
  return rows;
}

/** At most so many entries are searched for one that put a row; beyond that it is assumed that there is one. */
const MOST_LOOKED_THROUGH = 50_000;
const PAGE = 1000;

/** Those of the removed rows that an earlier entry put: a replay without the removal would bring them back. */
async function putBefore({ reader, pause }: RedactableParts, seq: number, removed: readonly Row[]): Promise<Row[]> {
  const wanted = new Map(removed.map((row) => [`[${JSON.stringify(row[0])},${JSON.stringify(row[1])},`, row]));
  const found: Row[] = [];
  for (let from = seq - 1; wanted.size > 0; ) {
    const page =
      seq - from > MOST_LOOKED_THROUGH ? undefined : await reader.entries(from, { limit: PAGE, reverse: true });
    for (const { text } of page ?? []) {
      // Rows that are kept beside their entry are not in its text: assume that they are among the wanted.
      const all = text.includes("\nR");
      for (const [put, row] of wanted) {
        if (!all && !text.includes(put)) continue;
        wanted.delete(put);
        found.push(row);
      }
    }
    const last = page?.at(-1);
    if (page !== undefined && last === undefined) return found;
    if (page === undefined) return [...found, ...wanted.values()];
    from = (last?.seq ?? 1) - 1;
    await pause();
  }
  return found;
}
