// One run of the simulator and the oracle's judgement of it.

import type { Violation } from "./oracle/violation.ts";
import { type Judgement, judge } from "./oracle.ts";

/** The simulator, or a copy of it with a fault in it. */
export type Simulator = typeof import("@capstan/peer/simulator");
export type Script = ReturnType<Simulator["randomScript"]>;
export type Figures = ReturnType<Simulator["simulate"]>["figures"];

export interface Outcome {
  readonly seed: number;
  /** Of the whole trace. */
  readonly hash: string;
  readonly figures: Figures;
  readonly judgement: Omit<Judgement, "violations">;
  /** All of them, by kind; of each the first few. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  /** Processor's seconds: of the simulated run, and of the oracle. */
  readonly simulatedIn: number;
  readonly judgedIn: number;
}

const MOST_SHOWN = 3;

export function runTrial(simulator: Simulator, script: Script, onLine?: (line: string) => void): Outcome {
  const begun = cpuSeconds();
  const {
    world,
    observed,
    hash,
    figures,
    violations: seen,
  } = simulator.simulate(script, onLine === undefined ? {} : { onLine });
  const simulated = cpuSeconds();
  const { violations: judged, ...judgement } = judge({ ...world, maxLifetime: script.timing.maxLifetime }, observed);
  // What the simulator saw happen on the way, and the tables at the end do not show.
  const violations = [...seen.map(({ node, text }) => witnessed(node, text)), ...judged];
  const kinds: Record<string, number> = {};
  for (const { kind } of violations) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const shown: Record<string, number> = {};
  return {
    seed: script.seed,
    hash,
    figures,
    judgement,
    kinds,
    violations: violations.filter(({ kind }) => {
      shown[kind] = (shown[kind] ?? 0) + 1;
      return shown[kind] <= MOST_SHOWN;
    }),
    simulatedIn: simulated - begun,
    judgedIn: cpuSeconds() - simulated,
  };
}

function witnessed(node: string, text: string): Violation {
  return { kind: "witness", node, expected: "never, at no time", got: text };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
