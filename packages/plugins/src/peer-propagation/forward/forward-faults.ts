// What a performing elsewhere may end with beside the far side's own faults, which keep their codes; and a peer's own.

import type { FaultTable } from "@capstan/orchestrator";

export const forwardFaults = {
  PEER_FAULT: {
    status: 502,
    retryable: false,
    text: "A peer refused with an invalid fault code; `details` has the code and the peer. The peer's operator knows more.",
  },
  PEER_ANSWER_INVALID: {
    status: 502,
    retryable: false,
    text: "A peer's answer to a perform was invalid, and is not kept. The action may have run.",
  },
  PEER_CALLS_EXCEEDED: {
    status: 429,
    retryable: true,
    text: "The peer, or all peers together, have as many open calls as they may; the text says which. Wait until some have ended.",
  },
} as const satisfies FaultTable;
