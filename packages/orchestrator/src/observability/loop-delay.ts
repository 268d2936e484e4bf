// How late the event loop is: measured by the runtime, read as of the last whole window, so that it does not matter who reads
// it, or how often. It measures while a node is served.

import { monitorEventLoopDelay } from "node:perf_hooks";

export interface LoopDelay {
  /** Seconds, of the last window. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export const NO_DELAY: LoopDelay = Object.freeze({ p50: 0, p99: 0, max: 0 });

/** Milliseconds between two samples: 50 wake-ups a second are nothing to a node, and 20 ms late is what a caller notices. */
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
    // Before the first window is over there is what there is of it.
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
