// Where a backup is read from: a running node, here or elsewhere, or the file of one that is stopped. A source is not
// trusted: what it gives is held against what was signed.

import type { Blob } from "../log/log.ts";

export interface ExportedEntry {
  readonly entry: number;
  /** The entry's text, as stored. */
  readonly text: string;
}

/** A page of entries, with the blobs that they name. */
export interface ExportPage {
  /** Ascending, without a gap. */
  readonly entries: readonly ExportedEntry[];
  /** The blobs that these entries name. */
  readonly blobs: readonly Blob[];
}

/** Where a backup reads a log from. It is not trusted. */
export interface BackupSource {
  /** A signed checkpoint that covers all that is durable at the call. */
  checkpoint(): Promise<string>;
  /** The oldest entry that is kept now. */
  first(): Promise<number>;
  /** A page of entries from `from` on. @throws FaultError HISTORY_GONE where they were compacted away */
  entries(from: number): Promise<ExportPage>;
  /** A page of at most `count` leaf hashes from `index` on, 32 bytes each. */
  leaves(index: number, count: number): Promise<Uint8Array>;
}
