// Connect: we dial, and wait for the connection. Only a dialler is ever here.

import { collide, goDown, lose, stop, stopForLimit } from "./endings.ts";
import type { Handlers } from "./handler.ts";
import { offer } from "./offer.ts";
import { ignores, progress, refused, said } from "./transition.ts";

const notConnected = ignores("there is no connection yet");
const notRunning = ignores("this timer does not run in Connect");

export const connect: Handlers = {
  // RFC 4271 §8.2.2: "The start events … are ignored in the Connect state".
  "manual-start": ignores("it is started"),
  "manual-stop": stop,
  "going-down": goDown,
  "automatic-stop": stopForLimit,
  "collision-dump": collide,
  // RFC 4271 dials again at once. A dial that hangs is a failure like any other here: the next one waits.
  "connect-retry-timer-expires": (session, _input, context) => {
    const lost = lose(session, { type: "connection-fails", text: "no connection in time" }, context);
    return { ...lost, effects: [{ type: "abandon-dial" }, ...lost.effects] };
  },
  "idle-hold-timer-expires": notRunning,
  "hold-timer-expires": notRunning,
  "keepalive-timer-expires": notRunning,
  "delay-open-timer-expires": notRunning,
  // RFC 4271 §8.2.2, events 16 and 17 there: "sends an OPEN message …, sets the HoldTimer to a large value, changes its state to
  // OpenSent". The large value bounds the whole handshake.
  "connection-made": (session, { connection }, context) => {
    const {
      session: sent,
      message,
      effects,
    } = said({ ...session, connection }, offer(context, context.prover.secrets));
    const ours = message.type === "open" ? message : undefined;
    const timers = { hold: context.now + context.config.openTime };
    return progress({ ...sent, state: "open-sent", ours, timers }, "offers", effects);
  },
  // A connection that was dialled to us gets a session of its own (neighbor/).
  "connection-accepted": (session, { connection }) => refused(session, connection),
  // RFC 4271 §8.2.2, event 18 without the DelayOpenTimer: to Idle.
  "connection-fails": lose,
  open: notConnected,
  proof: notConnected,
  keepalive: notConnected,
  update: notConnected,
  "end-of-table": notConnected,
  "route-refresh": notConnected,
  notification: notConnected,
  close: notConnected,
  "malformed-message": notConnected,
  "update-error": notConnected,
  send: notConnected,
};
