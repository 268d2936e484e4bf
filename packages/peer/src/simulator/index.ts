// The simulator's front door: a seed makes a script, a script makes a run, and a run is judged by somebody else. The nodes in
// it run the very same Speaker as real ones. It does no I/O and has no clock and no randomness but its own.

export {
  GROWTH_ANNOUNCED_AT,
  GROWTH_DELAY,
  GROWTH_SHAPES,
  type GrowthOptions,
  type GrowthShape,
  growthScript,
} from "./growth.ts";
export { Liar } from "./liar/liar.ts";
export { LIES, type LieKind, type Means } from "./liar/lies.ts";
export { Random } from "./random.ts";
export { printScript } from "./scenario/print-script.ts";
export { randomScript } from "./scenario/random-script.ts";
export type { Filter, Relation, Script, ScriptEvent, ScriptLink, ScriptNode } from "./scenario/script.ts";
export { type Run, type SimulateOptions, simulate } from "./simulate.ts";
export type { Figures, Violation } from "./witnesses.ts";
export type * from "./world.ts";
