// Active: waiting to be dialled. An acceptor's session has a connection and waits for the open; it sends nothing before, so that a stranger
// who sends nothing learns nothing. The dialling session of a passive peer has no connection, and stays here.

import { beClosed, beNotified, collide, goDown, lose, refuse, stop, stopForLimit, unexpected } from "./endings.ts";
import type { Handler, Handlers } from "./handler.ts";
import type { SessionInputType } from "./input.ts";
import { negotiate } from "./negotiate.ts";
import { offer } from "./offer.ts";
import { complain, ignored, ignores, progress, refused, said, start } from "./transition.ts";

const notRunning = ignores("this timer does not run in Active");
const early = unexpected("unexpected-in-active");

export const active: Handlers = {
  // RFC 4271 §8.2.2 ignores it. Here it dials if the peer is no longer configured as passive.
  "manual-start": (session, _input, context) =>
    session.role === "dialler" && !context.config.passive
      ? start(session, 0, context)
      : ignored(session, "it waits to be dialled"),
  "manual-stop": stop,
  "going-down": goDown,
  "automatic-stop": stopForLimit,
  "collision-dump": (session, input, context) =>
    session.role === "acceptor" ? collide(session, input, context) : ignored(session, "it does not dial"),
  // RFC 4271 §8.2.2, event 12, sends our open now. Here the dialler speaks first, and has had its time.
  "delay-open-timer-expires": (session, _input, context) =>
    complain(session, { code: "cease", subcode: "connection-rejected" }, "said nothing in time", context),
  "connect-retry-timer-expires": notRunning,
  "idle-hold-timer-expires": notRunning,
  "hold-timer-expires": notRunning,
  "keepalive-timer-expires": notRunning,
  "connection-made": (session, { connection }) => refused(session, connection),
  // RFC 4271 §8.2.2, event 17 with DelayOpen: "sets the DelayOpenTimer to the initial value, stays in the Active state".
  "connection-accepted": (session, { connection }, { now, config }) => {
    if (session.role === "dialler" || session.connection !== undefined) return refused(session, connection);
    return progress({ ...session, connection, timers: { "delay-open": now + config.openTime } }, "waits for an open");
  },
  "connection-fails": onConnection(lose),
  // RFC 4271 §8.2.2, event 20, "BGPOpen with DelayOpenTimer running".
  open: onConnection((session, { message: theirs }, context) => {
    const ours = offer(context, []);
    const negotiation = negotiate("acceptor", ours, theirs, context);
    if (!negotiation.ok) return complain(session, negotiation.complaint, negotiation.text, context);
    const { session: sent, message, effects } = said(session, { ...ours, secrets: [negotiation.secret] });
    const timers = { hold: context.now + context.config.openTime };
    const known = context.config.peer.epoch;
    const offers = { ours: message.type === "open" ? message : undefined, theirs, offeredAt: context.now, known };
    return progress(
      { ...sent, state: "open-confirm", ...offers, agreed: negotiation.agreed, timers },
      "agrees",
      effects,
    );
  }),
  proof: onConnection<"proof">(early),
  keepalive: onConnection<"keepalive">(early),
  update: onConnection<"update">(early),
  "end-of-table": onConnection<"end-of-table">(early),
  "route-refresh": onConnection<"route-refresh">(early),
  notification: onConnection(beNotified),
  close: onConnection(beClosed),
  "malformed-message": onConnection<"malformed-message">(refuse),
  "update-error": onConnection<"update-error">(refuse),
  send: ignores("it is not established"),
};

function onConnection<T extends SessionInputType>(handler: Handler<T>): Handler<T> {
  return (session, input, context) =>
    session.connection === undefined ? ignored(session, "there is no connection") : handler(session, input, context);
}
