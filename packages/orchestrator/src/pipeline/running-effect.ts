// An effect from when it is owed until it is over, and carrying it out: measured, traced, by its plugin's handler. When it starts and what
// becomes of its outcome is effects.ts's.

import { type Fault, fault } from "../fault/fault.ts";
import type { Awaitable } from "../log/log.ts";
import type { Message } from "../message/message.ts";
import type { Meters } from "../observability/meters.ts";
import type { TracedEffect, Tracer } from "../observability/tracer.ts";
import type { EffectHandler, OwedEffect } from "../plugin/plugin.ts";
import type { State } from "../state/state.ts";
import { Runtime, type RuntimeParts } from "./effect-runtime.ts";
import type { Owed } from "./owed.ts";

/** An effect that this process carries out, or will. */
export interface Running {
  readonly effect: Owed;
  /** As its handler is given it: with its own place in the trace. */
  told: OwedEffect;
  /** Where its handler reads rows until its entry is made. */
  state: Pick<State, "get"> | undefined;
  started: boolean;
  abort: AbortController | undefined;
  stopTimer: (() => void) | undefined;
  outcome: Message | undefined;
  /** Its plugin's outcome could not be recorded; what is recorded instead is that it failed. */
  broken: boolean;
  /** The entry that recorded its outcome, or cancelled it; 0 where there is none. It is over once that is durable. */
  overBy: number;
}

/** An effect that was started before its entry was made. */
export interface Begun {
  readonly running: Running;
  readonly outcome: Awaitable<Message>;
}

export interface CarryingParts extends RuntimeParts {
  readonly meters: Meters;
  readonly tracer: Tracer | undefined;
}

export function newRunning(effect: Owed, state: Running["state"]): Running {
  return {
    effect,
    told: effect,
    state,
    started: false,
    abort: undefined,
    stopTimer: undefined,
    outcome: undefined,
    broken: false,
    overBy: 0,
  };
}

/** Whatever it throws is an outcome as well. */
export function carryOut(running: Running, handler: EffectHandler, parts: CarryingParts): Awaitable<Message> {
  const { meters, tracer } = parts;
  const traced = tracer?.effect(running.effect);
  const began = meters.now();
  let outcome: Awaitable<Message>;
  try {
    outcome = traced === undefined ? handled(running, handler, parts) : within(traced, running, handler, parts);
  } catch (thrown) {
    outcome = Promise.reject(thrown);
  }
  if (outcome instanceof Promise) meters.effectTakes(running.effect, began, outcome);
  else meters.effectTook(running.effect, began);
  return outcome;
}

function handled(running: Running, handler: EffectHandler, parts: CarryingParts): Awaitable<Message> {
  return handler.carryOut(running.told, new Runtime(running, parts));
}

function within(
  traced: TracedEffect,
  running: Running,
  handler: EffectHandler,
  parts: CarryingParts,
): Awaitable<Message> {
  running.told = { ...running.effect, traceparent: traced.traceparent };
  return traced.within(() => handled(running, handler, parts));
}

export function deadlineExceeded(effect: OwedEffect): Fault {
  const when = new Date(effect.deadline as number).toISOString();
  return fault(
    "DEADLINE_EXCEEDED",
    `${effect.message.resource}.${effect.message.action}: not done by its deadline, ${when}`,
  );
}
