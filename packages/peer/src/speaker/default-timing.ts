// How long things take where nobody says otherwise, each with its reason.

import type { SpeakerTiming } from "./speaker-config.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** In seconds. */
const HOUR = 3_600;

export const defaultTiming: SpeakerTiming = {
  // RFC 4271 §10 suggests it: three keepalives may be lost before a peer is given up.
  holdTime: 90 * SECOND,
  // RFC 4271 §4.2: less is refused, 0 (never) too: a peer that is gone must be found.
  minHoldTime: 3 * SECOND,
  // Longer than three retransmissions of a SYN; a dial to a wrong iroh id takes 30 s to fail by itself.
  connectTime: 10 * SECOND,
  // A handshake is two round trips and two signatures. RFC 4271's 4 minutes would let a stranger hold a place as long.
  openTime: 10 * SECOND,
  // From one second, so that a restart is hardly noticed, to a minute, so that a peer that comes back is not waited for long.
  backoff: { first: SECOND, last: MINUTE },
  // A restart with a large log to verify. RFC 4724 would have it no longer than the hold time: stale routes lead nowhere.
  restartTime: 2 * MINUTE,
  // RFC 4724 §4.1: at most what peers keep our routes for.
  deferral: MINUTE,
  // What changes together is told together; RFC 4271's 30 s are for a network of a hundred thousands of routers.
  advertisementInterval: 100,
  // What an operator's clocks may be apart, as in Kerberos (RFC 4120 §8.2).
  tolerance: 5 * 60,
  // A replay of what was withdrawn is believed no longer than this. Everything is signed anew at half of it.
  lifetime: 24 * HOUR,
  // Another may sign for a week: longer would be a promise that nobody can take back.
  maxLifetime: 7 * 24 * HOUR,
  // As long as a restart may take, so that a node that comes back is replaced route by route.
  epochGrace: 2 * MINUTE,
};
