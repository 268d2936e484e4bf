// What one peer may cost, unless an operator says otherwise. Each number with its reason.

import type { PeerLimits } from "./route-limit.ts";

/** The limits of a peer where none are configured. */
export const defaultLimits: PeerLimits = {
  routes: {
    // What the RIB is measured with: at 0.9 kB an ordinary route 45 MB, and a quarter of a gigabyte with names, paths, tags
    // and hashes as long as they can be made (adj-rib-in.ts counts what is longer as several routes).
    routes: 50_000,
    // RFC 4486 leaves it open; 75 % is what routers warn at, early enough to raise the limit before anything is lost.
    warnAt: 0.75,
    // Ends the session rather than truncating the table, which nobody would notice. The session comes back by itself.
    then: "restart",
    // So long that a peer that sends a whole table each time costs at most 50,000 routes in five minutes.
    restartAfter: 300_000,
  },
  // Domains, not hops. The internet's longest real paths are about 40; what is longer is a mistake or an attack.
  pathLength: 64,
  // A full table goes out in a dozen updates, and one that is refused costs no more than this.
  updateRoutes: 4096,
  damping: {
    // RFC 7196 §3 (table 1): penalties as in routers.
    withdrawal: 1000,
    change: 500,
    // RFC 7196 §6: 6000 at least, so that what changes now and then is never suppressed: six withdrawals within a minute or so.
    suppressAt: 6000,
    reuseAt: 750,
    // RFC 2439 §4.2: the ceiling follows from the longest suppression, four half-lives: 750 × 2⁴. RFC 7196 §6 has 50,000, to
    // leave room for thresholds of 12,000 and more; whoever sets those raises this too.
    most: 12_000,
    // RFC 7196 has 15 minutes, for a network that takes minutes to settle. Ours takes seconds; the longest suppression is four minutes.
    halfLife: 60_000,
  },
};
