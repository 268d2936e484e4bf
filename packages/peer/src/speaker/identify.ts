// What the first message of a connection that was dialled to us says: whose it claims to be, or why nobody comes in with it.

import type { Open } from "../wire/message.ts";
import type { NodeId } from "../wire/names.ts";
import type { Complaint } from "../wire/notification-codes.ts";
import type { MessageReading } from "../wire/read-message.ts";

export type Identification =
  /** A claim, until it is proved. */
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
    // It is told what one is told who says that it is a peer and has not its key (session/negotiate.ts).
    const complaint = { code: "open-error", subcode: "authentication-failure" } as const;
    return { ok: false, complaint, text: `${message.node} is no peer of this node` };
  }
  return { ok: true, open: message };
}
