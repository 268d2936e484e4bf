// What a plugin may read beside its decisions: rows as of the tip, the log, and what proves to others what the log holds.

import type { DecodedEntry } from "../log/entry.ts";
import type { Awaitable, LogTree, Restoration, StoredEntry } from "../log/log.ts";
import type { Part } from "../log/part.ts";
import type { CosignedCheckpoints } from "../notary/cosigned-checkpoints.ts";
import type { Table } from "../state/table.ts";

/** Reads for `prepare` and `answer`: the tip's rows, and the log, entries included that are decided and not yet durable. */
export interface Reader {
  readonly node: NodeInfo;
  /** Number of the last decided entry that the reads see. */
  readonly revision: number;
  get<Row>(table: Table<Row>, key: string): Row | undefined;
  rows<Row>(table: Table<Row>): Iterable<readonly [string, Row]>;
  /** As `State.count`. */
  count<Row>(table: Table<Row>, group?: string): number;
  entries(
    from: number,
    options?: { readonly limit?: number; readonly reverse?: boolean },
  ): Awaitable<readonly StoredEntry[]>;
  /** The number of the entry whose message has this id. */
  find(id: string): Awaitable<number | undefined>;
  /** Resolves once entries after `after` are durable, or decided ones were undone, or `ms` milliseconds have passed. */
  durableAfter(after: number, ms: number): Promise<void>;
  /** The JSON of a row of a table that is kept on disk only, as of the durable head. */
  cold(table: string, key: string): Awaitable<string | undefined>;
  /** Number of the oldest entry that is kept: 1, unless the log was compacted. */
  readonly first: number;
  /** A part's value, wherever it is kept; `undefined` where there is none, or it was erased. */
  part(entry: DecodedEntry, part: Part): Awaitable<unknown>;
  /** The JSON, as stored, of a part that is kept beside its entry, by the part's name; `undefined` where it is gone. */
  blob(name: string): Awaitable<string | undefined>;
  readonly proofs: Proofs;
}

/** What proves to others what the log holds. */
export interface Proofs {
  /** The log's id. */
  readonly log: string;
  /** The restores that the log went through, oldest first. */
  readonly restorations: readonly Restoration[];
  readonly tree: LogTree;
  /** A signed checkpoint (proof/checkpoint.ts) that covers at least every entry that was durable at the call. */
  checkpoint(): Promise<string>;
  /** Checkpoints of this log that witnesses cosigned, as a plugin that collects them has verified them. */
  readonly cosigned: CosignedCheckpoints;
}

/** Which node this is. */
export interface NodeInfo {
  readonly id: string;
  readonly name: string;
  /** The data directory; `undefined` where nothing is kept. */
  readonly directory: string | undefined;
}
