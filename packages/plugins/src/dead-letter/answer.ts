// Dead letters as they are shown: the open ones from the table, what each says and what became of it from the log.

import {
  type Authority,
  decodeEntry,
  type Envelope,
  FaultError,
  fault,
  outcomeOf,
  printable,
  type Reader,
  siblingId,
  timeOfId,
} from "@capstan/orchestrator";
import { writtenLetter } from "./prepare.ts";
import { type LetterRow, letterTable } from "./schema.ts";

const PAGE = 50;

interface Filter {
  readonly kind?: string;
  readonly name?: string;
  readonly code?: string;
  readonly state?: "open" | "redriving";
  readonly before?: string;
  readonly limit?: number;
}

export function answerList(envelope: Envelope, reader: Reader, authority: Authority) {
  const { kind, name, code, state, before, limit = PAGE } = envelope.message.data as Filter;
  const readable = remembered(authority.reads);
  const newest = new Newest(limit + 1);
  for (const [id, row] of reader.rows(letterTable)) {
    if (kind !== undefined && row.kind !== kind) continue;
    if (name !== undefined && row.name !== name) continue;
    if (code !== undefined && row.code !== code) continue;
    if (state !== undefined && stateOf(row) !== state) continue;
    if ((before === undefined || id < before) && readable(row.name)) newest.offer(id);
  }
  const ids = newest.take();
  const items = ids.slice(0, limit).map((id) => listed(id, reader.get(letterTable, id) as LetterRow));
  return { items, ...(ids.length > limit ? { next: ids[limit - 1] } : {}) };
}

export async function answerShow(envelope: Envelope, reader: Reader, authority: Authority) {
  const { id } = envelope.message.data as { id: string };
  const row = reader.get(letterTable, id);
  const written = await writtenLetter(reader, id);
  const name = row?.name ?? written?.letter?.name;
  // The grant covers the letter's id; what is told of it is a matter of the namespace of what it is of.
  if (written === undefined || name === undefined || !authority.reads(name)) {
    throw new FaultError(
      fault(
        "DEAD_LETTER_UNKNOWN",
        `there is no dead letter ${printable(id)}; deadLetter.list names those that are open`,
      ),
    );
  }
  const { entry, letter } = written;
  const alert = await alertBehind(reader, entry.seq, entry.header.id);
  const found = row === undefined ? await outcomeOf(reader, entry) : undefined;
  const end = found?.outcome.kind === "done" ? (found.outcome.data as End) : undefined;
  return {
    id,
    at: entry.header.at,
    state: row === undefined ? endState(end) : stateOf(row),
    ...(row?.redriving === undefined ? {} : { redriving: row.redriving }),
    ...(end === undefined ? {} : { end }),
    ...(letter === undefined ? { ...(row ?? {}), erased: true } : letter),
    ...(alert === undefined ? {} : { alert }),
    entries: [entry.seq, ...(found === undefined ? [] : [found.seq])],
  };
}

/** The oldest entry that an open letter cannot be redriven without. */
export async function retained(reader: Reader) {
  let oldest: readonly [string, LetterRow] | undefined;
  for (const one of reader.rows(letterTable)) if (oldest === undefined || one[1].owing < oldest[1].owing) oldest = one;
  if (oldest === undefined) return undefined;
  const [id, { owing, name }] = oldest;
  const entry = (await reader.find(owing)) ?? (await reader.find(siblingId(id, "m")));
  return entry === undefined ? undefined : { entry, why: `dead letter ${id}, of ${name}: redrive or discard it` };
}

interface End {
  readonly message?: string;
  readonly discarded?: string;
  readonly replaced?: string;
}

function endState(end: End | undefined): "redriven" | "discarded" | "replaced" | "over" {
  if (end?.message !== undefined) return "redriven";
  if (end?.discarded !== undefined) return "discarded";
  return end?.replaced === undefined ? "over" : "replaced";
}

function stateOf({ redriving }: LetterRow): "open" | "redriving" {
  return redriving === undefined ? "open" : "redriving";
}

function listed(id: string, row: LetterRow) {
  const { kind, about, name, attempts, code, redriving } = row;
  const common = { id, kind, about, name, attempts, code, at: timeOfId(id), state: stateOf(row) };
  return redriving === undefined ? common : { ...common, redriving };
}

/** The entry of a letter's alert: it follows from the letter's own, in the same commit. */
async function alertBehind(reader: Reader, seq: number, id: string): Promise<number | undefined> {
  const [stored] = await reader.entries(seq + 1, { limit: 1 });
  const header = stored === undefined ? undefined : decodeEntry(stored).header;
  return header?.cause === id && header.message === "alert.raised" ? stored?.seq : undefined;
}

/** Names are few, and letters may be many. */
function remembered(reads: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    let may = known.get(name);
    if (may === undefined) {
      may = reads(name);
      known.set(name, may);
    }
    return may;
  };
}

/** The greatest of many ids, without sorting all: what cannot be among them any more is dropped as it fills. */
class Newest {
  readonly #most: number;
  #ids: string[] = [];
  #least = "";

  constructor(most: number) {
    this.#most = most;
  }

  offer(id: string): void {
    if (id <= this.#least) return;
    this.#ids.push(id);
    if (this.#ids.length >= 4 * this.#most) this.#least = this.take().at(-1) as string;
  }

  /** Newest first. */
  take(): readonly string[] {
    this.#ids = this.#ids.sort().slice(-this.#most);
    return this.#ids.toReversed();
  }
}
