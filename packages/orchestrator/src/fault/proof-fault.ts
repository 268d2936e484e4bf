// The one place where a ProofError becomes a fault. proof/ itself imports nothing of the kernel, and so knows no faults.

import { ProofError } from "../proof/proof-error.ts";
import { FaultError, fault } from "./fault.ts";
import type { KernelFaultCode } from "./kernel-faults.ts";

/** Answers what `verify` answers. @throws FaultError with the same code, where `verify` throws a ProofError */
export async function proven<T>(verify: () => T | Promise<T>): Promise<T> {
  try {
    return await verify();
  } catch (thrown) {
    if (!(thrown instanceof ProofError)) throw thrown;
    throw new FaultError(fault(thrown.code satisfies KernelFaultCode, thrown.message));
  }
}
