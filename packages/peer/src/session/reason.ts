// Why a session did what it did. What ends a session is told to the other side (wire/notification-codes.ts).

import type { Complaint } from "../wire/notification-codes.ts";

/** The peer proved to be in an earlier start than it had proved before: what it runs on was put back to an older state. */
export interface Rewound {
  readonly epoch: number;
  readonly was: number;
}

/** Why a step ended as it did: typed, for logs, explanations and tests. */
export type Reason =
  /** As the protocol wants it; `what` says which of its steps, in a word. */
  | { readonly kind: "progress"; readonly what: string }
  /** This input means nothing in this state and changes nothing (RFC 4271 §8.2.2: "is ignored"). */
  | { readonly kind: "ignored"; readonly why: string }
  /** We ended it, and told the other side. `rewound`: for what the peer itself proved, and nobody else could say. */
  | ({ readonly kind: "complained"; readonly text: string; readonly rewound?: Rewound } & Complaint)
  /** The other side ended it, by a notification. Codes may be another version's. */
  | { readonly kind: "was-notified"; readonly code: string; readonly subcode: string; readonly text: string }
  /** The other side closed, and nothing was wrong. */
  | { readonly kind: "was-closed"; readonly restart: boolean; readonly text: string }
  /** The connection is gone, or could not be made. */
  | { readonly kind: "connection-failed"; readonly text: string };
