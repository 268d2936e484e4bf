// The one place where what was not proven becomes a fault: proof/ stands by itself, and knows of no fault table.

import type { Awaitable } from "../log/log.ts";
import { ProofError } from "../proof/proof-error.ts";
import { FaultError, fault } from "./fault.ts";
import type { KernelFaultCode } from "./kernel-faults.ts";

/** What `verify` answers. @throws FaultError of the same code where it throws a ProofError */
export async function proven<T>(verify: () => Awaitable<T>): Promise<T> {
  try {
    return await verify();
  } catch (thrown) {
    if (!(thrown instanceof ProofError)) throw thrown;
    throw new FaultError(fault(thrown.code satisfies KernelFaultCode, thrown.message));
  }
}
