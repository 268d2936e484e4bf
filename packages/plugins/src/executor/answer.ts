// Executions as they are shown: the open ones from the table, the finished ones from the log.

import {
  type Authority,
  type DecodedEntry,
  decodeEntry,
  type Envelope,
  entryOf,
  type Fault,
  FaultError,
  fault,
  outcomeOf,
  type Reader,
  type StoredEntry,
  siblingId,
} from "@capstan/orchestrator";
import { scanBack } from "../scan-back.ts";
import { executionTable, recallTable } from "./schema.ts";
import { plainly } from "./task/plain-fault.ts";

const PAGE = 50;
const LONGEST_WAIT_MS = 5000;
/** UTF-16 code units of the faults in a list, but for the last one. */
const MOST_OF_FAULTS = 1024 * 1024;

interface Shown {
  readonly id: string;
  readonly action: string;
  readonly state: "running" | "ambiguous" | "done" | "failed";
  readonly principal: string;
  readonly at: number;
  readonly message: string;
  /** Entries that accepted it and settled it. */
  readonly entries: readonly number[];
  readonly attempt?: number;
  readonly output?: unknown;
  readonly error?: Fault;
  readonly untold?: readonly string[];
}

interface Filter {
  readonly action?: string;
  readonly state?: Shown["state"];
  readonly before?: string;
  readonly limit?: number;
}

export async function answerShow(envelope: Envelope, reader: Reader, authority: Authority): Promise<Shown> {
  const { id } = envelope.message.data as { id: string };
  const entry = await entryOf(reader, siblingId(id, "m"));
  if (entry?.header.message !== "action.perform" || entry.header.verdict !== "done") {
    throw new FaultError(fault("EXECUTION_UNKNOWN", `there is no execution ${id}`));
  }
  const shown = await show(reader, entry, true);
  // The grant covers the execution's id; what is told of its action is a matter of the action's namespace.
  if (!authority.reads(shown.action)) throw new FaultError(fault("EXECUTION_UNKNOWN", `there is no execution ${id}`));
  const untold = new Set<string>();
  for (const [key, { execution = key, nodes }] of reader.rows(recallTable))
    if (execution === id) for (const node of nodes) untold.add(node);
  return untold.size === 0 ? shown : { ...shown, untold: [...untold] };
}

export async function answerList(envelope: Envelope, reader: Reader, authority: Authority) {
  const filter = envelope.message.data as Filter;
  const { action, state, before, limit = PAGE } = filter;
  if (state === "running" || state === "ambiguous") return listOpen(filter, reader, authority);
  const items: Shown[] = [];
  const from = before === undefined ? reader.revision : ((await reader.find(siblingId(before, "m"))) ?? 1) - 1;
  let last: StoredEntry | undefined;
  let room = MOST_OF_FAULTS;
  for await (const stored of scanBack(reader, from, limit * 2)) {
    last = stored;
    if (!stored.text.includes('"message":"action.perform"')) continue;
    const entry = decodeEntry(stored);
    if (entry.header.message !== "action.perform" || entry.header.verdict !== "done") continue;
    // Looking for an outcome reads on in the log; the name alone rules most out.
    const name = await actionOf(reader, entry);
    if ((action !== undefined && name !== action) || !authority.reads(name)) continue;
    const shown = await show(reader, entry, false);
    if (state !== undefined && shown.state !== state) continue;
    items.push(shown);
    room -= lengthOf(shown);
    if (items.length === limit || room < 0) break;
  }
  return { items, ...(last !== undefined && last.seq > 1 ? { next: cursorOf(last) } : {}) };
}

/** Any message's id says where in the log a page ended, be it a performing's or not. */
function cursorOf(stored: StoredEntry): string {
  return siblingId(decodeEntry(stored).header.id, "x");
}

/** What is not finished is in memory: the log, however long, is not looked through for it. */
async function listOpen({ action, state, before, limit = PAGE }: Filter, reader: Reader, authority: Authority) {
  const ids: string[] = [];
  for (const [id, row] of reader.rows(executionTable)) {
    if (row.state !== state || (action !== undefined && row.action !== action)) continue;
    if ((before === undefined || id < before) && authority.reads(row.action)) ids.push(id);
  }
  // Ids grow with time: newest first.
  ids.sort().reverse();
  const items: Shown[] = [];
  for (const id of ids.slice(0, limit)) {
    const entry = await entryOf(reader, siblingId(id, "m"));
    if (entry !== undefined) items.push(await show(reader, entry, false));
  }
  return { items, ...(ids.length > limit ? { next: ids[limit - 1] } : {}) };
}

function lengthOf({ error }: Shown): number {
  return error === undefined ? 0 : error.message.length + (JSON.stringify(error.details) ?? "").length;
}

async function actionOf(reader: Reader, entry: DecodedEntry): Promise<string> {
  return ((await reader.part(entry, "b")) as { data?: { name: string } } | undefined)?.data?.name ?? "";
}

async function show(reader: Reader, entry: DecodedEntry, whole: boolean): Promise<Shown> {
  const { id: message, principal, at } = entry.header;
  const id = siblingId(message, "x");
  const row = reader.get(executionTable, id);
  const common = { id, action: await actionOf(reader, entry), principal, at, message };
  // It may have ended a moment ago: outcomes are read as of what is durable, where it may be one of which nobody knows, or that failed before.
  // A list of many waits for none.
  if (whole && row === undefined) await reader.durableAfter(reader.revision - 1, LONGEST_WAIT_MS);
  const isShown = row === undefined || (whole && row.state === "ambiguous");
  const found = isShown ? await outcomeOf(reader, entry) : undefined;
  if (row !== undefined) {
    // What whoever waited was told of it last.
    const told = found?.outcome.kind === "failed" ? { error: found.outcome.error } : {};
    return { ...common, state: row.state, attempt: row.attempt, entries: [entry.seq], ...told };
  }
  if (found === undefined) return { ...common, state: "running", entries: [entry.seq] };
  // What was answered at once has its outcome in the same entry.
  const entries = found.seq === entry.seq ? [entry.seq] : [entry.seq, found.seq];
  if (found.outcome.kind === "failed") {
    const { error } = found.outcome;
    // One that came from elsewhere may be as large as a frame.
    return { ...common, state: "failed", entries, error: whole ? error : plainly(error, common.action) };
  }
  const { output } = (found.outcome.data ?? {}) as { output?: unknown };
  return { ...common, state: "done", entries, ...(whole && output !== undefined ? { output } : {}) };
}
