// Topics whose follower or reader has left: they are imported for some time longer, so that one who comes back has missed nothing.

import type { Principal, Timers } from "@capstan/orchestrator";
import { isPattern } from "../topic.ts";
import type { Want } from "./want.ts";

/** The most that are kept; beyond it the oldest is dropped. */
const MOST_LINGERING = 10_000;
/** The most patterns of one grant, so that a caller who invents patterns pushes out nobody else's. */
const MOST_PATTERNS_OF_ONE = 1000;

export interface LingeringParts {
  readonly timers: Timers;
  now(): number;
  /** How long they are kept, in milliseconds. */
  readonly linger: number;
  came(want: Want): void;
  left(want: Want): void;
}

interface One {
  readonly want: Want;
  readonly until: number;
}

export class Lingering {
  readonly #parts: LingeringParts;
  /** In the order in which they expire. */
  readonly #all = new Map<string, One>();
  /** How many patterns, by grant. */
  readonly #patterns = new Map<string, number>();
  #stopTimer: (() => void) | undefined;

  constructor(parts: LingeringParts) {
    this.#parts = parts;
  }

  /** Somebody reads the topic, or did until now. @param as in whose name; needed for a pattern only */
  passes(topic: string, as: Principal | undefined): void {
    const grant = isPattern(topic) ? as?.grant : undefined;
    const key = grant === undefined ? topic : `${topic} ${as?.principal} ${grant} ${as?.may ?? ""}`;
    const known = this.#all.get(key);
    if (known === undefined && grant !== undefined) {
      const count = this.#patterns.get(grant) ?? 0;
      if (count >= MOST_PATTERNS_OF_ONE) return;
      this.#patterns.set(grant, count + 1);
    }
    const { now, linger, came } = this.#parts;
    const want = known?.want ?? wantOf(topic, as);
    this.#all.delete(key);
    this.#all.set(key, { want, until: now() + linger });
    if (known !== undefined) return;
    came(want);
    if (this.#all.size > MOST_LINGERING) this.#forget(this.#all.keys().next().value as string);
    this.#arm();
  }

  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#all.clear();
    this.#patterns.clear();
  }

  #arm(): void {
    if (this.#stopTimer !== undefined) return;
    const { done, value } = this.#all.values().next();
    if (done) return;
    const { timers, now } = this.#parts;
    this.#stopTimer = timers.after(Math.max(0, value.until - now()), () => {
      this.#stopTimer = undefined;
      const over = now();
      for (const [key, { until }] of this.#all) {
        if (until > over) break;
        this.#forget(key);
      }
      this.#arm();
    });
  }

  #forget(key: string): void {
    const { want } = this.#all.get(key) as One;
    this.#all.delete(key);
    if (isPattern(want.topic)) {
      const { grant } = want.as();
      const count = (this.#patterns.get(grant) ?? 0) - 1;
      if (count > 0) this.#patterns.set(grant, count);
      else this.#patterns.delete(grant);
    }
    this.#parts.left(want);
  }
}

/** A want that does not keep the caller's objects alive. */
function wantOf(topic: string, as: Principal | undefined): Want {
  const holder: Principal = { principal: as?.principal ?? "", grant: as?.grant ?? "", may: as?.may };
  return { topic, as: () => holder };
}
