// Rounds of a figure: ours and the anchor by turns, so that both meet the same machine. A round in which other processes took
// much of it is thrown away, within bounds; past them it is kept, and counted as disturbed.

import { busyMicros } from "./machine.ts";

/** One side of a round. */
export interface Side {
  /** Calls a second, or milliseconds: what the figure compares. */
  readonly value: number;
  /** Microseconds of CPU a call. */
  readonly cpu: { readonly server: number; readonly client: number };
  /** All that our processes used meanwhile, in microseconds. */
  readonly used: number;
}

export interface Rounds<Measured = Side> {
  readonly ours: readonly Measured[];
  readonly anchor: readonly Measured[];
  readonly rejected: number;
  /** Kept though others took their share, because every retry was used up. */
  readonly disturbed: number;
}

/** More than this part of one core taken by others, and the round says nothing. */
const OTHERS_AT_MOST = 0.2;
/** For each round that is wanted, how many may be thrown away on the way there. */
const RETRIES_A_ROUND = 2;

export async function alternate<Measured extends Pick<Side, "used"> = Side>(
  rounds: number,
  ours: () => Promise<Measured>,
  anchor: () => Promise<Measured>,
): Promise<Rounds<Measured>> {
  const kept = { ours: [] as Measured[], anchor: [] as Measured[] };
  let rejected = 0;
  let disturbed = 0;
  for (let round = 0; kept.ours.length < rounds; round++) {
    // Who goes second meets a warmer machine: they take turns at that too.
    const oursFirst = round % 2 === 0;
    const first = await watched(oursFirst ? ours : anchor);
    const second = await watched(oursFirst ? anchor : ours);
    const quiet = first.others <= OTHERS_AT_MOST && second.others <= OTHERS_AT_MOST;
    if (!quiet && rejected < rounds * RETRIES_A_ROUND) {
      rejected++;
      continue;
    }
    if (!quiet) disturbed++;
    kept.ours.push(oursFirst ? first.side : second.side);
    kept.anchor.push(oursFirst ? second.side : first.side);
  }
  return { ...kept, rejected, disturbed };
}

/** A measurement, with the part of a core that other processes took meanwhile. */
async function watched<Measured extends Pick<Side, "used">>(
  measure: () => Promise<Measured>,
): Promise<{ readonly side: Measured; readonly others: number }> {
  const busy = busyMicros();
  const start = performance.now();
  const side = await measure();
  const micros = (performance.now() - start) * 1000;
  const others = busy === undefined ? 0 : ((busyMicros() as number) - busy - side.used) / micros;
  return { side, others };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
