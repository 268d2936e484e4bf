// What a request can end with, beside the templates' faults.

import type { FaultTable } from "@capstan/orchestrator";

/** The faults of the protocol `http`. */
export const httpFaults = {
  HTTP_ADDRESS_REFUSED: {
    status: 403,
    retryable: false,
    text: "The URL leads to an address that is not public, and the operator's `httpAllow` does not list it.",
  },
  HTTP_STATUS: {
    status: 502,
    retryable: false,
    text: "The service answered with a status that is not expected; `details` has it, and the beginning of what it said.",
  },
  HTTP_UNAVAILABLE: {
    status: 503,
    retryable: true,
    text: "The service answered 408, 425, 429 or 5xx; `details.retryAfter` has the seconds that it asks to wait, if it did.",
  },
  HTTP_UNREACHABLE: {
    status: 502,
    retryable: true,
    text: "The name does not resolve, nothing answers, its certificate is not valid, or the connection broke; the text says which. What was sent may have arrived.",
  },
  HTTP_RESPONSE_TOO_LARGE: {
    status: 502,
    retryable: false,
    text: "The response is larger than the configuration's `maxBytes`, decompressed or not.",
  },
  HTTP_REDIRECT_REFUSED: {
    status: 502,
    retryable: false,
    text: "The service redirects further than the configuration's `redirects` allow, or to where none may lead; the text says where.",
  },
  HTTP_RESPONSE_INVALID: {
    status: 502,
    retryable: false,
    text: "What came back is no HTTP, or not what the configuration's `response` says: no JSON, a broken compression.",
  },
} as const satisfies FaultTable;
