// What a refusal or a failure is: a value with a stable code. Every fault that crosses a boundary comes from a table
// (FaultTable), so that codes are unique, documented, and carry their HTTP status and whether trying again can help.

import { printable } from "./printable.ts";

/** What callers see of a fault, on every door. `id` is the message that it answers, where there is one. */
export interface Fault {
  /** Stable, upper snake case; callers narrow on this and on nothing else. */
  readonly code: string;
  /** What happened, to what, and what to do. */
  readonly message: string;
  readonly details?: unknown;
  readonly id?: string;
}

/** One row of a fault table: how the doors treat the code. */
export interface FaultRow {
  /** HTTP status that a door answers with. */
  readonly status: number;
  /** Whether the same call may succeed later, unchanged. */
  readonly retryable: boolean;
  /** One line for the documentation: when it is given, and what to do. */
  readonly text?: string;
}

/** A table of faults: code → status, whether to try again, and a text. */
export type FaultTable = Readonly<Record<string, FaultRow>>;

/**
 * A fault on its way through code that throws: at an RPC boundary, or out of a promise.
 * Inside the pipeline faults are values; this class is only how they leave it.
 */
export class FaultError extends Error {
  readonly code: string;
  readonly details?: unknown;
  readonly id?: string;

  constructor(fault: Fault) {
    super(printable(fault.message));
    this.name = "FaultError";
    this.code = fault.code;
    if (fault.details !== undefined) this.details = fault.details;
    if (fault.id !== undefined) this.id = fault.id;
  }

  /** The fault as a plain value. */
  toFault(): Fault {
    return fault(this.code, this.message, this.details, this.id);
  }
}

/** Makes a fault. Its fields are plain JSON. */
export function fault(code: string, message: string, details?: unknown, id?: string): Fault {
  return {
    code,
    message: printable(message),
    ...(details === undefined ? {} : { details }),
    ...(id === undefined ? {} : { id }),
  };
}

/** The fault in whatever was thrown; anything that is not one of ours becomes `INTERNAL` and says nothing of its inside. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof FaultError) return thrown.toFault();
  return fault("INTERNAL", "an internal error; the server's log names it");
}
