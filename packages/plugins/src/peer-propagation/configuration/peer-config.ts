// Makes the speaker's configuration of a peer out of its row.

import { defaultLimits, type PeerConfig, type PeerLimits, type RoutePolicy } from "@capstan/peer";
import type { Limits, PeerRow } from "../schema.ts";

const NOTHING: RoutePolicy = { clauses: [{ name: "it is being stopped", then: "reject" }] };

/** @param identity the configured node id and keys, or those of the guest that took the invitation */
export function configOf(
  row: PeerRow,
  identity: { readonly node: string; readonly keys: readonly string[] },
  secrets: readonly Uint8Array[],
): PeerConfig {
  const { domain, address, required, draining } = row;
  // While it drains, all routes are withdrawn in both directions, so that nothing new goes over its session.
  const policies =
    draining === undefined ? { import: row.import, export: row.export } : { import: NOTHING, export: NOTHING };
  return {
    ...identity,
    ...{ domain, secrets, address, required, ...policies },
    limits: limitsOf(row.limits),
  };
}

function limitsOf({ routes, then, restartAfter, pathLength, damping }: Limits): PeerLimits {
  const { routes: usual, ...rest } = defaultLimits;
  return {
    ...rest,
    routes: {
      ...usual,
      ...(routes === undefined ? {} : { routes }),
      ...(then === undefined ? {} : { then }),
      ...(restartAfter === undefined ? {} : { restartAfter }),
    },
    ...(pathLength === undefined ? {} : { pathLength }),
    ...(damping === false ? { damping: undefined } : {}),
  };
}
