// routePolicy: which routes come in from a peer, and which go out to it. A list of clauses, the first that matches decides;
// where none does, inside a domain everything passes, and between domains nothing (RFC 8212).

import type { DomainId, NodeId, RouteName } from "../wire/names.ts";
import type { Words } from "../wire/words.ts";

/** A policy: the first clause that matches decides. */
export interface RoutePolicy {
  readonly clauses: readonly RouteClause[];
}

/** One clause of a policy. */
export interface RouteClause {
  /** What `route.list` shows with a route that this clause filtered: `import osaka 2: reject action:secret.*`. */
  readonly name: string;
  readonly then: "accept" | "reject";
  /** All that are given must hold; none given: every route. */
  readonly match?: RouteMatch;
  /** With `accept`. */
  readonly set?: {
    readonly localPreference?: number;
    /** Our own domain this often more in the path; export alone. At most 16. */
    readonly prepend?: number;
    readonly addTags?: readonly string[];
    readonly removeTags?: readonly string[];
  };
  /** Import, with `accept`: also routes of origins whose names nobody owns and whose key nobody pinned, learned over others. */
  readonly unowned?: boolean;
}

/** The conditions of a clause. */
export interface RouteMatch {
  /** `action:greet`, `action:report.*` (a star at the end stands for anything), `action:*`, `*`. Any of them. */
  readonly routes?: readonly string[];
  readonly origins?: readonly NodeId[];
  readonly originDomains?: readonly DomainId[];
  /** Any of these domains is in the path. */
  readonly through?: readonly DomainId[];
  /** Domains in the path, at most. */
  readonly maxPathLength?: number;
  readonly tags?: readonly string[];
  /** Export alone: the best path was learned from one of these peers; "self": it is our own. */
  readonly learnedFrom?: readonly (NodeId | "self")[];
}

/** What clauses look at. */
export interface PolicyRoute {
  readonly name: RouteName;
  readonly origin: NodeId;
  readonly originDomain: DomainId;
  readonly path: Words;
  readonly tags: Words;
  readonly learnedFrom: NodeId | "self";
}

/** The clause that decided. `undefined`: none matched, and the default did. */
export type PolicyVerdict =
  | { readonly accepted: true; readonly clause: RouteClause | undefined }
  | { readonly accepted: false; readonly clause: RouteClause | undefined };

/** Who may originate which names. A name that an entry covers may be originated by nobody else, whatever any policy says. */
export interface Owner {
  /** Patterns as in `RouteMatch.routes`. */
  readonly routes: readonly string[];
  readonly node: NodeId;
  /** The node's public keys, base64url: the current one, and the next while it is rotated. */
  readonly keys: readonly string[];
}
