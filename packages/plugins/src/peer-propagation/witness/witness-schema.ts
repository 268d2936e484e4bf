// What a node records of the logs that it witnesses: that one was found to be another than it was, and that an operator has taken note
// of it. What it holds of them is in files (held-logs.ts): in the log, two idle nodes would give each other news for ever.

import { type FaultTable, table } from "@capstan/orchestrator";

/** Forked: signed twice, with other entries. Rewound: shorter than it was. Replaced: the node shows another log. No restore says why. */
export const alertKinds = ["forked", "rewound", "replaced"] as const;
export type AlertKind = (typeof alertKinds)[number];

/** What was found, with both notes that the log signed: whoever trusts its key can see it by them. */
export interface Finding {
  readonly kind: AlertKind;
  /** The first entry that is another one, or is missing; not where no leaf that is kept tells. */
  readonly entry?: number | undefined;
  /** In words. */
  readonly why: string;
  readonly held: string;
  /** Empty where it showed none: it was refused for coming in an earlier start. */
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
  /** As long as it stands, nothing of that node's is cosigned. */
  readonly alert?: WitnessAlert | undefined;
  /** When an operator had it begun anew: what was cosigned up to then is void. */
  readonly accepted?: number | undefined;
}

export const witnessTable = table<WitnessRow>("witness");

/** Leaves in one answer. */
export const LEAVES_A_PAGE = 4096;
/** Characters of a note: the protocol's bound (@capstan/peer, wire/names.ts). */
export const LONGEST_NOTE = 8192;

export const witnessFaults = {
  WITNESS_NOTHING: {
    status: 404,
    retryable: false,
    text: "The node holds nothing of that log: it witnesses the logs of its peers, from the first checkpoint on that they show.",
  },
} as const satisfies FaultTable;
