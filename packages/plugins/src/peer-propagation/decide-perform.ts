// A peer's performing: its grant says which actions it may use, and its export policy, asked here as it is now, whether it is
// told of them. What it is not told of, and what it asks for outside of a session, it may not. Pure.

import { next, printable, refuse } from "@capstan/orchestrator";
import { compilePolicy, type PolicyRoute, type RoutePolicy } from "@capstan/peer";
import type { Context } from "./context.ts";
import { peerNameOf } from "./names.ts";
import { peerSessionTable, peerTable, reachTable } from "./schema.ts";

type Compiled = ReturnType<typeof compilePolicy>;
const compiled = { internal: new WeakMap<RoutePolicy, Compiled>(), external: new WeakMap<RoutePolicy, Compiled>() };

/** @param domain ours */
export function decidePerform({ message, envelope, state }: Context, domain: string) {
  const peer = peerNameOf(envelope.principal);
  const uses = message.action === "perform" || message.action === "schemas";
  if (peer === undefined || !uses) return next();
  const row = state.get(peerTable, peer);
  // Removed: its grant may be somebody else's to revoke, and its session takes its time to end.
  if (row === undefined) return refuse("PEER_UNKNOWN", `${printable(envelope.principal)} is no peer`);
  // Another grant is of whoever had the name before, or of what the peer might before.
  if (state.get(peerSessionTable, peer) === undefined || envelope.grant !== row.peerGrant)
    return refuse("PEER_SESSION_OVER", `${peer} has no session now; open one`);
  const { name } = message.data as { readonly name: string };
  const route = `action:${name}`;
  const way = state.get(reachTable, route);
  const asked: PolicyRoute =
    way === undefined
      ? { name: route, origin: envelope.node, originDomain: domain, path: [], tags: [], learnedFrom: "self" }
      : { ...way, name: route, learnedFrom: way.peer };
  const kind = row.domain === domain ? "internal" : "external";
  let policy = compiled[kind].get(row.export);
  if (policy === undefined) {
    policy = compilePolicy(row.export, { direction: "export", internal: kind === "internal" });
    compiled[kind].set(row.export, policy);
  }
  const { accepted, clause } = policy(asked);
  const by = `export ${peer}: ${clause?.name ?? "default"}`;
  if (accepted) return next({ clause: by });
  const text = `${peer} is not told of ${printable(route, 200)}: ${clause === undefined ? "no clause of its export accepts it" : `clause "${clause.name}" rejects it`}`;
  return refuse("ROUTE_NOT_EXPORTED", text, { clause: by });
}
