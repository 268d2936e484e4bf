// Waiting for somebody's work at a terminal: after a second a line says for what and for how long, and Ctrl-C leaves the work to go
// on and says how to wait for it again. Where nobody sits, nothing is different.

import { FaultError, fault } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import { lineOn, spanText } from "./progress.ts";

export interface Waiting {
  /** What is waited for, or the fault of having been stopped meanwhile. */
  of<T>(work: Promise<T>): Promise<T>;
  end(): void;
}

/** What goes on by itself, and the command that waits for it. */
export interface Awaited {
  readonly what: string;
  readonly attach: string;
}

const SHOWN_AFTER_MS = 1000;
const TICK_MS = 100;
const FRAMES = [..."⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"];

/** @param awaited asked once, when the line is first shown; what it does not know by then is not told */
export function waitingAt(cli: Cli, awaited: () => Promise<Awaited | undefined>): Waiting {
  const line = lineOn(cli);
  if (line === undefined) return { of: (work) => work, end() {} };
  const { io } = cli;
  const began = performance.now();
  const stop = Promise.withResolvers<never>();
  stop.promise.catch(() => {});
  let known: Awaited | undefined;
  let ticks = 0;

  function show(): void {
    if (ticks === 0) {
      awaited().then(
        (one) => {
          known = one;
        },
        () => {},
      );
      void io.stopped().then(() => stop.reject(detached(known)));
    }
    const frame = FRAMES[ticks++ % FRAMES.length];
    const what = known === undefined ? "waiting" : `waiting for ${known.what}`;
    const hint = known === undefined ? "" : "   Ctrl-C leaves it to go on";
    line?.write(`${frame} ${what}   ${spanText((performance.now() - began) / 1000)}${hint}`);
    cancel = io.after(TICK_MS, show);
  }
  let cancel = io.after(SHOWN_AFTER_MS, show);
  return {
    of: (work) => Promise.race([work, stop.promise]),
    end() {
      cancel();
      line.erase();
    },
  };
}

function detached(known: Awaited | undefined): FaultError {
  const text =
    known === undefined
      ? "no longer waited for; what was accepted goes on: capstan execution list shows it"
      : `${known.what} is no longer waited for, and goes on; to wait again: ${known.attach}`;
  return new FaultError(fault("DETACHED", text));
}
