// What the relations of two domains ask of their policies (Gao and Rexford, 2001): a customer's routes are preferred to a
// peer's, and these to a provider's; only customers are told what was learned from peers and providers. A tag says within a
// domain what a route was learned from.

import type { RouteClause, RoutePolicy } from "../../policy/route-policy.ts";
import type { ScriptLink } from "./script.ts";

type Neighbor = "customer" | "peer" | "provider";

/** Of a provider's routes it is the default, 100: that nobody else's localPreference counts has to show somewhere. */
const PREFERENCE = { customer: { localPreference: 200 }, peer: { localPreference: 150 }, provider: {} } as const;
const TAGS = ["customer", "peer", "provider"] as const;

/** Between `node` and the link's other end. `domain` is the node's; clauses of its filters come first. */
export function policiesOf(
  link: Pick<ScriptLink, "a" | "relation">,
  node: string,
  domain: string,
  filters: { readonly import: readonly RouteClause[]; readonly export: readonly RouteClause[] },
): { readonly import: RoutePolicy; readonly export: RoutePolicy } {
  if (link.relation === "internal") return { import: { clauses: [ownFirst(domain)] }, export: { clauses: [] } };
  const neighbor: Neighbor = link.relation === "peer" ? "peer" : link.a === node ? "provider" : "customer";
  const learned: RouteClause = {
    name: `from a ${neighbor}`,
    then: "accept",
    set: { ...PREFERENCE[neighbor], removeTags: TAGS, addTags: [neighbor] },
  };
  return {
    import: { clauses: [...filters.import, learned] },
    export: { clauses: [...filters.export, ...(neighbor === "customer" ? EVERYTHING : ownAndCustomers(domain))] },
  };
}

/**
 * What several domains offer, each of them prefers of itself: if all preferred their peers', who comes first would decide.
 * Everything else passes as it is.
 */
const ownFirst = (domain: string): RouteClause => ({
  name: "our domain's own",
  then: "accept",
  match: { originDomains: [domain] },
  set: { localPreference: 300 },
});

const EVERYTHING: readonly RouteClause[] = [{ name: "all", then: "accept" }];

const ownAndCustomers = (domain: string): readonly RouteClause[] => [
  { name: "our own", then: "accept", match: { learnedFrom: ["self"] } },
  { name: "our domain's", then: "accept", match: { originDomains: [domain] } },
  { name: "our customers'", then: "accept", match: { tags: ["customer"] } },
];
