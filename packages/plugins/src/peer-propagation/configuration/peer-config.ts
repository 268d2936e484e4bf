// A peer's row as the speaker takes it.

import { defaultLimits, type PeerConfig, type PeerLimits, type RoutePolicy } from "@capstan/peer";
import type { Limits, PeerRow } from "../schema.ts";

const NOTHING: RoutePolicy = { clauses: [{ name: "it is being stopped", then: "reject" }] };

/** @param identity the node and the key that it is configured with, or that took its invitation */
export function configOf(
  row: PeerRow,
  identity: { readonly node: string; readonly keys: readonly string[] },
  secrets: readonly Uint8Array[],
): PeerConfig {
  const { domain, address, required, draining } = row;
  // What leads through it is taken back in both directions: nothing new comes over its session, nor goes.
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
