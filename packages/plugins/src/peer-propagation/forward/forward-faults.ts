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
    text: "As many calls of the peer, or of all peers, as may be open are not over; the text says whose. Let some of them end.",
  },
} as const satisfies FaultTable;
