// Whether another attempt can help, as the fault tables say it. An action's code is given the faults of whatever it asks for,
// and may throw them on: so these are the tables of all that it can reach, and not the executor's alone.

import { type Fault, type FaultTable, kernelFaults } from "@capstan/orchestrator";
import { authFaults } from "../auth/schema.ts";
import { deadLetterFaults } from "../dead-letter/schema.ts";
import { registryFaults } from "../registry/schema.ts";
import { executorFaults } from "./schema.ts";

const TABLES: readonly FaultTable[] = [kernelFaults, authFaults, registryFaults, deadLetterFaults, executorFaults];

const RETRYABLE: ReadonlySet<string> = new Set(
  TABLES.flatMap((table) => Object.keys(table).filter((code) => table[code]?.retryable)),
);

/** Of a code that is in no table nothing is known: it is not tried again. */
export function isRetryable({ code }: Pick<Fault, "code">): boolean {
  return RETRYABLE.has(code);
}
