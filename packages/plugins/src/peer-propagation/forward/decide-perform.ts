// Decides whether a peer may perform an action, or read its schemas: if the peer's export policy exports the action's route
// (exported.ts). Pure.

import { next, refuse } from "@capstan/orchestrator";
import { neighbourTable } from "../../registry/elsewhere.ts";
import type { Context } from "../context.ts";
import { peerNameOf } from "../names.ts";
import { exported, refused } from "../routes/exported.ts";
import { peerTable } from "../schema.ts";
import { tooMany } from "./open-calls.ts";

/** @param domain ours; @param most calls of all peers that may be open */
export function decidePerform({ message, envelope, state }: Context, domain: string, most: number | undefined) {
  if (message.action !== "perform" && message.action !== "schemas") return next();
  const { name, at } = message.data as { readonly name: string; readonly at?: string };
  // The address's first segment after our own id. If it names no neighbour, it is an origin, and the policy is applied to the path from here.
  const first = at?.split("/").find((segment) => segment !== envelope.node);
  const through = first !== undefined && state.get(neighbourTable, first) !== undefined ? first : undefined;
  const peer = peerNameOf(envelope.principal);
  const { stopped = false, draining, limits } = (peer === undefined ? undefined : state.get(peerTable, peer)) ?? {};
  // The peer may not have received the withdrawal of our routes yet: on this fault it uses its next path.
  if (stopped || draining !== undefined)
    return refuse("PEER_SESSION_OVER", `${peer} is being stopped here: its session is about to end`);
  const asked = exported(state, envelope, `action:${name}`, domain, through);
  if (asked === undefined) return next();
  const unfit = refused(asked);
  if (unfit !== undefined) return unfit;
  const many = tooMany(state, envelope, { peer: limits?.calls, all: most });
  return many === undefined ? next({ clause: asked.clause }) : refuse(many.code, many.message);
}
