// What ends a session in the same way whatever its state: cells that several states' tables share.

import type { Complaint } from "../wire/notification-codes.ts";
import type { SessionContext } from "./context.ts";
import type { Handler, Step } from "./handler.ts";
import type { SessionInputType } from "./input.ts";
import type { Reason } from "./reason.ts";
import type { Session } from "./session.ts";
import { type Afterwards, complain, end, notification } from "./transition.ts";

const COLLISION: Complaint = { code: "cease", subcode: "connection-collision" };

/** RFC 4271 §8.2.2, event 2: "sends the NOTIFICATION message with a Cease", and stays until it is started. */
export const stop: Handler<"manual-stop"> = (session, { complaint, text }, context) =>
  cease(session, complaint, text, "never", context);

/** RFC 4724's planned restart: the connection is closed without a notification, which would count as a fault. */
export const goDown: Handler<"going-down"> = (session, _input, context) =>
  end(
    session,
    {
      reason: { kind: "progress", what: "goes down" },
      afterwards: "never",
      farewell: { type: "close", restart: true, reason: "going down" },
    },
    context,
  );

/** RFC 4271 §8.2.2, event 8; RFC 4486 §4 for what follows. */
export const stopForLimit: Handler<"automatic-stop"> = (session, { complaint, text, restartAfter }, context) =>
  cease(session, complaint, text, restartAfter === undefined ? "never" : { after: restartAfter }, context);

/** RFC 4271 §6.8, event 23. Deviation: not counted as a failure, because it is normal that both nodes dial. */
export const collide: Handler<"collision-dump"> = (session, _input, context) =>
  cease(session, COLLISION, "another connection with this peer stays", "aside", context);

function cease(
  session: Session,
  complaint: Complaint,
  text: string,
  afterwards: Afterwards,
  context: SessionContext,
): Step {
  const told = session.connection !== undefined;
  const reason: Reason = told ? { kind: "complained", ...complaint, text } : { kind: "progress", what: "stops" };
  return end(session, { reason, afterwards, farewell: notification(session, complaint, text) }, context);
}

/** Event 18. Deviation: RFC 4271 goes from OpenSent to Active, to dial and be dialled. A session here does only one of the two, and ends. */
export const lose: Handler<"connection-fails"> = (session, { text }, context) =>
  end(session, { reason: { kind: "connection-failed", text }, afterwards: "again" }, context);

/** Events 24 and 25. RFC 4271 §6.4: a notification is never answered by one. */
export const beNotified: Handler<"notification"> = (session, { message }, context) => {
  const { code, subcode, reason: text } = message;
  return end(session, { reason: { kind: "was-notified", code, subcode, text }, afterwards: "again" }, context);
};

export const beClosed: Handler<"close"> = (session, { message }, context) => {
  const { restart, reason: text } = message;
  return end(session, { reason: { kind: "was-closed", restart, text }, afterwards: "again" }, context);
};

/** Events 21, 22 and 28: the reader of the message says what is wrong with it. */
export function refuse(
  session: Session,
  { complaint, text }: { readonly complaint: Complaint; readonly text: string },
  context: SessionContext,
): Step {
  return complain(session, complaint, text, context);
}

/** Event 10, RFC 4271 §6.5. */
export const expire: Handler<"hold-timer-expires"> = (session, _input, context) =>
  complain(session, { code: "hold-timer-expired", subcode: "unspecified" }, "nothing came in time", context);

/** RFC 4271 §6.6; RFC 6608 says in which state. */
export function unexpected(
  subcode: Extract<Complaint, { code: "state-machine-error" }>["subcode"],
): (session: Session, input: { readonly type: SessionInputType }, context: SessionContext) => Step {
  return (session, { type }, context) =>
    complain(session, { code: "state-machine-error", subcode }, `${type} has no place in ${session.state}`, context);
}
