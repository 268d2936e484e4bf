// Carrying out before committing: a replayable effect that answers at once has its outcome in its message's own entry. That
// halves what such a message costs: one entry, and none of the rows that would be written and removed again. What does not
// answer at once, or leads to more than its message's settlement, is recorded as two messages like any other.

import { faultOf } from "../fault/fault.ts";
import { parse } from "../message/parse.ts";
import type { Composition } from "../plugin/composition.ts";
import type { BaseTables, Change, StateView } from "../state/state.ts";
import { decide, type Passed } from "./decide.ts";
import type { Effects } from "./effects.ts";
import type { Enveloper } from "./enveloper.ts";
import type { Owed } from "./owed.ts";
import type { OutcomeAtOnce } from "./recorder.ts";
import type { Begun } from "./running-effect.ts";
import type { Outcome } from "./waiters.ts";

export interface AtOnceParts {
  readonly composition: Composition;
  readonly effects: Effects;
  readonly enveloper: Enveloper;
  reportBug(plugin: string, thrown: unknown): void;
}

/** It was carried out, and its outcome is part of the message's entry. */
export interface Within {
  readonly kind: "within";
  readonly state: StateView;
  readonly recorded: OutcomeAtOnce;
  readonly outcome: Outcome;
}

/** What carrying an effect out at once came to. */
export type Attempt =
  | Within
  /** It runs still, or its outcome needs a message of its own. */
  | { readonly kind: "begun"; readonly begun: Begun };

/** Whether a decision is one that can be carried out at once: it owes one replayable effect, and waits for nothing else. */
export function mayAnswerAtOnce({ pending, then, settles, cancels }: Passed, owed: readonly Owed[]): boolean {
  return (
    pending && owed.length === 1 && then.length + settles.length + cancels.length === 0 && (owed[0] as Owed).replayable
  );
}

/** Carries `effect` out on `state`, before a row of it is written. `undefined` where it has to wait. */
export function attempt(parts: AtOnceParts, effect: Owed, at: number, state: StateView): Attempt | undefined {
  const begun = parts.effects.begin(effect, state);
  if (begun === undefined) return undefined;
  if (begun.outcome instanceof Promise) return { kind: "begun", begun };
  const { composition, enveloper, reportBug } = parts;
  let decision: ReturnType<typeof decide>;
  let message: OutcomeAtOnce["message"];
  let given: unknown;
  try {
    const route = composition.route(begun.outcome.resource, begun.outcome.action);
    given = parse(route.name, route.definition.data, begun.outcome.data, undefined, true);
    const envelope = enveloper.within(effect, at, route, given);
    message = route.name;
    decision = decide(composition, envelope, route.definition, state, reportBug);
  } catch (thrown) {
    // Its outcome fits no message of this composition. Recorded on its own, it fails in the usual way.
    reportBug(effect.plugin, faultOf(thrown));
    return { kind: "begun", begun };
  }
  if (decision.kind !== "done" || !onlySettles(decision, effect)) return { kind: "begun", begun };
  const [settled] = decision.settles;
  const data = settled?.data === undefined ? given : settled.data;
  const error = settled?.error;
  const recorded = { message, verdicts: decision.verdicts, data: error === undefined ? data : undefined, error };
  const outcome: Outcome = error === undefined ? { kind: "done", data } : { kind: "failed", error };
  return { kind: "within", state: decision.state, recorded, outcome };
}

function onlySettles({ effects, then, cancels, pending, settles, verdicts }: Passed, effect: Owed): boolean {
  return (
    !pending &&
    effects.length + then.length + cancels.length === 0 &&
    settles.length === 1 &&
    settles[0]?.id === effect.owing &&
    // An entry has one `data`: where the published value and the answered one differ, two entries are needed.
    (settles[0].data === undefined || !verdicts.some(({ publishes }) => publishes !== undefined))
  );
}

/** The changes without those that cancel out: a row that was new and is removed again. Of several changes of a row the last counts. */
export function net(changes: readonly Change[], before: Pick<BaseTables, "get">): readonly Change[] {
  const left: Change[] = [];
  for (let i = 0; i < changes.length; i++) {
    const change = changes[i] as Change;
    if (isWrittenAgain(changes, i)) continue;
    if (change.row !== undefined || before.get(change.table, change.key) !== undefined) left.push(change);
  }
  return left;
}

/** A scan is quick enough: one decision writes a handful of rows. */
function isWrittenAgain(changes: readonly Change[], i: number): boolean {
  const { table, key } = changes[i] as Change;
  for (let later = i + 1; later < changes.length; later++) {
    const other = changes[later] as Change;
    if (other.key === key && other.table.name === table.name) return true;
  }
  return false;
}
