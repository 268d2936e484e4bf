// RFC 4271 §6.8: of two connections with the same peer, which one stays. Both sides come to the same answer by themselves.
// Deviation: only proved connections are compared. An open is a claim, and must not let anybody end a session.

import type { Session } from "../session/session.ts";
import type { NodeId } from "../wire/names.ts";

/** Whether the connection that has just been proved stays, and the one that is there goes; or the other way round. */
export function newcomerStays(newcomer: Session, incumbent: Session, local: NodeId): boolean {
  const later = epochOf(newcomer) - epochOf(incumbent);
  // RFC 4724 §4.2: the peer has started again and knows nothing of the older connection, whoever dialled which.
  if (later !== 0) return later > 0;
  // A node dials again only when the connection before is gone on its side. A proof may have been long on its way.
  if (newcomer.role === incumbent.role) return offeredAt(newcomer) >= offeredAt(incumbent);
  return isSuccessor(newcomer, incumbent) || dialledBy(newcomer, local) === higher(newcomer, local);
}

/** Whether the newcomer says that the peer had lost the incumbent: no two dials that crossed, which are nobody's failure. */
export function wasGivenUp(incumbent: Session, newcomer: Session): boolean {
  if (newcomer.role === incumbent.role || epochOf(newcomer) !== epochOf(incumbent)) return true;
  return isSuccessor(newcomer, incumbent);
}

/**
 * Whether the peer began it after it had lost the one that we dialled. It had that as established before we had, and drops
 * then what it dials itself, unless it has our offer already. So an offer that it made later, and proved, says that it has
 * nothing any more. RFC 4271 §6.8 waits for the hold timer; RFC 4724 §4.2 has this for peers that restart gracefully.
 */
function isSuccessor(newcomer: Session, incumbent: Session): boolean {
  const since = incumbent.establishedAt ?? Number.POSITIVE_INFINITY;
  return newcomer.role === "acceptor" && incumbent.role === "dialler" && offeredAt(newcomer) > since;
}

function epochOf({ agreed }: Session): number {
  return agreed?.epoch ?? 0;
}

function offeredAt(session: Session): number {
  return session.offeredAt ?? Number.NEGATIVE_INFINITY;
}

function dialledBy({ role, agreed }: Session, local: NodeId): NodeId | undefined {
  return role === "dialler" ? local : agreed?.node;
}

/** RFC 4271 §6.8: "the BGP Identifier … is treated as an unsigned integer"; ids here are compared by code units. */
function higher({ agreed }: Session, local: NodeId): NodeId {
  return agreed !== undefined && agreed.node > local ? agreed.node : local;
}
