// Whether another attempt can help, by the fault tables. An action's code may throw on the faults of messages that it sent, so that the tables of
// everything it can reach are needed, not only the executor's.

import { type Fault, kernelFaults } from "@capstan/orchestrator";
import { authFaults } from "../../auth/schema.ts";
import { deadLetterFaults } from "../../dead-letter/schema.ts";
import { registryFaults } from "../../registry/schema.ts";
import type { Protocol } from "../protocol.ts";
import { faultsOf } from "./faults-of.ts";

export type IsRetryable = (fault: Pick<Fault, "code">) => boolean;

/** A code that is in no table is not retried. */
export function retryableBy(protocols: readonly Protocol[]): IsRetryable {
  const codes = new Set<string>();
  for (const table of [kernelFaults, authFaults, registryFaults, deadLetterFaults, faultsOf(protocols)]) {
    for (const [code, { retryable }] of Object.entries(table)) if (retryable) codes.add(code);
  }
  return ({ code }) => codes.has(code);
}
