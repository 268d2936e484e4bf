// The result of a verification, for programs and as text.

import type { CheckpointVerdict } from "./checkpoint-verdict.ts";
import type { Problem } from "./problems.ts";

/** The result of a verification. */
export interface Verification {
  /** Whether there are no problems, and at least one checkpoint is valid. */
  readonly valid: boolean;
  /** The log's id. */
  readonly log: string | undefined;
  /** `entries` are kept, from `first` on; `leaves` counts all entries that there ever were. */
  readonly entries: number;
  readonly first: number;
  readonly leaves: number;
  /** Numbers of rows and blobs; 0 where only entries were verified. */
  readonly rows: number;
  readonly blobs: number;
  /** How many parts are missing. */
  readonly erased: number;
  /** Base64. */
  readonly root: string;
  readonly checkpoints: readonly CheckpointVerdict[];
  /** Entries after the newest valid checkpoint: nothing proves them yet. */
  readonly unproved: number;
  /** How many problems were found, and the first hundred. */
  readonly found: number;
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** `12 entries, 12 leaves, checkpoint of n-7f3a: valid`, then one line for each problem, action and note. */
export function verificationText(result: Verification): string {
  const { entries, leaves, problems, found, notes } = result;
  const head = `${counted(entries, "entry", "entries")}, ${counted(leaves, "leaf", "leaves")}, ${verdict(result)}`;
  const more = found > problems.length ? [`and ${found - problems.length} more`] : [];
  const lines = problems.map(({ where, what }) => `${where}: ${what}`);
  const todos = [...new Set(problems.map(({ todo }) => todo))].map((todo) => `to do: ${todo}`);
  return [head, ...lines, ...more, ...todos, ...notes].map((line) => `${line}\n`).join("");
}

function verdict({ valid, checkpoints }: Verification): string {
  const best = checkpoints.find((one) => one.valid) ?? checkpoints[0];
  if (best === undefined) return "no checkpoint: nothing is proved";
  const of = best.signedBy === undefined ? "checkpoint" : `checkpoint of ${best.signedBy.replace(/^capstan\//, "")}`;
  if (!best.valid) return `${of}: NOT VALID`;
  return valid ? `${of}: valid` : `${of}: valid, but not all else`;
}

export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
