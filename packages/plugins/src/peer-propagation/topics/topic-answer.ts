// What a peer is answered that reads a topic: it was decided that it may.

import { type Envelope, FaultError, fault, type Reader } from "@capstan/orchestrator";
import { peerNameOf } from "../names.ts";
import type { Peering } from "../peering.ts";

/** @param domain ours; default: the node's id */
export function topicAnswers(peering: Peering, domain: string | undefined) {
  return {
    "topic.read": async (envelope: Envelope, reader: Reader): Promise<unknown> => {
      const peer = peerNameOf(envelope.principal);
      const { topics } = peering;
      if (peer === undefined || topics === undefined)
        throw new FaultError(fault("PEER_SESSION_OVER", "there is no session with that peer now; open one"));
      return topics.answer(peer, envelope, reader, domain ?? envelope.node);
    },
  };
}
