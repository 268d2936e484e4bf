// RFC 4271 §6.8: of two connections with the same peer, which one stays. Both sides come to the same answer by themselves.
// Deviation: only proved connections are compared, because an open is a mere claim and must not end anybody's session.

import type { Session } from "../session/session.ts";
import type { NodeId } from "../wire/names.ts";

/** Whether the connection that was just proved stays and the established one goes; otherwise the other way round. */
export function newcomerStays(newcomer: Session, incumbent: Session, local: NodeId): boolean {
  const later = epochOf(newcomer) - epochOf(incumbent);
  // RFC 4724 §4.2: the peer has started again and knows nothing of the older connection, whoever dialled which.
  if (later !== 0) return later > 0;
  // A node dials again only when its earlier connection is gone. Compared by the time of the offers, because a proof may arrive late.
  if (newcomer.role === incumbent.role) return offeredAt(newcomer) >= offeredAt(incumbent);
  return isSuccessor(newcomer, incumbent) || dialledBy(newcomer, local) === higher(newcomer, local);
}

/** Whether the newcomer shows that the peer had lost the incumbent; `false` for two dials that crossed, which is no failure. */
export function wasGivenUp(incumbent: Session, newcomer: Session): boolean {
  if (newcomer.role === incumbent.role || epochOf(newcomer) !== epochOf(incumbent)) return true;
  return isSuccessor(newcomer, incumbent);
}

/**
 * Whether the peer began the newcomer after it had lost the incumbent, which we dialled. The acceptor is established before the dialler,
 * and then abandons its own dials, unless our offer has reached it on them. So a proved offer that it made later shows that it has no
 * session left. RFC 4271 §6.8 would wait for the hold timer; RFC 4724 §4.2 does the same for peers that restart gracefully.
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
