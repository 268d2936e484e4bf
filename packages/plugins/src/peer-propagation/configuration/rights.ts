// The clauses of a peer's grant: it may send the protocol's frames, perform the actions that its export policy announces to it and see their schemas,
// and read such topics. The grant itself is made by auth.

import type { RoutePolicy } from "@capstan/peer";
import type { PeerRow } from "../schema.ts";

/** The clauses of every peer: frames, asking about its own messages, taking them back, and proofs that our log only grew. */
const SAYS = [
  ...["open", "update", "keepalive", "endOfTable", "refresh", "notify", "close", "explain"].map(
    (verb) => `peer.${verb}`,
  ),
  ...["prove", "leaves", "held"].map((verb) => `witness.${verb}`),
  "action.recall",
];
/** The rights that go with a route of each kind. */
const USES = { action: ["action.perform", "action.schemas"], topic: ["topic.read"] } as const;
type Kind = keyof typeof USES;
const KINDS = Object.keys(USES) as Kind[];
/** The most clauses of a grant (auth's limit). */
export const MOST_CLAUSES = 200;

/**
 * The clauses of a peer's grant. They cover all names where a clause of the policy accepts for another reason than the name, and inside a
 * domain where no clause matches: the policy itself is checked at each use (exported.ts).
 */
export function clausesOf(policy: RoutePolicy, internal: boolean): readonly string[] {
  const patterns = policy.clauses
    .filter(({ then }) => then === "accept")
    .flatMap(({ match }) => match?.routes ?? ["*"]);
  // RFC 8212 §3 applies at borders: inside a domain everything passes that no clause rejects.
  if (internal) patterns.push("*");
  return [...SAYS, ...KINDS.flatMap((kind) => usesOf(kind, patterns))];
}

/**
 * The clauses that a peer should have by its configuration and that its grant lacks: it was configured under an earlier version, or when this node
 * had another domain. The next `peer.configure` adds them. @param domain of this node
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
