// Merges the executor's faults and those of its protocols into one table.

import type { FaultTable } from "@capstan/orchestrator";
import type { Protocol } from "../protocol.ts";
import { executorFaults } from "../schema.ts";
import { templateFaults } from "../template/template.ts";

/** @throws TypeError where two declare the same code */
export function faultsOf(protocols: readonly Protocol[]): FaultTable {
  const faults: { [code: string]: FaultTable[string] } = { ...executorFaults, ...templateFaults };
  for (const { name, faults: own = {} } of protocols) {
    for (const [code, row] of Object.entries(own)) {
      if (Object.hasOwn(faults, code))
        throw new TypeError(`protocol "${name}" declares ${code}, which is declared already`);
      faults[code] = row;
    }
  }
  return faults;
}
