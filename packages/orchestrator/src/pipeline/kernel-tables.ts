// The kernel's own tables: what is owed, what is held, which keys were used, where a late outcome lies, and which
// compositions decided what.

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
}

export const effectTable = table<EffectRow>("effect");
/** By message id. */
export const holdTable = table<HoldRow>("hold");
/** By entry number, padded: the composition in force from that entry on. */
export const pipelineTable = table<PipelineRow>("pipeline");

/** Kept on disk alone, because it grows with every keyed call; a window of it is in memory (keys.ts). */
export const KEY_TABLE = COLD_TABLES[0];
/** Message id → number of the entry that settled it, where that is too far from the message's own to be found by reading on. */
export const OUTCOME_TABLE = COLD_TABLES[1];
