// Asking a neighbour what became of what it was asked: once, for a while, and few at a time for any one who wants to know. One that
// hangs, lies or is gone costs a line.

import { type Message, printable, type Timers } from "@capstan/orchestrator";
import { isFarFault } from "../forward/far-answer.ts";
import type { Peers } from "../forward/neighbour.ts";
import { inTime } from "../links/in-time.ts";
import { release } from "../links/outbox.ts";
import { textOf } from "../thrown.ts";
import type { Told } from "./account.ts";
import { MOST_HOPS, readAccount } from "./read-account.ts";
import { Share } from "./share.ts";
import type { AskedPeer } from "./whom-asked.ts";

/** On whose behalf, and how long and deep it may go. */
export interface Wanting {
  readonly principal: string;
  readonly via: readonly string[];
  readonly hops: number;
  /** Whether they may read why somebody does not tell; else only by which code. Such texts name grants and what they allow. */
  readonly texts: boolean;
  /** Milliseconds that an answer is waited for. */
  readonly patience: number;
}

export interface AskPeerParts {
  readonly peers: Pick<Peers, "neighbour">;
  readonly timers: Timers;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Our name for a node. */
  nameOf(node: string): string | undefined;
}

/**
 * For one who asks, of one who is asked. Who asks us has us ask others, in our own name: what they let us ask (`LOOKED_UP`) is not one
 * peer's to use up, and one that hangs uses up nothing of what may be asked of the others.
 */
const ASKED = { atOnce: 8, aSecond: 20 };
/** Of the time that is left: who answers last must still be heard by all before it. */
const SHARE = 0.8;
const LEAST_PATIENCE_MS = 20;

export class AskPeer {
  readonly #parts: AskPeerParts;
  readonly #share: Share;

  constructor(parts: AskPeerParts) {
    this.#parts = parts;
    this.#share = new Share(() => parts.now(), ASKED);
  }

  async ask({ node, id, key }: AskedPeer, wanting: Wanting): Promise<Told> {
    const neighbour = this.#parts.peers.neighbour(node);
    const peer = { name: neighbour?.name ?? this.#parts.nameOf(node) ?? node, node };
    const { via, hops, texts } = wanting;
    const patience = Math.floor(wanting.patience * SHARE);
    if (neighbour === undefined || neighbour.ended) return { ...peer, silent: "there is no session with it now" };
    if (via.includes(node)) return { ...peer, silent: "it is asked already: this goes in a circle" };
    if (hops >= MOST_HOPS || patience < LEAST_PATIENCE_MS) return { ...peer, silent: "it lies too deep to be asked" };
    const giveBack = this.#share.take(`${node} ${wanting.principal}`);
    if (giveBack === undefined) return { ...peer, silent: "too many such questions at once; ask again later" };
    const data = { ...(id === undefined ? { key } : { id }), patience };
    const message: Message = { resource: "peer", action: "explain", data };
    try {
      const asked = neighbour.call(message, { via, hops: hops + 1 });
      const answer = await inTime(asked, wanting.patience, this.#parts.timers);
      const read = readAccount(answer, hops);
      release(answer);
      return "why" in read ? { ...peer, silent: read.why } : { ...peer, said: read };
    } catch (thrown) {
      return { ...peer, silent: whyNot(thrown, texts) };
    } finally {
      giveBack();
    }
  }
}

function whyNot(thrown: unknown, texts: boolean): string {
  if (!isFarFault(thrown)) return texts ? textOf(thrown) : "it did not answer";
  const { code, message } = thrown as { readonly code: string; readonly message?: unknown };
  // It does not say which of these it is: that would tell of messages that are not ours.
  if (code === "MESSAGE_NOT_FOUND")
    return "it has no entry of this: it never came, was refused unrecorded, or is not kept any more";
  const said = printable(code, 64);
  return texts ? `${said}: ${printable(typeof message === "string" ? message : "", 300)}` : said;
}
