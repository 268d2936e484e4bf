// The kernel's clock: the system's, or a test's, but never running backwards.

/** How far the clock may be behind before that is reported: small corrections are normal. */
const BEHIND_MS = 60_000;

/**
 * A clock that never runs backwards.
 * @param now milliseconds since the epoch, by the system's clock
 * @param from the earliest time that it gives
 * @param behind called once each time that the system's clock falls behind, with by how many milliseconds
 */
export function monotonic(now: () => number, from: number, behind?: (ms: number) => void): () => number {
  let last = from;
  let told = false;
  return () => {
    const time = now();
    if (time > last) {
      last = time;
      told = false;
    } else if (last - time > BEHIND_MS && !told) {
      told = true;
      behind?.(last - time);
    }
    return last;
  };
}
