// How long to wait before the next attempt (RFC 4271 §8.1.1's DampPeerOscillations: longer after each failure).

/**
 * Milliseconds before the attempt that follows `attempts` failures: `first`, doubled with each up to `last`, less up to a
 * quarter at random, so that the peers of a node that comes back do not all dial at once.
 */
export function backoff(
  attempts: number,
  { first, last }: { readonly first: number; readonly last: number },
  random: () => number,
): number {
  const doublings = Math.min(Math.max(attempts, 1) - 1, 52);
  return Math.round(Math.min(last, first * 2 ** doublings) * (1 - random() / 4));
}
