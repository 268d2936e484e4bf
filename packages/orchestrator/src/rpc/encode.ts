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
  if (text.length > budget.longestAnswer && (message[0] === "resolve" || message[0] === "reject")) {
    releaseExports(message, inbox);
    return encodeMessage(instead(message, text.length, budget.longestAnswer), budget, inbox);
  }
  if (budget.sent(message, text)) return text;
  releaseExports(message, inbox);
  return undefined;
}

/** The peer never gets the stubs in it, and so will never release them: that is done here. */
function releaseExports(message: readonly unknown[], inbox: Inbox): void {
  for (const id of exportsIn(message)) inbox.inject(["release", id, 1]);
}

/** What is answered in the place of what would end the session. */
function instead([, id]: readonly unknown[], size: number, most: number): unknown[] {
  const text = `the answer has ${size} characters, and a frame between nodes has ${most} at most; what was asked was done, or failed, all the same`;
  return ["reject", id, encodeFault("TOO_LARGE", text)];
}

function isError(value: unknown): boolean {
  return Array.isArray(value) && value[0] === "error";
}
