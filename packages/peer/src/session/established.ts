// Established: both sides have proved who they are. Updates pass; a side that hears nothing for the hold time ends it.

import type { SessionContext } from "./context.ts";
import {
  beClosed,
  beNotified,
  collide,
  expire,
  goDown,
  lose,
  refuse,
  stop,
  stopForLimit,
  unexpected,
} from "./endings.ts";
import type { Handlers, Step } from "./handler.ts";
import type { SessionInput } from "./input.ts";
import type { Session } from "./session.ts";
import { heard, ignored, ignores, keptAlive, progress, refused, said } from "./transition.ts";

const notRunning = ignores("this timer does not run in Established");
const outOfPlace = unexpected("unexpected-in-established");

export const established: Handlers = {
  "manual-start": ignores("it is started"),
  "manual-stop": stop,
  "going-down": goDown,
  "automatic-stop": stopForLimit,
  "collision-dump": collide,
  "hold-timer-expires": expire,
  // RFC 4271 §8.2.2, event 11: "sends a KEEPALIVE message and restarts its KeepaliveTimer".
  "keepalive-timer-expires": (session, _input, context) => {
    const { session: sent, effects } = said(session, { type: "keepalive" });
    return progress(keptAlive(sent, context), "keeps alive", effects);
  },
  "connect-retry-timer-expires": notRunning,
  "idle-hold-timer-expires": notRunning,
  "delay-open-timer-expires": notRunning,
  "connection-made": (session, { connection }) => refused(session, connection),
  "connection-accepted": (session, { connection }) => refused(session, connection),
  "connection-fails": lose,
  open: outOfPlace,
  proof: outOfPlace,
  // Event 26: "restarts its HoldTimer".
  keepalive: (session, _input, context) => progress(heard(session, context), "is kept alive"),
  // Event 27: processed, and the hold timer restarted.
  update: (session, { message }, context) => deliver(session, message, context),
  "end-of-table": (session, { message }, context) => deliver(session, message, context),
  // RFC 2918 §4: ignored where it was not agreed on.
  "route-refresh": (session, { message }, context) =>
    canRefresh(session)
      ? deliver(session, message, context)
      : ignored(heard(session, context), "route refresh was not agreed on"),
  notification: beNotified,
  close: beClosed,
  "malformed-message": refuse,
  "update-error": refuse,
  // RFC 4271 §8.2.2: "each time the local system sends a KEEPALIVE or UPDATE message, it restarts its KeepaliveTimer".
  // RFC 2918 §4: a refresh is asked only of a peer that "has received the Route Refresh Capability".
  send: (session, { message }, context) => {
    if (message.type === "route-refresh" && !canRefresh(session)) {
      return ignored(session, "route refresh was not agreed on");
    }
    const { session: sent, effects } = said(session, message);
    return progress(keptAlive(sent, context), "sends", effects);
  },
};

function canRefresh({ agreed }: Session): boolean {
  return agreed?.capabilities.some(({ name }) => name === "route-refresh") === true;
}

type Delivered = Extract<SessionInput, { type: "update" | "end-of-table" | "route-refresh" }>["message"];

function deliver(session: Session, message: Delivered, context: SessionContext): Step {
  return progress(heard(session, context), "is told", [{ type: "deliver", message }]);
}
