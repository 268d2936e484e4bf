// RFC 4271 §8.1.3 and §10: timers are deadlines in the session. Whoever has the clock asks for the next one and says when it
// has come; nothing here waits.

import type { SessionInput } from "./input.ts";
import { type Session, TIMERS, type Timer, type Timers } from "./session.ts";

export type TimerInput = Extract<SessionInput, { readonly type: `${Timer}-timer-expires` }>;

/** The next time at which something is to be done, on the monotonic clock. */
export function deadline({ timers }: Session): number | undefined {
  const timer = earliest(timers);
  return timer && timers[timer];
}

/** The earliest timer that is due. Of those that are due at the same time the first in `TIMERS`: who is silent is not answered. */
export function dueTimer({ timers }: Session, now: number): TimerInput | undefined {
  const timer = earliest(timers);
  return timer !== undefined && isDue(timers, timer, now) ? { type: `${timer}-timer-expires` } : undefined;
}

export function isDue(timers: Timers, timer: Timer, now: number): boolean {
  const at = timers[timer];
  return at !== undefined && at <= now;
}

/** The timer that an input is of; `undefined` for all other inputs. */
export function timerOf(input: SessionInput): Timer | undefined {
  return TIMERS.find((timer) => input.type === `${timer}-timer-expires`);
}

export function without(timers: Timers, timer: Timer): Timers {
  const { [timer]: _, ...others } = timers;
  return others;
}

/** RFC 4271 §10: "a random number uniformly distributed in the range from 0.75 to 1.0", so that nodes do not fall into step. */
export function jittered(interval: number, random: () => number): number {
  return interval * (0.75 + random() / 4);
}

function earliest(timers: Timers): Timer | undefined {
  let first: Timer | undefined;
  for (const timer of TIMERS) {
    const at = timers[timer];
    if (at !== undefined && (first === undefined || at < (timers[first] as number))) first = timer;
  }
  return first;
}
