// Turns an outgoing message of capnweb's into text, booked in the session's budget and with errors reduced to faults.

import type { SessionBudget } from "./budget.ts";
import { exportsIn } from "./budget.ts";
import { encodeFault } from "./errors.ts";
import type { Inbox } from "./inbox.ts";

/** The frame's text; undefined if the peer never asked for it. */
export function encodeMessage(message: unknown[], budget: SessionBudget, inbox: Inbox): string | undefined {
  // capnweb's onSendError sees Errors only: anything else that was thrown would cross as it is.
  if (message[0] === "reject" && !isError(message[2])) {
    message[2] = encodeFault("INTERNAL", "an internal error; the server's log names it");
  }
  const text = JSON.stringify(message);
  if (budget.sent(message, text)) return text;
  // The peer never gets the stubs in it, and so will never release them: that is done here.
  for (const id of exportsIn(message)) inbox.inject(["release", id, 1]);
  return undefined;
}

function isError(value: unknown): boolean {
  return Array.isArray(value) && value[0] === "error";
}
