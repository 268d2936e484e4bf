// A peer's performing, and its looking at what an action takes: allowed where its export policy tells it of the action
// (exported.ts). Pure.

import { next, refuse } from "@capstan/orchestrator";
import { neighbourTable } from "../../registry/elsewhere.ts";
import type { Context } from "../context.ts";
import { peerNameOf } from "../names.ts";
import { exported, refused } from "../routes/exported.ts";
import { peerTable } from "../schema.ts";

/** @param domain ours */
export function decidePerform({ message, envelope, state }: Context, domain: string) {
  if (message.action !== "perform" && message.action !== "schemas") return next();
  const { name, at } = message.data as { readonly name: string; readonly at?: string };
  // Whoever comes first in what it says behind us. Where that is no neighbour now it is an origin, and goes by the way from here.
  const first = at?.split("/").find((segment) => segment !== envelope.node);
  const through = first !== undefined && state.get(neighbourTable, first) !== undefined ? first : undefined;
  const peer = peerNameOf(envelope.principal);
  const { stopped = false, draining } = (peer === undefined ? undefined : state.get(peerTable, peer)) ?? {};
  // It may not have heard yet that it is told of nothing any more: it takes the next way.
  if (stopped || draining !== undefined)
    return refuse("PEER_SESSION_OVER", `${peer} is being stopped here: its session is about to end`);
  const asked = exported(state, envelope, `action:${name}`, domain, through);
  if (asked === undefined) return next();
  return refused(asked) ?? next({ clause: asked.clause });
}
