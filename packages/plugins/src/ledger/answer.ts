// Answers from the log's entries. Filters look at headers alone.

import {
  type DecodedEntry,
  decodeEntry,
  type Envelope,
  entryOf,
  FaultError,
  fault,
  type Reader,
} from "@capstan/orchestrator";
import { scanBack } from "../scan-back.ts";

const PAGE = 50;
const MOST_WAIT_MS = 25_000;

interface Filter {
  readonly message?: string;
  readonly principal?: string;
  readonly verdict?: string;
  readonly limit?: number;
}

export async function answerList(envelope: Envelope, reader: Reader) {
  const filter = envelope.message.data as Filter & { readonly before?: number };
  const { limit = PAGE } = filter;
  const items: ReturnType<typeof listed>[] = [];
  const from = filter.before === undefined ? reader.revision : filter.before - 1;
  let last = 1;
  for await (const stored of scanBack(reader, from, limit * 2)) {
    last = stored.seq;
    const entry = decodeEntry(stored);
    if (matches(filter, entry)) items.push(listed(entry));
    if (items.length === limit) break;
  }
  return { items, ...(last > 1 ? { next: last } : {}) };
}

export async function answerTail(envelope: Envelope, reader: Reader) {
  const filter = envelope.message.data as Filter & { readonly from?: number; readonly wait?: number };
  const { limit = PAGE, wait = MOST_WAIT_MS } = filter;
  let from = filter.from ?? reader.revision + 1;
  if (from > reader.revision) await reader.durableAfter(from - 1, wait);
  const items: ReturnType<typeof listed>[] = [];
  for (const stored of await reader.entries(from, { limit: 1000 })) {
    from = stored.seq + 1;
    const entry = decodeEntry(stored);
    if (matches(filter, entry)) items.push(listed(entry));
    if (items.length === limit) break;
  }
  return { items, next: from };
}

export async function answerShow(envelope: Envelope, reader: Reader) {
  const asked = envelope.message.data as { readonly entry?: number; readonly id?: string };
  const entry = asked.id === undefined ? await entryAt(reader, asked.entry) : await entryOf(reader, asked.id);
  if (entry === undefined) {
    throw new FaultError(
      fault("ENTRY_NOT_FOUND", `no entry ${asked.id ?? asked.entry ?? "was named; give entry or id"}`),
    );
  }
  const { seq, header } = entry;
  return {
    entry: seq,
    ...header,
    body: entry.part("b"),
    facts: entry.part("f"),
    rows: entry.part("r"),
    trace: entry.part("t"),
  };
}

async function entryAt(reader: Reader, seq: number | undefined): Promise<DecodedEntry | undefined> {
  if (seq === undefined) return undefined;
  const [stored] = await reader.entries(seq, { limit: 1 });
  return stored === undefined ? undefined : decodeEntry(stored);
}

export function answerHead(_envelope: Envelope, reader: Reader) {
  return { entries: reader.revision, node: reader.node.id, name: reader.node.name };
}

function matches({ message, principal, verdict }: Filter, { header }: DecodedEntry): boolean {
  if (message !== undefined && !nameMatches(message, header.message)) return false;
  if (principal !== undefined && principal !== header.principal) return false;
  return verdict === undefined || header.verdict === verdict;
}

/** `action.perform`, or `action.*`. */
function nameMatches(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function listed({ seq, header }: DecodedEntry) {
  const { id, message, principal, grant, at, verdict, cause } = header;
  return { entry: seq, id, message, principal, grant, at, verdict, ...(cause === undefined ? {} : { cause }) };
}
