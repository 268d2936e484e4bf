// Whether another attempt can help, as the fault tables say it. An action's code is given the faults of whatever it asks for,
// and may throw them on: so these are the tables of all that it can reach, and not the executor's alone.

import { type Fault, kernelFaults } from "@capstan/orchestrator";
import { authFaults } from "../auth/schema.ts";
import { deadLetterFaults } from "../dead-letter/schema.ts";
import { registryFaults } from "../registry/schema.ts";
import { faultsOf } from "./faults-of.ts";
import type { Protocol } from "./protocol.ts";

export type IsRetryable = (fault: Pick<Fault, "code">) => boolean;

/** Of a code that is in no table nothing is known: it is not tried again. */
export function retryableBy(protocols: readonly Protocol[]): IsRetryable {
  const codes = new Set<string>();
  for (const table of [kernelFaults, authFaults, registryFaults, deadLetterFaults, faultsOf(protocols)]) {
    for (const [code, { retryable }] of Object.entries(table)) if (retryable) codes.add(code);
  }
  return ({ code }) => codes.has(code);
}
