// Whether a failed delivery is tried again. Deliveries are at least once anyway, so that everything is tried again except faults whose table
// says that they are not retryable.

import { type Fault, type FaultTable, kernelFaults } from "@capstan/orchestrator";
import { authFaults } from "../../auth/schema.ts";
import { deadLetterFaults } from "../../dead-letter/schema.ts";
import { registryFaults } from "../../registry/schema.ts";
import { publisherFaults } from "../schema.ts";

const TABLES: readonly FaultTable[] = [kernelFaults, authFaults, registryFaults, deadLetterFaults, publisherFaults];

/** Faults of a single attempt: the next one may succeed, whatever the fault table says. */
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
