// Where a backup is read from: a running node, here or elsewhere, or the file of one that is stopped. A source is not
// trusted: what it gives is held against what was signed.

import type { Blob } from "../log/log.ts";

export interface ExportedEntry {
  readonly entry: number;
  /** As it is stored. */
  readonly text: string;
}

export interface ExportPage {
  /** Ascending, without a gap. */
  readonly entries: readonly ExportedEntry[];
  /** The content that these entries name. */
  readonly blobs: readonly Blob[];
}

export interface BackupSource {
  /** A signed checkpoint of all that is durable when it is asked for. */
  checkpoint(): Promise<string>;
  /** The oldest entry that is kept now. */
  first(): Promise<number>;
  /** Entries from `from` on: as many as it gives at a time. @throws FaultError HISTORY_GONE where that was compacted away */
  entries(from: number): Promise<ExportPage>;
  /** Leaf hashes from `index` on, 32 bytes each: as many as it gives at a time, `count` at most. */
  leaves(index: number, count: number): Promise<Uint8Array>;
}
