// Reports a commit to the meters and the tracer: what is pending, what is settled, which effect is over.

import type { Passed } from "../pipeline/decide.ts";
import type { OwedEffect } from "../plugin/plugin.ts";
import type { EffectOutcome, Meters } from "./meters.ts";
import type { Tracer } from "./tracer.ts";

export interface Watchers {
  readonly meters: Meters;
  readonly tracer: Tracer | undefined;
}

/** A message was decided as entry `seq`; `outcomeOf` is the effect whose outcome it is. */
export function reportDecision(
  watchers: Watchers,
  id: string,
  { pending, settles, effects }: Passed,
  outcomeOf: OwedEffect | undefined,
  seq: number,
): void {
  const { tracer } = watchers;
  if (pending) tracer?.pending(id);
  if (outcomeOf !== undefined) {
    const retried = effects.some(({ effect }) => effect.message === outcomeOf.owing);
    const failed = settles.some(({ error }) => error !== undefined);
    reportOver(watchers, outcomeOf, retried ? "retried" : failed ? "failed" : "done");
  }
  if (tracer !== undefined) for (const { id: settled, error } of settles) tracer.settled(settled, error?.code, seq);
}

export function reportOver({ meters, tracer }: Watchers, effect: OwedEffect, outcome: EffectOutcome): void {
  meters.effectOver(effect, outcome);
  tracer?.effectOver(effect.id, outcome);
}
