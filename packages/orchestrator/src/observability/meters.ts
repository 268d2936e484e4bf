// What the node counts while it works: plain numbers, under names from the composition, so that callers cannot add any. The names outside are in
// prometheus.ts and node-metrics.ts. It knows no principal and no message's data.

import type { Message } from "../message/message.ts";
import type { Composition } from "../plugin/composition.ts";
import type { OwedEffect } from "../plugin/plugin.ts";
import { DISK_S, FAST_S, GROUP, Histogram, SLOW_S } from "./histogram.ts";

export interface MessageCount {
  readonly name: string;
  readonly kind: string;
  /** Decided with success. Counted apart, because these are by far the most. */
  done: number;
  /** The others, by verdict: `held`, or a fault's code. */
  readonly others: Map<string, number>;
}

/** `retried`: it failed, and another attempt is owed. */
export type EffectOutcome = "done" | "failed" | "retried" | "cancelled";

export interface EffectCount {
  readonly plugin: string;
  readonly kind: string;
  readonly outcomes: Record<EffectOutcome, number>;
  readonly duration: Histogram;
}

/** Counts codes that are in no fault table: a plugin may refuse with any. */
const OTHER = "OTHER";
/** Counts messages that are in no table: a plugin's follow-up may have any name. */
const UNKNOWN = "unknown";

export class Meters {
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  readonly decision = new Histogram(FAST_S);
  readonly append = new Histogram(DISK_S);
  readonly group = new Histogram(GROUP);
  undone = 0;
  sessionsOpen = 0;
  sessionsOpened = 0;
  breaches = 0;
  refusedCredentials = 0;
  readonly #messages = new Map<string, Map<string, MessageCount>>();
  readonly #effects = new Map<string, Map<string, EffectCount>>();
  readonly #unknown: MessageCount = { name: UNKNOWN, kind: UNKNOWN, done: 0, others: new Map() };
  readonly #codes: Composition["faults"];

  constructor({ routes, plugins, faults }: Pick<Composition, "routes" | "plugins" | "faults">, now: () => number) {
    this.now = now;
    this.#codes = faults;
    for (const { name, resource, verb, definition } of routes.values()) {
      const verbs = this.#messages.get(resource) ?? new Map<string, MessageCount>();
      this.#messages.set(resource, verbs);
      verbs.set(verb, { name, kind: definition.kind, done: 0, others: new Map() });
    }
    for (const plugin of plugins) {
      const kinds = new Map<string, EffectCount>();
      for (const kind of Object.keys(plugin.effects ?? {})) {
        const outcomes = { done: 0, failed: 0, retried: 0, cancelled: 0 };
        kinds.set(kind, { plugin: plugin.name, kind, outcomes, duration: new Histogram(SLOW_S) });
      }
      if (kinds.size > 0) this.#effects.set(plugin.name, kinds);
    }
  }

  /** @param verdict `done`, `held`, or a fault's code */
  decided({ resource, action }: Message, verdict: string): void {
    const count = this.#messages.get(resource)?.get(action) ?? this.#unknown;
    if (verdict === "done") {
      count.done++;
      return;
    }
    const known = verdict === "held" || this.#codes.has(verdict) ? verdict : OTHER;
    count.others.set(known, (count.others.get(known) ?? 0) + 1);
  }

  /** A decision was made that began at `began`. */
  decisionTook(began: number): void {
    this.decision.observe((this.now() - began) / 1000);
  }

  /** A group is being appended. Answers what to call once it was. */
  appending(entries: number): () => void {
    const began = this.now();
    return () => {
      this.append.observe((this.now() - began) / 1000);
      this.group.observe(entries);
    };
  }

  effectTook({ plugin, kind }: Pick<OwedEffect, "plugin" | "kind">, began: number): void {
    this.#effects
      .get(plugin)
      ?.get(kind)
      ?.duration.observe((this.now() - began) / 1000);
  }

  /** An effect began at `began`, and takes until `end` is settled. */
  effectTakes(effect: Pick<OwedEffect, "plugin" | "kind">, began: number, end: Promise<unknown>): void {
    const took = (): void => this.effectTook(effect, began);
    end.then(took, took);
  }

  effectOver({ plugin, kind }: Pick<OwedEffect, "plugin" | "kind">, outcome: EffectOutcome): void {
    const count = this.#effects.get(plugin)?.get(kind);
    if (count !== undefined) count.outcomes[outcome]++;
  }

  /** The counts of every message in the table, and of unknown ones where there were any. */
  messages(): readonly MessageCount[] {
    const known = [...this.#messages.values()].flatMap((verbs) => [...verbs.values()]);
    const { done, others } = this.#unknown;
    return done > 0 || others.size > 0 ? [...known, this.#unknown] : known;
  }

  /** Every kind of effect of the composition. */
  effects(): readonly EffectCount[] {
    return [...this.#effects.values()].flatMap((kinds) => [...kinds.values()]);
  }
}
