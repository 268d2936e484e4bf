// The interface by which the kernel reports its work for traces. A tracer gets names, ids, verdicts and times, never data. It must not throw, and
// must be quick.

import type { Envelope } from "../message/message.ts";
import type { OwedEffect } from "../plugin/plugin.ts";
import type { EffectOutcome } from "./meters.ts";

/** Called with each plugin's answer: `next`, `done`, `hold` or `refused`. */
export type Step = (plugin: string, kind: string) => void;

/** An effect's place in a trace. */
export interface TracedEffect {
  /** The effect's traceparent, for what it asks of other systems. */
  readonly traceparent: string;
  /** Runs `work` with the effect's span as the active one, so that libraries that trace by themselves find it. */
  within<T>(work: () => T): T;
}

/** What the kernel reports its work to, for traces. It must neither throw nor block. */
export interface Tracer {
  /** A decision begins. @param of the effect whose outcome the message is */
  begin(envelope: Envelope, of?: string): Step;
  /** @param verdict `done`, `held`, or a fault's code @param entry where it is recorded, once that is durable */
  decided(envelope: Envelope, verdict: string, entry: number | undefined): void;
  /** The message is pending: its span lasts until it is settled. */
  pending(id: string): void;
  /** @param error a fault's code, where it failed @param by the entry that settles it, where there is one */
  settled(id: string, error: string | undefined, by?: number): void;
  /** An effect begins. */
  effect(effect: OwedEffect): TracedEffect;
  effectOver(id: string, outcome: EffectOutcome): void;
  /** Entries up to `durable` are durable. */
  committed(durable: number): void;
  /** Entries after `durable` were undone. */
  undone(durable: number): void;
  /** The trace that a message belongs to, while that is known. */
  traceOf(id: string): string | undefined;
  /** Sends what is queued, and waits for it `ms` milliseconds at most. */
  stop(ms: number): Promise<void>;
}
