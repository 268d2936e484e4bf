// Idle: no connection, and none is wanted. With the idle-hold timer it starts again by itself, without it an operator has to,
// or another connection with the peer has to end.

import { collide, goDown, stop, stopForLimit } from "./endings.ts";
import type { Handlers } from "./handler.ts";
import { ignored, ignores, refused, start } from "./transition.ts";

const notConnected = ignores("there is no connection");
const notRunning = ignores("this timer does not run in Idle");

export const idle: Handlers = {
  // RFC 4271 §8.2.2: "sets ConnectRetryCounter to zero". A start by hand does not wait.
  "manual-start": (session, _input, context) =>
    session.role === "dialler" ? start(session, 0, context) : ignored(session, "who was dialled does not start"),
  // RFC 4271 ignores them in Idle. Here they also stop the idle-hold timer, or it would start again by itself.
  "manual-stop": (session, input, context) => stop(session, input, context),
  "going-down": (session, input, context) => goDown(session, input, context),
  "automatic-stop": (session, input, context) => stopForLimit(session, input, context),
  "collision-dump": (session, input, context) => collide(session, input, context),
  // RFC 4271 §8.1.3, event 13: what DampPeerOscillations held back.
  "idle-hold-timer-expires": (session, _input, context) => start(session, session.attempts, context),
  "connect-retry-timer-expires": notRunning,
  "hold-timer-expires": notRunning,
  "keepalive-timer-expires": notRunning,
  "delay-open-timer-expires": notRunning,
  // RFC 4271 §8.2.2: "In this state, BGP FSM refuses all incoming BGP connections". The dial was given up meanwhile.
  "connection-made": (session, { connection }) => refused(session, connection),
  "connection-accepted": (session, { connection }) => refused(session, connection),
  "connection-fails": notConnected,
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
