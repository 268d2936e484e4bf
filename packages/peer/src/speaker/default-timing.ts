// The default of each time, with its reason. Milliseconds, except where `SpeakerTiming` says seconds.

import type { SpeakerTiming } from "./speaker-config.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** In seconds, for signatures. */
const HOUR = 3_600;

/** The times where none are configured. */
export const defaultTiming: SpeakerTiming = {
  // RFC 4271 §10 suggests it: three keepalives may be lost before a peer is given up.
  holdTime: 90 * SECOND,
  // RFC 4271 §4.2 allows 3 s, and 0 for no hold timer. 0 is refused here too: a dead peer must be noticed.
  minHoldTime: 3 * SECOND,
  // Longer than three retransmissions of a SYN; a dial to a wrong iroh id takes 30 s to fail by itself.
  connectTime: 10 * SECOND,
  // A handshake is two round trips and two signatures. RFC 4271's 4 minutes would let a stranger occupy a place for that long.
  openTime: 10 * SECOND,
  // First a second: a restart is hardly noticed. At most a minute: a peer that comes back is found soon.
  backoff: { first: SECOND, last: MINUTE },
  // A restart with a large log to verify. RFC 4724 §4.1 suggests at most the hold time, since stale routes may lead nowhere.
  restartTime: 2 * MINUTE,
  // RFC 4724 §4.1: not longer than peers keep our routes.
  deferral: MINUTE,
  // Changes that come together are sent together. RFC 4271's 30 s are for the internet's hundred thousand routers.
  advertisementInterval: 100,
  // How far clocks of different administrations may differ, as in Kerberos (RFC 4120 §8.2).
  tolerance: 5 * 60,
  // A replayed announcement of a withdrawn route is believed no longer than this. Everything is signed anew at half of it.
  lifetime: 24 * HOUR,
  // Others may sign for a week at most: a signature cannot be taken back before it expires.
  maxLifetime: 7 * 24 * HOUR,
  // As long as a restart may take, so that a node that comes back is replaced route by route.
  epochGrace: 2 * MINUTE,
};
