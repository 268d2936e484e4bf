// A message of capnweb's as the text that leaves, with what the books and the whitelist of errors need done to it.

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
  // Nobody will ever hear of the stubs in it, so nobody would release them.
  for (const id of exportsIn(message)) inbox.inject(["release", id, 1]);
  return undefined;
}

function isError(value: unknown): boolean {
  return Array.isArray(value) && value[0] === "error";
}
