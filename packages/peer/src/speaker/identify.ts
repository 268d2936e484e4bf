// Reads the first message of a connection that was dialled to us: which peer it claims to be, or why it is refused.

import type { Open } from "../wire/message.ts";
import type { NodeId } from "../wire/names.ts";
import type { Complaint } from "../wire/notification-codes.ts";
import type { MessageReading } from "../wire/read-message.ts";

export type Identification =
  /** The open is a claim until it is proved (proof/). */
  | { readonly ok: true; readonly open: Open }
  | { readonly ok: false; readonly complaint: Complaint; readonly text: string };

export function identify(reading: MessageReading, isPeer: (node: NodeId) => boolean): Identification {
  if (!reading.ok) return reading;
  const { message } = reading;
  if (message.type !== "open") {
    const complaint = { code: "state-machine-error", subcode: "unexpected-in-active" } as const;
    return { ok: false, complaint, text: `${message.type} before open` };
  }
  if (!isPeer(message.node)) {
    // The same answer as to a configured peer with the wrong key (session/negotiate.ts): it does not tell who is configured.
    const complaint = { code: "open-error", subcode: "authentication-failure" } as const;
    return { ok: false, complaint, text: `${message.node} is no peer of this node` };
  }
  return { ok: true, open: message };
}
