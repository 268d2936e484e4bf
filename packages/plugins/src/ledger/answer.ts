// Answers from the log's entries. Filters look at headers alone.

import { type DecodedEntry, decodeEntry, type Envelope, erasedBy, type Reader } from "@capstan/orchestrator";
import { scanBack } from "../scan-back.ts";
import { checkKept, named, notFound, numberOf } from "./history.ts";

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
  let last = reader.first;
  for await (const stored of scanBack(reader, from, limit * 2)) {
    last = stored.seq;
    const entry = decodeEntry(stored);
    if (matches(filter, entry)) items.push(listed(entry));
    if (items.length === limit) break;
  }
  return { items, ...(last > reader.first ? { next: last } : {}) };
}

export async function answerTail(envelope: Envelope, reader: Reader) {
  const filter = envelope.message.data as Filter & { readonly from?: number; readonly wait?: number };
  const { limit = PAGE, wait = MOST_WAIT_MS } = filter;
  let from = filter.from ?? reader.revision + 1;
  checkKept(reader, from);
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
  const asked = named(envelope);
  const [stored] = await reader.entries(await numberOf(reader, asked), { limit: 1 });
  if (stored === undefined) throw notFound(reader, asked);
  const entry = decodeEntry(stored);
  const { seq, header } = entry;
  const erased = erasedBy(reader, seq);
  return {
    entry: seq,
    ...header,
    body: await reader.part(entry, "b"),
    facts: await reader.part(entry, "f"),
    rows: await reader.part(entry, "r"),
    trace: await reader.part(entry, "t"),
    // A part that is not there was erased by that entry.
    ...(erased === undefined ? {} : { erased }),
  };
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
