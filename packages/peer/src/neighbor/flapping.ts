// A peer that comes up and goes again and again is let in less and less often. Backoff slows our dials alone; this is for
// those of a peer that does not slow its own (RFC 4271 §8.1.1, DampPeerOscillations). It asks for proved sessions: nobody
// else can bring it upon a peer.

import { backoff } from "../limits/backoff.ts";
import type { SessionContext } from "../session/context.ts";

export interface Flapping {
  /** Sessions in a row that were established and did not hold. */
  readonly flaps: number;
  /** Connections are refused until then, on the monotonic clock. */
  readonly refusesUntil: number;
}

export const STEADY: Flapping = { flaps: 0, refusesUntil: Number.NEGATIVE_INFINITY };

/** A restart, or a change of a network, costs one or two. */
const FORGIVEN = 2;

export function afterSession({ flaps }: Flapping, held: boolean, { now, random, config }: SessionContext): Flapping {
  if (held) return STEADY;
  const more = flaps + 1;
  const refuses = more > FORGIVEN ? now + backoff(more - FORGIVEN, config.backoff, random) : STEADY.refusesUntil;
  return { flaps: more, refusesUntil: refuses };
}
