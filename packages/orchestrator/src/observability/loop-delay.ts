// The event loop's delay, as the runtime measures it while a node is served. It is read as of the last complete window, so that it does not matter
// who reads it, or how often.

import { monitorEventLoopDelay } from "node:perf_hooks";

export interface LoopDelay {
  /** In seconds, over the last window. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export const NO_DELAY: LoopDelay = Object.freeze({ p50: 0, p99: 0, max: 0 });

/** Milliseconds between two samples: 50 wake-ups a second cost nothing, and a caller notices a delay of 20 ms. */
const SAMPLE_MS = 20;
const WINDOW_MS = 10_000;
const NS = 1e-9;

/** Measures until it is stopped. */
export function measureLoopDelay(): { read(): LoopDelay; stop(): void } {
  const histogram = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  histogram.enable();
  let last: LoopDelay | undefined;
  const window = setInterval(() => {
    last = readingOf(histogram);
    histogram.reset();
  }, WINDOW_MS);
  window.unref();
  return {
    // Before the end of the first window: what was measured so far.
    read: () => last ?? readingOf(histogram),
    stop() {
      clearInterval(window);
      histogram.disable();
    },
  };
}

function readingOf(histogram: ReturnType<typeof monitorEventLoopDelay>): LoopDelay {
  if (histogram.count === 0) return NO_DELAY;
  return {
    p50: histogram.percentile(50) * NS,
    p99: histogram.percentile(99) * NS,
    max: histogram.max * NS,
  };
}
