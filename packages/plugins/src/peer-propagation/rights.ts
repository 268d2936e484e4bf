// What a peer may ask of us: to say what peers say, and to perform, and see the schemas of, the actions that its export policy
// tells it of. Text of a grant's clauses; the grant itself is auth's.

import type { RoutePolicy } from "@capstan/peer";

/** What every peer may: its session's frames. */
const SAYS = ["open", "update", "keepalive", "endOfTable", "refresh", "notify", "close"].map((verb) => `peer.${verb}`);
const USES = ["action.perform", "action.schemas"];
const ACTION = "action:";
/** auth's limit of a grant's clauses. */
export const MOST_CLAUSES = 200;

/**
 * The clauses of its grant. Where a clause accepts for another reason than the name, and where nothing is said inside a
 * domain, all actions are in it: the policy itself is asked with each perform (decide-perform.ts).
 */
export function clausesOf(policy: RoutePolicy, internal: boolean): readonly string[] {
  const names = new Set<string>();
  for (const { then, match } of policy.clauses) {
    if (then !== "accept") continue;
    for (const pattern of match?.routes ?? ["*"]) {
      if (pattern === "*") names.add("*");
      else if (pattern.startsWith(ACTION)) names.add(pattern.slice(ACTION.length));
    }
  }
  // RFC 8212 §3 is about borders: inside a domain everything passes that no clause rejects.
  if (internal) names.add("*");
  if (names.has("*")) return [...SAYS, ...USES];
  return [...SAYS, ...USES.flatMap((use) => [...names].map((name) => `${use}:${name}`))];
}
