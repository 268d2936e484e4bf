// How a dialling peer gets its scope: its OPEN is the challenge's hello, its PROOF the connection's input. The speaker
// authenticates the peer; the peer's grant limits its rights.

import { randomUUID } from "node:crypto";
import { defineConnection, type Fault, fault } from "@capstan/orchestrator";
import { z } from "zod";
import { principalOf } from "../names.ts";
import type { Peering } from "../peering.ts";
import { peerTable } from "../schema.ts";
import { AcceptedLink } from "./acceptor.ts";

/** A frame of an unauthenticated peer: the transport bounds its size, and the protocol's own schemas parse it. */
const frame = z.record(z.string().max(64), z.unknown());

/** The same text for every refused peer; the node's own log has the reason. */
const UNPROVED = "this node did not take it for a peer; its operator sees why (peer.show, and the node's log)";

export function connectionFromIBGPPeer(peering: Peering) {
  return defineConnection({
    input: frame,
    lasting: true,
    forwards: true,
    open: (reader) => !reader.rows(peerTable)[Symbol.iterator]().next().done,
    challenge: {
      input: frame,
      async offer(hello, _reader, session) {
        const running = peering.running();
        if (running === undefined) return unproved();
        if (typeof session.kept === "string") running.host.drop(session.kept, "it began again");
        await running.peers.settled(hello);
        await running.peers.welcome(hello);
        const connection = `in-${randomUUID()}`;
        const link = running.host.accept(connection, (why) => session.end(why));
        const stop = session.onEnd((why) => link.gone(why));
        void link.ended.then(stop);
        running.host.tell({ type: "received", connection, value: hello });
        return { answer: { session: connection, frame: link.takeSpoken() }, keep: connection };
      },
    },
    verify(proof, reader, session) {
      const running = peering.running();
      const connection = session.kept;
      if (running === undefined || typeof connection !== "string") return unproved();
      const link = running.host.link(connection);
      running.host.tell({ type: "received", connection, value: proof });
      const node = running.host.nodeAt(connection);
      const name = node === undefined ? undefined : running.peers.nameOf(node);
      const row = name === undefined ? undefined : reader.get(peerTable, name);
      if (node === undefined || row === undefined)
        return unproved(link instanceof AcceptedLink ? link.takeSpoken() : undefined);
      return { principal: principalOf(row.name), grant: row.peerGrant, node };
    },
  });
}

/** @param said the protocol's notification of the refusal */
function unproved(said?: unknown): Fault {
  return fault("PEER_UNPROVED", UNPROVED, said === undefined ? undefined : { frame: said });
}
