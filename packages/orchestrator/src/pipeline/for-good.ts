// A last word to whoever hands a request on: then nothing else will become of what was asked by that key (docs/adr/0035).

import { FINAL } from "../message/definition.ts";
import { timeOfNonce } from "../message/id.ts";
import type { Envelope } from "../message/message.ts";
import type { Taken } from "./tip.ts";
import type { Outcome } from "./waiters.ts";

/**
 * What became of what was asked by this key, for whoever hands a request on: what was recorded, or a refusal where nothing had been accepted by it
 * before. No other refusal tells that.
 * @param isOwn it was asked by this very key, and not by another way
 */
export function forGood<Ended extends Taken | Outcome>(ended: Ended, { key, request }: Envelope, isOwn = true): Ended {
  if (!isOwn || !("error" in ended) || key === undefined || request === undefined) return ended;
  const { details, code } = ended.error;
  const isPlain = typeof details === "object" && details !== null && !Array.isArray(details);
  // The node stops, or its disk fails: what was accepted is none the worse for that.
  const isOpen = code === "LOG_UNAVAILABLE" || (code === "STOPPING" && Object(details).pending === true);
  if (isOpen || (details !== undefined && !isPlain)) return ended;
  return { ...ended, error: { ...ended.error, details: { ...Object(details), [FINAL]: true } } };
}

export interface LastWordsOptions {
  /** Milliseconds that keys are kept for at least. */
  readonly keyWindow: number;
  /** When the log was put back to an older state last: what was asked before may have been accepted all the same. */
  readonly restoredAt: number | undefined;
}

/** Whoever made a request has another clock. */
const CLOCKS_MS = 5 * 60_000;

/** Refusals that are last words: where it is sure that nothing was accepted by that key, nor will be. */
export class LastWords {
  readonly #options: LastWordsOptions;
  /** By principal and key, how many calls are read for before they are decided: such a one may be let in yet, though its twin is refused. */
  readonly #underway = new Map<string, number>();

  constructor(options: LastWordsOptions) {
    this.#options = options;
  }

  /** What is decided now of a message that is not known, as it is told. */
  of(taken: Taken, envelope: Envelope): Taken {
    const { request, key } = envelope;
    if (taken.kind !== "refused" || request === undefined || key === undefined) return taken;
    return this.#mayBeForgotten(request, envelope.at) || this.#underway.has(nameOf(envelope))
      ? taken
      : forGood(taken, envelope);
  }

  /** `use`, and that it is read for until then. */
  readFor<Of, Came>(envelope: Envelope, use: (of: Of) => Came): (of: Of) => Came {
    if (envelope.key === undefined || envelope.request === undefined) return use;
    const name = nameOf(envelope);
    this.#underway.set(name, (this.#underway.get(name) ?? 0) + 1);
    return (of) => {
      const others = (this.#underway.get(name) ?? 1) - 1;
      if (others === 0) this.#underway.delete(name);
      else this.#underway.set(name, others);
      return use(of);
    };
  }

  #mayBeForgotten(request: string, at: number): boolean {
    const { keyWindow, restoredAt = Number.NEGATIVE_INFINITY } = this.#options;
    return timeOfNonce(request) - CLOCKS_MS <= Math.max(restoredAt, at - keyWindow);
  }
}

/** No principal's name has a line's end in it. */
function nameOf({ principal, key }: Envelope): string {
  return `${principal}\n${key}`;
}
