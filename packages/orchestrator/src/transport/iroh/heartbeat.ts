// Whether the other side of a stream is there: it is heard of, or it is gone. QUIC finds a peer that was killed after half a minute,
// and one that was stopped not at all. It counts beats and asks no clock: a process that slept has heard nobody in that time either.

import type { Timers } from "../../time/timers.ts";

/** Between two heartbeats. */
export const BEAT_MS = 5_000;
/** Beats without a byte from the other side: gone. */
const MOST_SILENT = 3;

export interface HeartbeatOptions {
  readonly timers: Timers;
  readonly beat: () => void;
  readonly gone: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #silent = 0;
  #stop: () => void;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#stop = options.timers.after(BEAT_MS, this.#tick);
  }

  heard(): void {
    this.#silent = 0;
  }

  stop(): void {
    this.#stop();
  }

  readonly #tick = (): void => {
    if (++this.#silent > MOST_SILENT) {
      this.#options.gone();
      return;
    }
    this.#stop = this.#options.timers.after(BEAT_MS, this.#tick);
    this.#options.beat();
  };
}
