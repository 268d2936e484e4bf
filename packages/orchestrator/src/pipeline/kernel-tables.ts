// The kernel's own tables: what is owed, what is held, which keys were used, where a late outcome lies, and which
// compositions decided what.

import type { Restoration, RowChange } from "../log/log.ts";
import type { PartName } from "../log/part.ts";
import type { Envelope } from "../message/message.ts";
import type { PluginDescription } from "../plugin/plugin.ts";
import type { Hold } from "../plugin/result.ts";
import { COLD_TABLES, table } from "../state/table.ts";

/** An owed effect. What else is to be known of it (principal, grant, data) stands in the entry `seq` that owes it. */
export interface EffectRow {
  readonly plugin: string;
  readonly kind: string;
  readonly data: unknown;
  readonly attempt: number;
  readonly replayable: boolean;
  /** The owing message and its entry. */
  readonly owing: string;
  readonly seq: number;
  /** The entry by which the try before this one had ended. */
  readonly after?: number;
  readonly notBefore?: number;
  readonly deadline?: number;
  readonly node: string;
  readonly epoch: number;
}

export interface HoldRow {
  readonly plugin: string;
  readonly hold: Hold;
  /** The held message with its envelope: it is decided again from here. */
  readonly envelope: Envelope;
}

export interface KeyRow {
  /** The message that used it, and its entry. */
  readonly id: string;
  readonly seq: number;
  /** SHA-256 of resource, verb and data. */
  readonly digest: string;
}

export interface PipelineRow {
  readonly digest: string;
  readonly plugins: readonly PluginDescription[];
  /** The logged tables that they own. */
  readonly tables?: readonly string[];
}

/** A key that signs for a node. Its checkpoints count up to the entry that retired it. */
export interface NodeKeyRow {
  readonly node: string;
  /** The entry that admitted it. */
  readonly from: number;
  readonly until?: number;
}

/** The parts of an entry that were erased, each with the entry that did it. */
export type ErasureRow = { readonly [P in PartName]?: number };

/** A restore that the log went through. */
export interface RestorationRow extends Restoration {
  /** The entry that records it. */
  readonly entry: number;
}

export const effectTable = table<EffectRow>("effect");
/** By message id. */
export const holdTable = table<HoldRow>("hold");
/** By entry number, padded: the composition in force from that entry on. */
export const pipelineTable = table<PipelineRow>("pipeline");
/** By public key, in base64url. */
export const nodeKeyTable = table<NodeKeyRow>("nodeKey");
/** By the erased entry's number, padded. */
export const erasureTable = table<ErasureRow>("erasure");
/** By the epoch that it began, padded. */
export const restorationTable = table<RestorationRow>("restoration");

/** Entries' numbers as rows' keys, so that they sort. */
export function numberKey(number: number): string {
  return String(number).padStart(16, "0");
}

/** Kept on disk alone, because it grows with every keyed call; a window of it is in memory (keys.ts). */
export const KEY_TABLE = COLD_TABLES[0];
/** Message id → number of the entry that settled it, where that is too far from the message's own to be found by reading on. */
export const OUTCOME_TABLE = COLD_TABLES[1];

/** Entry `seq` settled a message. */
export function outcomeRow(id: string, seq: number): RowChange {
  return { table: OUTCOME_TABLE, key: id, json: String(seq) };
}

/** The fact of a `message.settle`: what the held message is decided with beside the outcome. What it was held with is old. */
export const HELD_FACTS = "message.held";
/** The fact of one that comes too late: an `EndedHold`. */
export const ENDED_HOLD = "message.ended";
