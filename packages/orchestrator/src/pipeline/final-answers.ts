// Final answers to nodes that forward requests: a fault marked `final` promises that nothing more will come of that key (docs/adr/0035).

import { FINAL } from "../message/definition.ts";
import { timeOfNonce } from "../message/id.ts";
import type { Envelope } from "../message/message.ts";
import type { Taken } from "./taken.ts";
import type { Outcome } from "./waiters.ts";

/**
 * Marks the fault of a forwarded request as final (`FINAL`). Only for a recorded outcome, or for a refusal where nothing was accepted under the
 * key before.
 * @param isOwn it was asked under this key; `false` where it joins a request that came by another path
 */
export function markFinal<Ended extends Taken | Outcome>(
  ended: Ended,
  { key, request }: Envelope,
  isOwn = true,
): Ended {
  if (!isOwn || !("error" in ended) || key === undefined || request === undefined) return ended;
  const { details, code } = ended.error;
  const isPlain = typeof details === "object" && details !== null && !Array.isArray(details);
  // The node stops, or its disk fails: what was accepted may still be carried out.
  const isOpen = code === "LOG_UNAVAILABLE" || (code === "STOPPING" && Object(details).pending === true);
  if (isOpen || (details !== undefined && !isPlain)) return ended;
  return { ...ended, error: { ...ended.error, details: { ...Object(details), [FINAL]: true } } };
}

export interface FinalAnswersOptions {
  /** For how many milliseconds keys are kept at least. */
  readonly keyWindow: number;
  /** When the log was last restored from a backup, in milliseconds since the epoch: the restore may have lost an acceptance from before. */
  readonly restoredAt: number | undefined;
}

/** How far the clock of the node that made a request may be off, in milliseconds. */
const CLOCKS_MS = 5 * 60_000;

/** Which refusals are final: those where nothing was accepted under the key, and no call with it is still under way. */
export class FinalAnswers {
  readonly #options: FinalAnswersOptions;
  /** By principal and key, how many calls are being prepared: one of them may be accepted although another was refused. */
  readonly #underway = new Map<string, number>();

  constructor(options: FinalAnswersOptions) {
    this.#options = options;
  }

  /** The decision on a message whose key was not known, marked final where it is. */
  of(taken: Taken, envelope: Envelope): Taken {
    const { request, key } = envelope;
    if (taken.kind !== "refused" || request === undefined || key === undefined) return taken;
    return this.#mayBeForgotten(request, envelope.at) || this.#underway.has(nameOf(envelope))
      ? taken
      : markFinal(taken, envelope);
  }

  /** Wraps `use`: until it is called, the call counts as under way. */
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

/** Unambiguous, because no principal's name has a newline. */
function nameOf({ principal, key }: Envelope): string {
  return `${principal}\n${key}`;
}
