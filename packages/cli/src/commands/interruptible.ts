// Work that leaves nothing half done when it is stopped: the signal says so, and the command ends with a fault of its own.

import { FaultError, fault } from "@capstan/orchestrator/remote";
import type { Io } from "../io.ts";

/** @throws FaultError INTERRUPTED where the process is asked to stop meanwhile */
export function interruptible<T>(io: Io, what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  void io
    .stopped()
    .then(() => abort.abort(new FaultError(fault("INTERRUPTED", `${what} was stopped; nothing of it was kept`))));
  return work(abort.signal);
}
