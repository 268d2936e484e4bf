// What a peer may ask of us: to say what peers say; to perform, and see the schemas of, the actions that its export policy tells it of;
// and to read such topics. Text of a grant's clauses; the grant itself is auth's.

import type { RoutePolicy } from "@capstan/peer";
import type { PeerRow } from "../schema.ts";

/** What every peer may: its session's frames, to ask what became of what it asked, to take that back, and what proves that our log only grew. */
const SAYS = [
  ...["open", "update", "keepalive", "endOfTable", "refresh", "notify", "close", "explain"].map(
    (verb) => `peer.${verb}`,
  ),
  ...["prove", "leaves", "held"].map((verb) => `witness.${verb}`),
  "action.recall",
];
/** What a route of a kind is used for. */
const USES = { action: ["action.perform", "action.schemas"], topic: ["topic.read"] } as const;
type Kind = keyof typeof USES;
const KINDS = Object.keys(USES) as Kind[];
/** auth's limit of a grant's clauses. */
export const MOST_CLAUSES = 200;

/**
 * The clauses of its grant. Where a clause accepts for another reason than the name, and where nothing is said inside a
 * domain, all names are in it: the policy itself is asked with each use (exported.ts).
 */
export function clausesOf(policy: RoutePolicy, internal: boolean): readonly string[] {
  const patterns = policy.clauses
    .filter(({ then }) => then === "accept")
    .flatMap(({ match }) => match?.routes ?? ["*"]);
  // RFC 8212 §3 is about borders: inside a domain everything passes that no clause rejects.
  if (internal) patterns.push("*");
  return [...SAYS, ...KINDS.flatMap((kind) => usesOf(kind, patterns))];
}

/**
 * The clauses that a peer has by its configuration, and its grant has not: it was configured by an earlier version, or when this node was of another
 * domain. They are given with its next `peer.configure`, by whoever says so. @param domain ours
 */
export function lacking(row: Pick<PeerRow, "export" | "domain" | "allow">, domain: string): readonly string[] {
  return clausesOf(row.export, row.domain === domain).filter((clause) => !row.allow.includes(clause));
}

function usesOf(kind: Kind, patterns: readonly string[]): readonly string[] {
  const names = new Set<string>();
  for (const pattern of patterns) {
    if (pattern === "*") names.add("*");
    else if (pattern.startsWith(`${kind}:`)) names.add(pattern.slice(kind.length + 1));
  }
  if (names.has("*")) return USES[kind];
  return USES[kind].flatMap((use) => [...names].map((name) => `${use}:${name}`));
}
