// What a performing elsewhere may end with beside the far side's own faults, which keep their codes.

import type { FaultTable } from "@capstan/orchestrator";

export const forwardFaults = {
  PEER_FAULT: {
    status: 502,
    retryable: false,
    text: "A peer refused with what is no fault's code; `details` has it, and which peer. Its operator knows more.",
  },
  PEER_ANSWER_INVALID: {
    status: 502,
    retryable: false,
    text: "A peer answered a performing with what is no answer. It may have been carried out; nothing of the answer is kept.",
  },
} as const satisfies FaultTable;
