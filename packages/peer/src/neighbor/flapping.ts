// A peer whose sessions come up and fail again and again is accepted less and less often (RFC 4271 §8.1.1, DampPeerOscillations). Backoff
// slows only our own dials; this slows those of a peer that does not back off. Only proved sessions count, so that nobody else can
// cause it.

import { backoff } from "../limits/backoff.ts";
import type { SessionContext } from "../session/context.ts";

export interface Flapping {
  /** How many sessions in a row were established and soon lost. */
  readonly flaps: number;
  /** Until when connections are refused, in monotonic milliseconds. */
  readonly refusesUntil: number;
}

export const STEADY: Flapping = { flaps: 0, refusesUntil: Number.NEGATIVE_INFINITY };

/** So many are free: a restart or a change of networks causes one or two. */
const FORGIVEN = 2;

export function afterSession({ flaps }: Flapping, held: boolean, { now, random, config }: SessionContext): Flapping {
  if (held) return STEADY;
  const more = flaps + 1;
  const refuses = more > FORGIVEN ? now + backoff(more - FORGIVEN, config.backoff, random) : STEADY.refusesUntil;
  return { flaps: more, refusesUntil: refuses };
}
