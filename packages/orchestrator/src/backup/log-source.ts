// A log as the source of a backup.

import { FaultError, fault } from "../fault/fault.ts";
import { blobsOf } from "../log/entry-parts.ts";
import type { Awaitable, Blob, Log, LogTree } from "../log/log.ts";
import type { BackupSource } from "./backup-source.ts";

/** Entries that are read at a time, and UTF-16 code units of their texts after which no further one is. */
const PAGE_ENTRIES = 1000;
const PAGE_LENGTH = 4 * 1024 * 1024;
const PAGE_LEAVES = 65_536;

/** What of a log a backup reads. */
export interface ReadableLog extends Pick<Log, "first" | "read" | "blob"> {
  readonly tree: Pick<LogTree, "leaves">;
}

/** A backup source that reads an open log. */
export function logSource(log: ReadableLog, checkpoint: () => Awaitable<string>): BackupSource {
  return {
    checkpoint: async () => checkpoint(),
    first: async () => log.first,
    async entries(from) {
      if (from < log.first) throw new FaultError(fault("HISTORY_GONE", `entry ${from} was compacted away`));
      const entries: { entry: number; text: string }[] = [];
      const blobs = new Map<string, Blob>();
      let length = 0;
      for (const { seq, text } of await log.read(from, { limit: PAGE_ENTRIES })) {
        for (const name of blobsOf(text)) {
          const content = blobs.has(name) ? undefined : await log.blob(name);
          if (content === undefined) continue;
          blobs.set(name, { name, text: content });
          length += content.length;
        }
        entries.push({ entry: seq, text });
        length += text.length;
        if (length > PAGE_LENGTH) break;
      }
      return { entries, blobs: [...blobs.values()] };
    },
    leaves: async (index, count) => log.tree.leaves(index, Math.min(count, PAGE_LEAVES)),
  };
}
