// A server's history, read over the wire and kept here: whoever rehearses on it touches nothing of the server. The rows are
// those that the entries say they wrote.

import { type Awaitable, decodeEntry, type History, type StoredEntry, type StoredRow } from "@capstan/orchestrator";
import type { Target } from "../settings/target.ts";
import { ask } from "./ask.ts";

interface Page {
  /** Ascending, as they are stored. */
  readonly entries: readonly { readonly entry: number; readonly text: string }[];
  /** Content that these entries name. */
  readonly blobs: readonly { readonly name: string; readonly text: string }[];
}

const PAGE = 1000;

/** Everything that is kept and durable when it is asked for. @throws FaultError */
export async function exportHistory(
  target: Target,
  progress: (done: number, of: number) => void = () => {},
): Promise<History> {
  const log = (await ask(target, "log.head")) as { readonly entries: number; readonly first: number };
  const history = new ExportedHistory();
  for (let from = log.first; from <= log.entries; from = history.head + 1) {
    const page = (await ask(target, "log.export", { from, limit: Math.min(PAGE, log.entries - from + 1) })) as Page;
    if (page.entries.length === 0) break;
    history.add(page);
    progress(history.head - log.first + 1, log.entries - log.first + 1);
  }
  return history;
}

/** Entries that follow one another, and what they come to. */
export class ExportedHistory implements History {
  readonly #entries: StoredEntry[] = [];
  readonly #blobs = new Map<string, string>();
  #tables: ReadonlyMap<string, readonly StoredRow[]> | undefined;

  get first(): number {
    return this.#entries[0]?.seq ?? 1;
  }

  get head(): number {
    return this.#entries.at(-1)?.seq ?? 0;
  }

  add({ entries, blobs }: Page): void {
    for (const { entry, text } of entries) this.#entries.push({ seq: entry, text });
    for (const { name, text } of blobs) this.#blobs.set(name, text);
    this.#tables = undefined;
  }

  read(from: number, { limit = PAGE }: { readonly limit?: number } = {}): readonly StoredEntry[] {
    const start = Math.max(from - this.first, 0);
    return this.#entries.slice(start, start + limit);
  }

  rows(table: string, { after, limit = PAGE }: { readonly after?: string; readonly limit?: number } = {}) {
    this.#tables ??= materialised(this.#entries, this.#blobs);
    const rows = this.#tables.get(table) ?? [];
    const start = after === undefined ? 0 : rows.findIndex(({ key }) => key > after);
    return start < 0 ? [] : rows.slice(start, start + limit);
  }

  blob(name: string): Awaitable<string | undefined> {
    return this.#blobs.get(name);
  }
}

/** Every table's rows by their keys, as the entries left them. */
function materialised(entries: readonly StoredEntry[], blobs: ReadonlyMap<string, string>): Map<string, StoredRow[]> {
  const tables = new Map<string, Map<string, string>>();
  for (const stored of entries) {
    const part = decodeEntry(stored).stored("r");
    const json = part?.kind === "blob" ? blobs.get(part.name) : part?.kind === "inline" ? part.json : undefined;
    for (const row of JSON.parse(json ?? "[]") as readonly (readonly [string, string, unknown?])[]) {
      const rows = tables.get(row[0]) ?? new Map<string, string>();
      tables.set(row[0], rows);
      if (row.length === 2) rows.delete(row[1]);
      else rows.set(row[1], JSON.stringify(row[2]));
    }
  }
  return new Map(
    [...tables].map(([table, rows]) => {
      const sorted = [...rows].sort(([one], [other]) => (one < other ? -1 : 1));
      return [table, sorted.map(([key, json]) => ({ table, key, json }))];
    }),
  );
}
