// Bounds what one grant may have in flight at this door. Sessions have budgets, requests have none; so their grant has one: a thousand connections
// get a caller no further than one.

import { FaultError, fault } from "../fault/fault.ts";
import type { SessionLimits } from "../rpc/limits.ts";

interface UnderWay {
  calls: number;
  bytes: number;
}

/** One request's share of its grant's budget. */
export interface Share {
  /** The body was read, and has so many bytes. */
  read(bytes: number): void;
  over(): void;
}

export class InFlight {
  readonly #limits: Pick<SessionLimits, "callsInFlight" | "inboundBytes">;
  readonly #grants = new Map<string, UnderWay>();

  constructor(limits: Pick<SessionLimits, "callsInFlight" | "inboundBytes">) {
    this.#limits = limits;
  }

  /** How many grants have requests in flight. */
  get size(): number {
    return this.#grants.size;
  }

  /** @param bytes the most that the body may have; counted until it was read. @throws FaultError SESSION_BUDGET */
  take(grant: string, bytes: number): Share {
    const { callsInFlight, inboundBytes } = this.#limits;
    const under = this.#grants.get(grant) ?? { calls: 0, bytes: 0 };
    if (under.calls >= callsInFlight) throw over("callsInFlight", callsInFlight);
    if (under.bytes + bytes > inboundBytes) throw over("inboundBytes", inboundBytes);
    let held = bytes;
    under.calls++;
    under.bytes += held;
    this.#grants.set(grant, under);
    return {
      read(actual) {
        under.bytes += actual - held;
        held = actual;
      },
      over: () => {
        under.calls--;
        under.bytes -= held;
        if (under.calls === 0) this.#grants.delete(grant);
      },
    };
  }
}

function over(limit: string, size: number): FaultError {
  const text = `requests of this grant went over their ${limit} budget of ${size}; wait for those that are under way`;
  return new FaultError(fault("SESSION_BUDGET", text, { limit, size }));
}
