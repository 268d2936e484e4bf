// The timers that the kernel is given. It asks the system for none by itself, so that a test or a simulator decides when they fire.

/** Timers, real or simulated. */
export interface Timers {
  /** Calls back once after `ms` milliseconds. Answers a function that cancels this. */
  after(ms: number, callback: () => void): () => void;
}

// setTimeout takes at most 2^31 - 1 milliseconds: a longer wait is made of several.
const LONGEST_MS = 2 ** 31 - 1;

/** The system's timers. */
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
