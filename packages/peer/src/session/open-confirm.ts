// OpenConfirm: both offers are there, and what they come to counts once the other side has proved that it is who it says and
// that it saw the very same offers. The dialler proves first.

import type { Exchange, ProofValues } from "../proof/prover.ts";
import type { SessionContext } from "./context.ts";
import type { SessionEffect } from "./effect.ts";
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
import type { Session } from "./session.ts";
import { complain, heard, ignores, keptAlive, progress, refused, said } from "./transition.ts";

const notRunning = ignores("this timer does not run in OpenConfirm");
const outOfPlace = unexpected("unexpected-in-open-confirm");

export const openConfirm: Handlers = {
  "manual-start": ignores("it is started"),
  "manual-stop": stop,
  "going-down": goDown,
  "automatic-stop": stopForLimit,
  "collision-dump": collide,
  "hold-timer-expires": expire,
  "connect-retry-timer-expires": notRunning,
  "idle-hold-timer-expires": notRunning,
  // Nothing is kept alive that is not proved; the hold timer bounds the handshake.
  "keepalive-timer-expires": notRunning,
  "delay-open-timer-expires": notRunning,
  "connection-made": (session, { connection }) => refused(session, connection),
  "connection-accepted": (session, { connection }) => refused(session, connection),
  "connection-fails": lose,
  open: outOfPlace,
  // Event 26 in RFC 4271 §8.2.2, where a keepalive says as much as a proof does here.
  proof: (session, { message }, context) => {
    const { secret, mac, signature } = message;
    return session.role === "dialler"
      ? verifyAcceptor(session, { secret, mac, signature }, context)
      : verifyDialler(session, { secret, mac, signature }, context);
  },
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

function verifyAcceptor(session: Session, proof: ProofValues, context: SessionContext): Step {
  const { ours, theirs, proof: diallers } = session;
  if (ours === undefined || theirs === undefined || diallers === undefined) return unproved(session, context);
  const exchange: Exchange = { dialler: ours, acceptor: theirs };
  if (proof.secret !== diallers.secret) return unproved(session, context);
  if (!context.prover.verify("acceptor", exchange, proof, diallers)) return unproved(session, context);
  return isOld(session, context) ? old(session, context) : established(session, [], context);
}

function verifyDialler(session: Session, proof: ProofValues, context: SessionContext): Step {
  const { ours, theirs } = session;
  const secret = ours?.secrets[0];
  if (ours === undefined || theirs === undefined || secret === undefined) return unproved(session, context);
  const exchange: Exchange = { dialler: theirs, acceptor: ours };
  if (proof.secret !== secret || !context.prover.verify("dialler", exchange, proof)) return unproved(session, context);
  if (isOld(session, context)) return old(session, context);
  const { session: sent, effects } = said(session, {
    type: "proof",
    ...context.prover.prove("acceptor", exchange, secret, proof),
  });
  return established(sent, effects, context);
}

/** One text for all that can be wrong with a proof: which part it is helps nobody but who tries. */
function unproved(session: Session, context: SessionContext): Step {
  return complain(session, { code: "open-error", subcode: "authentication-failure" }, "the proof is wrong", context);
}

function isOld({ agreed }: Session, { config: { peer } }: SessionContext): boolean {
  return agreed !== undefined && peer.epoch !== undefined && agreed.epoch < peer.epoch;
}

/**
 * All that it offers would be void (ADR 0021), and its operator would see nothing but a session that stands. What was proved is about
 * the offers, and so was signed after both were there: where the later epoch was known by then, the peer went back. Else its words may
 * have been on their way while it started again.
 */
function old(session: Session, context: SessionContext): Step {
  const epoch = session.agreed?.epoch ?? 0;
  const was = context.config.peer.epoch ?? 0;
  const text = `the peer comes in its start ${epoch}, and has been in its start ${was}`;
  const rewound = session.known !== undefined && epoch < session.known ? { epoch, was } : undefined;
  return complain(session, { code: "open-error", subcode: "old-epoch" }, text, context, rewound);
}

function established(session: Session, effects: readonly SessionEffect[], context: SessionContext): Step {
  const { connection, agreed } = session;
  if (connection === undefined || agreed === undefined) return unproved(session, context);
  const up: Session = { ...session, state: "established", establishedAt: context.now, timers: {} };
  return progress(keptAlive(heard(up, context), context), "is established", [
    ...effects,
    { type: "established", connection, agreed },
  ]);
}
