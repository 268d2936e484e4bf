// Whether the peer's routes are kept when a session ends. RFC 4724 keeps them when the connection breaks; RFC 8538 also when a side sends
// a notification, except for the hard resets, which mean that the routes shall go.

import type { NotificationCode } from "../wire/notification-codes.ts";
import type { Reason } from "./reason.ts";

/** RFC 8538 §3's hard reset, here told by subcode: an operator ended the session, or the next one would fail in the same way. */
const HARD_CEASES: ReadonlySet<string> = new Set([
  "administrative-shutdown",
  "peer-removed",
  "too-many-routes",
  "configuration-change",
  "out-of-resources",
]);

export function isGraceful(reason: Reason): boolean {
  switch (reason.kind) {
    case "complained":
    case "was-notified":
      return !isHard(reason.code, reason.subcode);
    case "was-closed":
      return reason.restart;
    // We go down ourselves, and come back.
    case "progress":
    case "connection-failed":
    case "ignored":
      return true;
    default:
      return reason satisfies never;
  }
}

function isHard(code: string, subcode: string): boolean {
  const known = code as NotificationCode;
  return known === "open-error" || (known === "cease" && HARD_CEASES.has(subcode));
}
