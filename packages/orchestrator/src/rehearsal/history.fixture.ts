// A log's history for tests, as it would be kept: its beginning compacted away, parts erased, parts kept beside their entries.
// Whatever is asked of it but to be read is a failure.

import type { Log, StoredEntry } from "../log/log.ts";
import { PARTS, type Part } from "../log/part.ts";
import type { History } from "./survey.ts";

export interface Kept {
  /** Number of the oldest entry that is kept. */
  readonly first?: number;
  /** `[entry, part]` */
  readonly erased?: readonly (readonly [number, Part])[];
  /** All parts lie beside their entries. */
  readonly beside?: boolean;
}

/** Answers later, as a log elsewhere would. */
export async function historyOf(log: Log, { first = 1, erased = [], beside = false }: Kept = {}): Promise<History> {
  const blobs = new Map<string, string>();
  const all = await log.read(1, { limit: Number.POSITIVE_INFINITY });
  const entries = all.map(({ seq, text }): StoredEntry => {
    const [header = "", ...parts] = text.split("\n");
    const kept = parts.filter((line) => !erased.some(([entry, part]) => entry === seq && line[0] === part));
    return { seq, text: [header, ...(beside ? kept.map((line) => aside(line, blobs)) : kept)].join("\n") };
  });
  return {
    first,
    head: log.head,
    read: async (from, { limit = 1000 } = {}) =>
      entries.filter(({ seq }) => seq >= Math.max(from, first)).slice(0, limit),
    rows: async (...args) => log.rows(...args),
    blob: async (name) => blobs.get(name),
  };
}

function aside(line: string, blobs: Map<string, string>): string {
  const [part, json] = [line[0] as Part, line.slice(23)];
  if (!PARTS.includes(part)) return line;
  const name = `sha256-${Bun.SHA256.hash(json, "hex")}`;
  blobs.set(name, json);
  return part.toUpperCase() + line.slice(1, 23) + name;
}
