// What a peer may use: its grant says which names, and its export policy, asked here as it is now, whether it is told of the route.
// What it is not told of, and what it asks for outside of a session, it may not. Pure.

import { type Envelope, type Fault, fault, printable, refuse, type Table } from "@capstan/orchestrator";
import { compilePolicy, type PolicyRoute, type RoutePolicy } from "@capstan/peer";
import { peerNameOf } from "../names.ts";
import { type PeerRow, peerSessionTable, peerTable, reachTable } from "../schema.ts";

type Compiled = ReturnType<typeof compilePolicy>;
const compiled = { internal: new WeakMap<RoutePolicy, Compiled>(), external: new WeakMap<RoutePolicy, Compiled>() };

/** Rows as they are decided, or as somebody reads them. */
export interface Rows {
  get<Row>(table: Table<Row>, key: string): Row | undefined;
}

export interface Exported {
  /** The clause of its export that says so, for the entry. */
  readonly clause?: string | undefined;
  /** Why it may not. */
  readonly fault?: Fault | undefined;
}

/**
 * Whether a peer may use a route. @param domain ours; @param through a peer of ours that it addresses by us: then it is as if that one
 * offered the route itself; @returns `undefined` where who asks is no peer
 */
export function exported(
  rows: Rows,
  { principal, grant, node }: Pick<Envelope, "principal" | "grant" | "node">,
  route: string,
  domain: string,
  through?: string,
): Exported | undefined {
  const peer = peerNameOf(principal);
  if (peer === undefined) return undefined;
  const row = rows.get(peerTable, peer);
  // Removed: its grant may be somebody else's to revoke, and its session takes its time to end.
  if (row === undefined) return { fault: fault("PEER_UNKNOWN", `${printable(principal)} is no peer`) };
  // Another grant is of whoever had the name before, or of what the peer might before.
  if (rows.get(peerSessionTable, peer) === undefined || grant !== row.peerGrant)
    return { fault: fault("PEER_SESSION_OVER", `${peer} has no session now; open one`) };
  const addressed = through === undefined ? undefined : rows.get(peerTable, through);
  const asked = addressed === undefined ? routeHere(rows, route, node, domain) : routeAt(addressed, route);
  const { accepted, clause } = policyOf(row, domain)(asked);
  const by = `export ${peer}: ${clause?.name ?? "default"}`;
  if (accepted) return { clause: by };
  const why = clause === undefined ? "no clause of its export accepts it" : `clause "${clause.name}" rejects it`;
  const text = `${peer} is not told of ${printable(route, 200)}: ${why}`;
  return { clause: by, fault: fault("ROUTE_NOT_EXPORTED", text) };
}

function routeHere(rows: Rows, route: string, node: string, domain: string): PolicyRoute {
  const way = rows.get(reachTable, route)?.way;
  if (way !== undefined) {
    const { peer: learnedFrom, origin, originDomain } = way;
    return { name: route, origin, originDomain, path: way.path, tags: way.tags, learnedFrom };
  }
  return { name: route, origin: node, originDomain: domain, path: "", tags: "", learnedFrom: "self" };
}

function routeAt({ name, node = name, domain = node }: PeerRow, route: string): PolicyRoute {
  return { name: route, origin: node, originDomain: domain, path: domain, tags: "", learnedFrom: node };
}

function policyOf(row: PeerRow, domain: string): Compiled {
  const kind = row.domain === domain ? "internal" : "external";
  let policy = compiled[kind].get(row.export);
  if (policy === undefined) {
    policy = compilePolicy(row.export, { direction: "export", internal: kind === "internal" });
    compiled[kind].set(row.export, policy);
  }
  return policy;
}

export function refused({ fault: why, clause }: Exported) {
  return why === undefined ? undefined : refuse(why.code, why.message, clause === undefined ? {} : { clause });
}
