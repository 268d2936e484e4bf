// The fault for a peer that is not configured, with the nearest name.

import { type Fault, nearest, printable } from "@capstan/orchestrator";

export function unknownPeer(name: string, known: readonly string[]): Fault {
  const suggestion = nearest(name, known);
  const hint = suggestion === undefined ? "peer.list names all" : `did you mean "${suggestion}"?`;
  return { code: "PEER_UNKNOWN", message: `there is no peer "${printable(name)}"; ${hint}` };
}
