// OpenSent: we dialled and made our offer; the acceptor's is awaited. Ours is a claim to it, and its answer is one to us.

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
import type { Handlers } from "./handler.ts";
import { negotiate } from "./negotiate.ts";
import { complain, ignored, ignores, progress, refused, said } from "./transition.ts";

const notRunning = ignores("this timer does not run in OpenSent");
const outOfPlace = unexpected("unexpected-in-open-sent");

export const openSent: Handlers = {
  "manual-start": ignores("it is started"),
  "manual-stop": stop,
  "going-down": goDown,
  "automatic-stop": stopForLimit,
  "collision-dump": collide,
  "hold-timer-expires": expire,
  "connect-retry-timer-expires": notRunning,
  "idle-hold-timer-expires": notRunning,
  "keepalive-timer-expires": notRunning,
  "delay-open-timer-expires": notRunning,
  "connection-made": (session, { connection }) => refused(session, connection),
  "connection-accepted": (session, { connection }) => refused(session, connection),
  "connection-fails": lose,
  // RFC 4271 §8.2.2, event 19: to OpenConfirm, but with a proof where BGP sends a keepalive. The hold timer goes on as it is:
  // what was negotiated is not proved, and the handshake as a whole has its time.
  open: (session, { message: theirs }, context) => {
    const { ours } = session;
    if (ours === undefined) return ignored(session, "nothing was offered");
    const negotiation = negotiate("dialler", ours, theirs, context);
    if (!negotiation.ok) return complain(session, negotiation.complaint, negotiation.text, context);
    const { agreed, secret } = negotiation;
    const proof = context.prover.prove("dialler", { dialler: ours, acceptor: theirs }, secret);
    const { session: sent, effects } = said(session, { type: "proof", ...proof });
    const offered = { theirs, offeredAt: context.now, known: context.config.peer.epoch };
    return progress({ ...sent, state: "open-confirm", ...offered, agreed, proof }, "proves", effects);
  },
  proof: outOfPlace,
  keepalive: outOfPlace,
  update: outOfPlace,
  "end-of-table": outOfPlace,
  "route-refresh": outOfPlace,
  notification: beNotified,
  close: beClosed,
  "malformed-message": refuse,
  "update-error": refuse,
  send: ignores("it is not established"),
};
