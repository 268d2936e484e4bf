// The log as it is stored, by pages, for whoever keeps or verifies a copy: entries' texts with the content that is kept beside
// them, or, where those are gone, the hashes of their leaves alone.

import { decodeEntry, type Envelope, type Part, type Reader, type StoredEntry } from "@capstan/orchestrator";
import { checkKept } from "./history.ts";
import { base64 } from "./prove.ts";

/** UTF-16 code units of a page's texts; a single entry may be longer. An answer is a frame: rpc/limits.ts bounds those. */
const PAGE_LENGTH = 4 * 1024 * 1024;
const MOST_ENTRIES = 1000;
/** 32 bytes each: 2 MiB. */
const MOST_LEAVES = 65_536;
const PARTS: readonly Part[] = ["b", "f", "r", "t"];

interface Asked {
  readonly from: number;
  readonly limit?: number;
  readonly leaves?: boolean;
}

export async function answerExport(envelope: Envelope, reader: Reader) {
  const asked = envelope.message.data as Asked;
  return asked.leaves === true ? leavesFrom(reader, asked) : entriesFrom(reader, asked);
}

async function leavesFrom({ proofs: { tree } }: Reader, { from, limit = MOST_LEAVES }: Asked) {
  const hashes = await tree.leaves(from - 1, Math.min(limit, MOST_LEAVES));
  const next = from + hashes.length / 32;
  return { from, leaves: base64(hashes), ...(next <= tree.size ? { next } : {}) };
}

async function entriesFrom(reader: Reader, { from, limit = MOST_ENTRIES }: Asked) {
  checkKept(reader, from);
  const items: { entry: number; text: string }[] = [];
  const blobs = new Map<string, string>();
  let length = 0;
  let next = from;
  for (const stored of await reader.entries(from, { limit: Math.min(limit, MOST_ENTRIES) })) {
    const { text, content } = await withContent(reader, stored);
    const added = [...content].filter(([name]) => !blobs.has(name));
    length += text.length + added.reduce((sum, [, one]) => sum + one.length, 0);
    if (length > PAGE_LENGTH && items.length > 0) break;
    items.push({ entry: stored.seq, text });
    for (const [name, one] of added) blobs.set(name, one);
    next = stored.seq + 1;
  }
  return {
    from,
    entries: items,
    blobs: Array.from(blobs, ([name, text]) => ({ name, text })),
    ...(next <= reader.revision ? { next } : {}),
  };
}

/** An entry's text, and the content that it names. Content that is erased meanwhile is no longer named: it is read again. */
async function withContent(
  reader: Reader,
  stored: StoredEntry,
): Promise<{ text: string; content: Map<string, string> }> {
  let { text } = stored;
  for (;;) {
    const content = new Map<string, string>();
    const names = blobNames({ seq: stored.seq, text });
    for (const name of names) {
      const one = await reader.blob(name);
      if (one !== undefined) content.set(name, one);
    }
    if (content.size === new Set(names).size) return { text, content };
    const [again] = await reader.entries(stored.seq, { limit: 1 });
    if (again?.seq !== stored.seq || again.text === text) return { text, content };
    text = again.text;
  }
}

/** The content that an entry names, one a part. */
export function blobNames(stored: StoredEntry): string[] {
  const entry = decodeEntry(stored);
  return PARTS.flatMap((part) => {
    const one = entry.stored(part);
    return one?.kind === "blob" ? [one.name] : [];
  });
}
