// How many routes a peer may have with us, and what happens past that (RFC 4486 §4, "maximum prefix").

/** How many routes a peer may have, and what happens beyond that. */
export interface RouteLimit {
  /** The most routes. Filtered ones count; very long ones count as several (adj-rib-in/adj-rib-in.ts). */
  readonly routes: number;
  /** Warn at this fraction of it, such as 0.75. */
  readonly warnAt: number;
  /**
   * - `warn`: say so, and take them.
   * - `drop`: take no more than the limit; asks for the table again once there is room.
   * - `restart`: end the session, forget its routes, and try again after `restartAfter`.
   * - `disable`: end it, until an operator starts it.
   */
  readonly then: "warn" | "drop" | "restart" | "disable";
  /** Milliseconds until a session that `restart` ended is tried again. */
  readonly restartAfter: number;
}

/** RFC 2439 with RFC 7196's figures: routes that come and go are left out for a while. */
export interface Damping {
  /** Penalty of a withdrawal, and of a change of attributes. */
  readonly withdrawal: number;
  readonly change: number;
  readonly suppressAt: number;
  readonly reuseAt: number;
  readonly most: number;
  /** Milliseconds. */
  readonly halfLife: number;
}

/** Everything that bounds what one peer can cost us. */
export interface PeerLimits {
  readonly routes: RouteLimit;
  /** Domains in a path, at most. */
  readonly pathLength: number;
  /** Routes announced and withdrawn in one update, at most; 1024 at least, because every sender may send as many. */
  readonly updateRoutes: number;
  /** `undefined`: nothing is damped. */
  readonly damping: Damping | undefined;
}
