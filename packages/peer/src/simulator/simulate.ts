// Plays a script to its end: until it is quiet, then until all that the protocol still has to do is done. Synchronous and
// pure: the same script gives the same run, down to the trace's hash.

import { observe, worldOf } from "./observe.ts";
import { playEvent } from "./scenario/play-event.ts";
import type { Script } from "./scenario/script.ts";
import { Simulation } from "./simulation.ts";
import type { Figures, Violation } from "./witnesses.ts";
import type { Observed, World } from "./world.ts";

export interface Run {
  /** SHA-256 over the trace. */
  readonly hash: string;
  readonly world: World;
  readonly observed: Observed;
  /** What must never be, at any time: exceptions, foreign names chosen, loops, no rest. Empty where all is well. */
  readonly violations: readonly Violation[];
  readonly figures: Figures & {
    readonly simulatedMs: number;
    readonly traceLines: number;
    /** How often each kind of fault, and of lie, was made. */
    readonly faults: Readonly<Record<string, number>>;
    readonly lies: Readonly<Record<string, number>>;
    /** From the quiet's beginning to the last change of a best path. 0: there was none. */
    readonly quietAfterMs: number;
    /** The last change of a best path. */
    readonly lastChangeMs: number;
  };
}

export interface SimulateOptions {
  readonly onLine?: (line: string) => void;
  /** All is quiet, and the nodes are still there: for whoever measures what they hold. */
  readonly onRest?: () => void;
  /** False: `observed` stays empty, because all tables written down again would not fit. */
  readonly tables?: boolean;
}

/** No update for so long: nothing is on its way. */
const STILL = 10_000;
/** By then whatever goes on goes on for ever. */
const PATIENCE = 300_000;

export function simulate(script: Script, options: SimulateOptions = {}): Run {
  const simulation = new Simulation(script, options.onLine);
  for (const [number, event] of script.events.entries()) playEvent(simulation, event, number);
  const { clock, witnesses, trace } = simulation;
  clock.runUntil(script.quietAt + settling(script));
  const end = clock.now + PATIENCE;
  while (clock.now - witnesses.lastUpdate < STILL && clock.now < end) clock.runUntil(clock.now + STILL / 2);
  if (clock.now >= end) witnesses.violations.push({ at: clock.now, node: "-", text: "it does not come to rest" });
  options.onRest?.();
  const { lastChange, figures } = witnesses;
  return {
    world: worldOf(simulation),
    observed: options.tables === false ? [] : observe(simulation),
    violations: witnesses.violations,
    figures: {
      ...figures,
      simulatedMs: clock.now,
      traceLines: trace.lines,
      faults: countBy(script.events.map(({ type }) => type)),
      lies: countBy(script.events.flatMap((event) => (event.type === "lie" ? event.kinds : []))),
      quietAfterMs: Math.max(0, lastChange - script.quietAt),
      lastChangeMs: lastChange,
    },
    hash: trace.digest(),
  };
}

/**
 * How long it takes until no deadline of the churn's is left: a dead session is found and dialled anew, what it left is swept,
 * earlier incarnations are void, and what was damped is not any more.
 */
function settling({ timing, damping }: Script): number {
  const { holdTime, backoff, connectTime, openTime, restartTime, deferral, epochGrace } = timing;
  const session = holdTime + 2 * backoff.last + connectTime + openTime;
  const damped = damping === undefined ? 0 : damping.halfLife * Math.log2(damping.most / damping.reuseAt);
  return session + Math.max(restartTime + deferral, epochGrace, damped) + 10_000;
}

function countBy(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
