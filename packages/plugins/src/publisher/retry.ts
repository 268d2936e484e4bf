// Whether a delivery is worth another try. It is made at least once anyway, so that whatever may have been an accident is tried
// again: only what a fault table says of itself that it will not change is not.

import { type Fault, type FaultTable, kernelFaults } from "@capstan/orchestrator";
import { authFaults } from "../auth/schema.ts";
import { deadLetterFaults } from "../dead-letter/schema.ts";
import { registryFaults } from "../registry/schema.ts";
import { publisherFaults } from "./schema.ts";

const TABLES: readonly FaultTable[] = [kernelFaults, authFaults, registryFaults, deadLetterFaults, publisherFaults];

/** A deadline was this attempt's own: the next has another. */
const OF_THE_ATTEMPT = new Set(["DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL"]);

const FINAL: ReadonlySet<string> = new Set(
  TABLES.flatMap((table) => Object.keys(table).filter((code) => table[code]?.retryable === false)),
);

/** @param faults of the protocols */
export function worthAnother({ code }: Pick<Fault, "code">, faults: FaultTable): boolean {
  if (OF_THE_ATTEMPT.has(code)) return true;
  const own = Object.hasOwn(faults, code) ? faults[code] : undefined;
  return !FINAL.has(code) && own?.retryable !== false;
}

/** How long to wait after a failed attempt, in milliseconds. */
export function waitAfter(attempt: number, backoff: number): number {
  return Math.min(backoff * 2 ** (attempt - 1), LONGEST_MS);
}

const LONGEST_MS = 60 * 60 * 1000;
