// One step of a session: RFC 4271 §8 as a function. It reads no clock, waits for nothing and does nothing; the same session,
// input and context give the same step. It never throws, whatever the peer sends.

import { active } from "./active.ts";
import { connect } from "./connect.ts";
import type { SessionContext } from "./context.ts";
import { established } from "./established.ts";
import type { Handler, Handlers, Step } from "./handler.ts";
import { idle } from "./idle.ts";
import type { SessionInput, SessionInputType } from "./input.ts";
import { openConfirm } from "./open-confirm.ts";
import { openSent } from "./open-sent.ts";
import type { Session, SessionState } from "./session.ts";
import { isDue, timerOf, without } from "./timers.ts";
import { ignored } from "./transition.ts";

const STATES: { readonly [S in SessionState]: Handlers } = {
  idle,
  connect,
  active,
  "open-sent": openSent,
  "open-confirm": openConfirm,
  established,
};

/** One step of a session: the next value, what is to be done, and why. Pure. */
export function step(session: Session, input: SessionInput, context: SessionContext): Step {
  const timer = timerOf(input);
  if (timer !== undefined) {
    if (!isDue(session.timers, timer, context.now)) return ignored(session, "the timer is not due");
    return handle({ ...session, timers: without(session.timers, timer) }, input, context);
  }
  const seq = numberOf(input);
  if (seq === undefined || session.connection === undefined) return handle(session, input, context);
  if (seq === session.received) return handle({ ...session, received: session.received + 1 }, input, context);
  return handle(session, outOfOrder(session, seq), context);
}

function handle(session: Session, input: SessionInput, context: SessionContext): Step {
  // The table has the input's own handler under its type; the compiler cannot follow that.
  const handler = STATES[session.state][input.type] as Handler<SessionInputType>;
  return handler(session, input, context);
}

/** Of a message from the peer. A notification's is not asked for: it ends the session, and is not answered (RFC 4271 §6.4). */
function numberOf(input: SessionInput): number | undefined {
  return "message" in input && input.type !== "send" && input.type !== "notification" ? input.message.seq : undefined;
}

/** RFC 4271 §6.1: a stream in which something was lost, doubled or reordered cannot be read on. */
function outOfOrder({ received }: Session, seq: number): SessionInput {
  const complaint = { code: "message-header-error", subcode: "not-synchronized" } as const;
  return { type: "malformed-message", complaint, text: `message ${seq} where ${received} was due` };
}
