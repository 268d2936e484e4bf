// What the kernel tells of its work to whoever draws traces of it. Without a tracer nothing of this is done. A tracer is told
// names, ids, verdicts and times, never data; it must neither throw nor take its time.

import type { Envelope } from "../message/message.ts";
import type { OwedEffect } from "../plugin/plugin.ts";
import type { EffectOutcome } from "./meters.ts";

/** Told of each plugin as it answered, with what: `next`, `done`, `hold`, `refused`. */
export type Step = (plugin: string, kind: string) => void;

export interface TracedEffect {
  /** Where in the trace the effect stands: what it asks of others is told this. */
  readonly traceparent: string;
  /** Does the work with the effect as what is going on: libraries that trace by themselves find it. */
  within<T>(work: () => T): T;
}

export interface Tracer {
  /** A message is being decided from now on. `of` is the effect whose outcome it is. */
  begin(envelope: Envelope, of?: string): Step;
  /** @param verdict `done`, `held`, or a fault's code @param entry where it is recorded, once that is durable */
  decided(envelope: Envelope, verdict: string, entry: number | undefined): void;
  /** Its caller is not answered by the decision: it lasts until it is settled. */
  pending(id: string): void;
  /** @param error a fault's code, where it failed @param by the entry that settles it, where there is one */
  settled(id: string, error: string | undefined, by?: number): void;
  /** An effect is being carried out from now on. */
  effect(effect: OwedEffect): TracedEffect;
  effectOver(id: string, outcome: EffectOutcome): void;
  /** Entries up to `durable` are durable. */
  committed(durable: number): void;
  /** Entries after `durable` never happened. */
  undone(durable: number): void;
  /** The trace that a message belongs to, while that is known. */
  traceOf(id: string): string | undefined;
  /** Sends what there is, and waits for that `ms` at most. */
  stop(ms: number): Promise<void>;
}
