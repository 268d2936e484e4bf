// What follows from how many routes a peer has with us.

import type { RouteLimit } from "./route-limit.ts";

/** `count` is what the peer would have, filtered ones included: those cost memory too (RFC 4271 §6.7). */
export function checkRouteLimit(count: number, limit: RouteLimit): "ok" | RouteLimit["then"] {
  if (count > limit.routes) return limit.then;
  return count >= limit.routes * limit.warnAt ? "warn" : "ok";
}
