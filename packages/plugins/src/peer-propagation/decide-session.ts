// What peers say, and what the node notes of their sessions. That a frame is its peer's is decided here; what becomes of it is
// the speaker's, which is told when it was (answer.ts). Pure.

import { next, printable, refuse } from "@capstan/orchestrator";
import { byNode } from "./configuration/decide-configuration.ts";
import type { Context } from "./context.ts";
import { verbOf } from "./links/frames.ts";
import { peerNameOf } from "./names.ts";
import { type PeerRow, peerSessionTable, peerTable, type Reached, reachTable } from "./schema.ts";

/** A frame, or the session's beginning: of the peer who says it, and of the session that it has. */
export function decideFrame({ message, envelope, state }: Context) {
  const { session, frame } = message.data as { readonly session: string; readonly frame?: unknown };
  const name = peerNameOf(envelope.principal);
  const row = name === undefined ? undefined : state.get(peerTable, name);
  if (name === undefined || row === undefined)
    return refuse("PEER_UNKNOWN", `${printable(envelope.principal)} is no peer: what peers say is theirs to say`);
  // By the grant that was made for it: whoever else is called so, and has read of the session in the log, is not it.
  if (state.get(peerSessionTable, name) !== session || envelope.grant !== row.peerGrant)
    return refuse("PEER_SESSION_OVER", `${name}: that session is over; open another`);
  // Grants, metrics and the log go by the verb.
  if (message.action !== "open" && verbOf(frame) !== message.action)
    return refuse("MESSAGE_INVALID", `peer.${message.action}: the frame is another one`);
  return next();
}

/** The node's own notes. */
export function decideNote({ message, envelope, state }: Context) {
  switch (message.action) {
    case "accept": {
      const asked = message.data as {
        readonly name: string;
        readonly node: string;
        readonly key: string;
        readonly secret: string;
      };
      const row = state.get(peerTable, asked.name);
      if (row?.invite === undefined || row.invite.secret !== asked.secret || row.invite.expires <= envelope.at)
        return refuse("PEER_UNPROVED", `the invitation "${asked.name}" was taken, has expired, or is gone`);
      const other = byNode(state, asked.node);
      if (other !== undefined) return refuse("PEER_EXISTS", `${asked.node} is the peer "${other.name}" already`);
      const { invite: _taken, ...kept } = row;
      const taken: PeerRow = { ...kept, node: asked.node, keys: [asked.key], revision: row.revision + 1 };
      return next({ data: { name: asked.name }, state: state.put(peerTable, asked.name, taken) });
    }
    case "session": {
      const { name, session } = message.data as { readonly name: string; readonly session: string | null };
      const after =
        session === null ? state.remove(peerSessionTable, name) : state.put(peerSessionTable, name, session);
      return next({ state: after });
    }
    case "reach": {
      const { routes, rows } = message.data as Reached;
      let after = state;
      for (let at = 0; at < routes.length; at++) {
        const route = routes[at] as string;
        const row = rows[at];
        after = row === undefined ? after.remove(reachTable, route) : after.put(reachTable, route, row);
      }
      return next({ state: after });
    }
    default:
      // That a session was established, or lost, and what came of updates: the entry is what is wanted of it.
      return next();
  }
}
