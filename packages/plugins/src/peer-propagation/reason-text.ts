// The reason for the end of a session, as one line of text.

import type { Reason } from "@capstan/peer";

export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case "progress":
      return reason.what;
    case "ignored":
      return reason.why;
    case "complained":
      return `${reason.code}/${reason.subcode}: ${reason.text}`;
    case "was-notified":
      return `it said ${reason.code}/${reason.subcode}: ${reason.text}`;
    case "was-closed":
      return `it closed${reason.restart ? ", and comes back" : ""}: ${reason.text}`;
    case "connection-failed":
      return reason.text;
    default:
      return reason satisfies never;
  }
}
