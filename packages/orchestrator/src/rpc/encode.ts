// Turns an outgoing message of capnweb's into text, booked in the session's budget and with errors reduced to faults.

import type { SessionBudget } from "./budget.ts";
import { exportsIn } from "./budget.ts";
import { encodeFault } from "./errors.ts";
import type { Inbox } from "./inbox.ts";

const DONE = "what was asked was done, or failed, all the same";
/** Refusing a shorter answer would save nothing. */
const SHORT = 1024;

/**
 * The frame's text; undefined if the peer never asked for it.
 * @param waiting the characters that wait to be sent
 */
export function encodeMessage(
  message: unknown[],
  budget: SessionBudget,
  inbox: Inbox,
  waiting = 0,
): string | undefined {
  // capnweb's onSendError sees Errors only: anything else that was thrown would cross as it is.
  if (message[0] === "reject" && !isError(message[2])) {
    message[2] = encodeFault("INTERNAL", "an internal error; the server's log names it");
  }
  const text = JSON.stringify(message);
  const fault = message[0] === "resolve" || message[0] === "reject" ? unfit(text.length, waiting, budget) : undefined;
  if (fault !== undefined) {
    releaseExports(message, inbox);
    return encodeMessage(["reject", message[1], fault], budget, inbox);
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
function unfit(size: number, waiting: number, { longestAnswer, mostWaiting }: SessionBudget): unknown {
  if (size > longestAnswer) {
    const text = `the answer has ${size} characters, and may have ${longestAnswer} in this session (a smaller page has fewer)`;
    return encodeFault("TOO_LARGE", `${text}; ${DONE}`);
  }
  if (waiting + size <= mostWaiting || size < SHORT) return undefined;
  const text = `the answers that wait for room in the session have more than ${mostWaiting} characters`;
  return encodeFault("SESSION_BUDGET", `${text}; ${DONE}`);
}

function isError(value: unknown): boolean {
  return Array.isArray(value) && value[0] === "error";
}
