// What a program's run can end with, beside the templates' faults.

import type { FaultTable } from "@capstan/orchestrator";

/** The faults of the protocol `process`. */
export const processFaults = {
  PROCESS_FAILED: {
    status: 502,
    retryable: true,
    text: "The program could not be started, was ended by a signal, or exited with a code that is not expected; `details` has code, signal and the end of its stderr. Tried again only where the action is idempotent.",
  },
  PROCESS_OUTPUT_TOO_LARGE: {
    status: 502,
    retryable: false,
    text: "The program wrote more than the configuration's `maxBytes`, and was ended.",
  },
  PROCESS_OUTPUT_INVALID: {
    status: 502,
    retryable: false,
    text: "The program's output is not what the configuration's `stdout: \"json\"` says.",
  },
} as const satisfies FaultTable;
