// Who may ask what became of a message at peers: whoever may read of it here, and peers, of what they asked themselves. Pure.

import { next, printable, refuse } from "@capstan/orchestrator";
import type { Context } from "../context.ts";
import { peerNameOf } from "../names.ts";
import { peerSessionTable, peerTable } from "../schema.ts";

export function decideExplain({ message, envelope, state, needs: { authority } }: Context) {
  const { id, key } = message.data as { readonly id?: string; readonly key?: string };
  if ((id === undefined) === (key === undefined))
    return refuse("MESSAGE_INVALID", "peer.explain: a message is named by its id, or by the key that it was asked by");
  const peer = peerNameOf(envelope.principal);
  if (peer === undefined) {
    if (id === undefined) return refuse("MESSAGE_INVALID", "peer.explain: a message of this node's is named by its id");
    // It is looked up in the log: nobody learns of that what they may not read.
    const why = authority.allows({ resource: "log", verb: "explain", name: "*" });
    return why === undefined ? next() : refuse(why.code, why.message, { details: why.details });
  }
  const row = state.get(peerTable, peer);
  if (row === undefined) return refuse("PEER_UNKNOWN", `${printable(envelope.principal)} is no peer`);
  if (state.get(peerSessionTable, peer) === undefined || envelope.grant !== row.peerGrant)
    return refuse("PEER_SESSION_OVER", `${peer} has no session now; open one`);
  return next();
}
