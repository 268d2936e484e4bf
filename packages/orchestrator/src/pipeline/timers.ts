// The clock and the timers that the kernel is given. Nothing in it asks the system for the time by itself, so that a test
// or a simulator decides what time it is.

export interface Timers {
  /** Calls back once after `ms` milliseconds. Answers how to stop that. */
  after(ms: number, callback: () => void): () => void;
}

// setTimeout takes 31 bits of milliseconds; a longer wait is made of several.
const LONGEST_MS = 2 ** 31 - 1;

export const systemTimers: Timers = {
  after(ms, callback) {
    let timer: ReturnType<typeof setTimeout>;
    const arm = (left: number): void => {
      timer = setTimeout(() => (left > LONGEST_MS ? arm(left - LONGEST_MS) : callback()), Math.min(left, LONGEST_MS));
    };
    arm(Math.max(0, ms));
    return () => clearTimeout(timer);
  },
};

/** By how much a clock may be behind before anybody is told: less is what clocks do that are set right. */
const BEHIND_MS = 60_000;

/** A clock that never runs backwards, whatever the system's does. `behind` is told once each time that the system's is. */
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
