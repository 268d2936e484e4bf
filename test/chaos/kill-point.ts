// Where a server can be made to kill itself, and the switch that does it: armed from outside, at a point, after a number of
// operations there. The points are reached through what the kernel lets anyone put in: a plugin, a log, a protocol, a
// listener. The kernel has no test code in it.

import { writeSync } from "node:fs";

/** The kill points of each phase. `outside` is a kill -9 by another process, wherever the server happens to be. */
export const KILL_POINTS = {
  decide: ["decide"],
  append: ["append:before", "append:inside", "append:after"],
  reply: ["reply:before", "reply:after"],
  effect: ["effect:sync", "effect:async", "effect:once-before", "effect:once-after"],
  outside: ["outside"],
} as const;

export type Phase = keyof typeof KILL_POINTS;
export type KillPoint = (typeof KILL_POINTS)[Phase][number];

export const PHASES = Object.keys(KILL_POINTS) as readonly Phase[];

export function phaseOf(point: KillPoint): Phase {
  return point.split(":", 1)[0] as Phase;
}

/** Operations at a point between arming and the kill, at most: appends and replies come in groups, the others one by one. */
export function mostOperations(point: KillPoint): number {
  const phase = phaseOf(point);
  return phase === "append" || phase === "reply" ? 12 : 100;
}

export class KillSwitch {
  #point: string | undefined;
  #left = 0;

  /** Kills this process when `point` is reached for the `after`th time from now. */
  arm(point: string, after: number): void {
    this.#point = point;
    this.#left = after;
  }

  reached(point: KillPoint): void {
    if (this.#point !== point || --this.#left > 0) return;
    // Written past every buffer: what is not said now is never said.
    writeSync(1, `${JSON.stringify({ killed: point })}\n`);
    process.kill(process.pid, "SIGKILL");
  }
}
