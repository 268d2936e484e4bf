// The offline oracle: from what is so, what every table must be, and from what the nodes believe, where a call would go.
// It is written from the rules and shares no line with the protocol: nothing in oracle/ may import anything of packages/peer.

import { type Comparison, compare } from "./oracle/compare.ts";
import { type Forwarding, follow } from "./oracle/forwarding.ts";
import type { Violation } from "./oracle/violation.ts";
import type { Observed, World } from "./oracle/world.ts";

export interface Judgement {
  readonly violations: readonly Violation[];
  readonly compared: Comparison["compared"];
  readonly fromLiars: Comparison["fromLiars"];
  readonly rounds: number;
  readonly followed: Forwarding["followed"];
  readonly atLiars: Forwarding["atLiars"];
}

export function judge(world: World, observed: Observed): Judgement {
  const { violations, ...comparison } = compare(world, observed);
  const { violations: ways, followed, atLiars } = follow(world, observed);
  return { violations: [...violations, ...ways], ...comparison, followed, atLiars };
}
