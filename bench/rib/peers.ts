// What a node does with the frames of its peers, and for them, without sockets between: read, judge, decide, tell. Whoever times
// this may be sure that nothing was refused: that would be quicker, and is thrown.

import { type At, decodeFrame, encodeFrame, FRAME_BYTES, Rib, type RibPeer, readUpdate } from "@capstan/peer";
import { ribConfig, WALL } from "./tables.ts";

export const AT: At = { now: 1_000_000, wall: WALL };

/** As nodes send it. */
const ROUTES_AN_UPDATE = 1024;

export function newRib(node: string, peers: readonly RibPeer[]): Rib {
  const rib = new Rib(ribConfig(node));
  for (const peer of peers) rib.openPeer(peer, AT);
  return rib;
}

/** @returns how many best paths changed. */
export function install(rib: Rib, { node, limits }: RibPeer, frames: Iterable<string>): number {
  let changes = 0;
  for (const text of frames) {
    const reading = decodeFrame(text, FRAME_BYTES.proved);
    if (!reading.ok) throw new Error(reading.text);
    if (reading.message.type === "end-of-table") continue;
    if (reading.message.type !== "update") throw new Error(`a ${reading.message.type} among updates`);
    const update = readUpdate(reading.message, limits);
    if (!update.ok) throw new Error(update.text);
    const { filtered, malformed, limit } = rib.receive(node, update.update, AT);
    if (filtered > 0 || malformed.length > 0 || limit !== undefined) {
      throw new Error(`${filtered} routes filtered, limit ${limit}, malformed: ${JSON.stringify(malformed)}`);
    }
    changes += rib.takeChanges().length;
  }
  return changes;
}

/** All that is to be told to a peer, as it goes out. */
export function* framesFor(rib: Rib, node: string): Generator<string> {
  let seq = 0;
  while (rib.pending(node)) {
    const { withdraw, announce, endOfTable } = rib.take(node, ROUTES_AN_UPDATE);
    if (withdraw.length + announce.length > 0) {
      yield encodeFrame({ type: "update", seq: seq++, withdraw: [...withdraw], announce: [...announce] });
    }
    if (endOfTable) yield encodeFrame({ type: "end-of-table", seq: seq++ });
  }
}
