// What a node logs about the peers' logs that it witnesses: findings, and operators' acceptances. The held checkpoints and leaves
// are in files (held-logs.ts): if they were logged, each cosignature would make a new checkpoint to cosign, for ever.

import { type FaultTable, table } from "@capstan/orchestrator";

/**
 * Forked: it signed other entries in the place of earlier ones. Rewound: it is shorter than before, or of an earlier start. Replaced: the node
 * shows another log. In each case no declared restore explains it.
 */
export const alertKinds = ["forked", "rewound", "replaced"] as const;
export type AlertKind = (typeof alertKinds)[number];

/** A finding, with both checkpoints that the log signed: with its key, anybody can verify the finding by them. */
export interface Finding {
  readonly kind: AlertKind;
  /** The first entry that was changed or is missing; `undefined` where the kept leaves do not tell. */
  readonly entry?: number | undefined;
  /** The reason, as text. */
  readonly why: string;
  readonly held: string;
  /** Empty where the node showed no checkpoint: it was refused because it came in an earlier start. */
  readonly shown: string;
}

export interface WitnessAlert extends Finding {
  readonly log: string;
  /** Milliseconds since the epoch, and the message that recorded it. */
  readonly at: number;
  readonly message: string;
}

/** By a peer's node. */
export interface WitnessRow {
  readonly name: string;
  /** While it is set, no checkpoint of that node is cosigned. */
  readonly alert?: WitnessAlert | undefined;
  /** When an operator accepted the log (`witness.accept`): earlier cosigned checkpoints do not count any more. */
  readonly accepted?: number | undefined;
}

export const witnessTable = table<WitnessRow>("witness");

/** The most leaves in one answer. */
export const LEAVES_A_PAGE = 4096;
/** The most characters of a note: the protocol's bound (@capstan/peer, wire/names.ts). */
export const LONGEST_NOTE = 8192;

export const witnessFaults = {
  WITNESS_NOTHING: {
    status: 404,
    retryable: false,
    text: "This node holds no checkpoint of that log: it witnesses its peers' logs, from the first checkpoint that they show.",
  },
} as const satisfies FaultTable;
