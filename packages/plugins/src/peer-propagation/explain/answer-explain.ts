// What is answered of a message: to a peer what this node tells of it, to a user what those tell whom it was asked of; and for both,
// what is told further on.

import {
  type Envelope,
  type Explanation,
  entryOf,
  explain,
  FaultError,
  fault,
  messageUnderKey,
  printable,
  type Reader,
} from "@capstan/orchestrator";
import { peerNameOf } from "../names.ts";
import type { Peering } from "../peering.ts";
import { DEFAULT_DISCLOSURE, type PeerRow, peerTable } from "../schema.ts";
import { type Account, accountOf, stateOf, type Told } from "./account.ts";
import { AskPeer, type Wanting } from "./ask-peer.ts";
import { PATIENCE_MS } from "./explain-messages.ts";
import { Share } from "./share.ts";
import { whomAsked } from "./whom-asked.ts";

interface Asked {
  readonly id?: string;
  readonly key?: string;
  readonly patience?: number;
}

/** For one peer: looking up what still runs reads hundreds of entries. */
const LOOKED_UP = { atOnce: 16, aSecond: 50 };

export function answerExplain(peering: Peering) {
  let askPeer: AskPeer | undefined;
  const share = new Share(() => peering.now(), LOOKED_UP);

  async function further(reader: Reader, told: Explanation, wanting: Wanting): Promise<Told[]> {
    const { runtime } = peering;
    const asked = await whomAsked(reader, told);
    if (asked === undefined || runtime === undefined) return [];
    askPeer ??= new AskPeer({
      ...{ peers: peering, timers: runtime.timers, now: () => runtime.now() },
      nameOf: (node) => peering.running()?.peers.nameOf(node),
    });
    return [await askPeer.ask(asked, wanting)];
  }

  return async (envelope: Envelope, reader: Reader): Promise<Partial<Account>> => {
    const { principal, via, hops } = envelope;
    const { id, key, patience = PATIENCE_MS } = envelope.message.data as Asked;
    const asking = { principal, via, hops, patience };
    const peer = peerNameOf(principal);
    if (peer === undefined) {
      const told = await explain(reader, id as string);
      return { id: told.id, state: stateOf(told), peers: await further(reader, told, { ...asking, texts: true }) };
    }
    const row = reader.get(peerTable, peer);
    if (row === undefined) throw unknown();
    const { disclose = DEFAULT_DISCLOSURE } = row;
    // Not even whether there is such a message.
    if (disclose === "nothing") return { disclosed: disclose };
    const giveBack = share.take(principal);
    if (giveBack === undefined) throw exceeded();
    let told: Explanation;
    try {
      told = await explain(reader, await itsOwn(reader, row, principal, id, key));
    } finally {
      giveBack();
    }
    const peers = await further(reader, told, { ...asking, texts: disclose === "clauses" });
    return { ...accountOf(told, disclose), ...(peers.length === 0 ? {} : { peers }) };
  };
}

/**
 * The message, if this peer asked it: a peer of the same name before it did so by other grants. @throws FaultError the same
 * whether there is no such message, or it is somebody else's
 */
async function itsOwn(
  reader: Reader,
  { peerGrant, earlierGrants = [] }: PeerRow,
  principal: string,
  id: string | undefined,
  key: string | undefined,
): Promise<string> {
  const named = id ?? (key === undefined ? undefined : await messageUnderKey(reader, principal, key));
  const entry = named === undefined ? undefined : await entryOf(reader, named);
  const { header } = entry ?? {};
  const own = header?.principal === principal && (header.grant === peerGrant || earlierGrants.includes(header.grant));
  if (header === undefined || !own) throw unknown(id ?? key);
  return header.id;
}

function exceeded(): FaultError {
  const { atOnce, aSecond } = LOOKED_UP;
  const text = `peer.explain: ${atOnce} at once and ${aSecond} a second are the most for one peer; ask again later`;
  return new FaultError(fault("EXPLAINS_EXCEEDED", text));
}

function unknown(named = ""): FaultError {
  return new FaultError(fault("MESSAGE_NOT_FOUND", `you asked no message "${printable(named.slice(0, 80))}" here`));
}
