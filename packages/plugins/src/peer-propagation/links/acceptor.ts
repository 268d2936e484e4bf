// A connection that a peer dialled. The peer's `open` arrives as a challenge's hello, its `proof` as the connection's input; our
// messages wait until the peer has sent its callback (`peer.open`).

import type { Live, Timers } from "@capstan/orchestrator";
import type { ConnectionId, Message } from "@capstan/peer";
import { callOf } from "./frames.ts";
import type { Ask, Link } from "./link.ts";
import { Outbox } from "./outbox.ts";

export interface AcceptedParts {
  readonly connection: ConnectionId;
  readonly timers: Timers;
  readonly patience: number;
  lost(text: string): void;
  /** Ends the RPC session that carries this connection. */
  close(why: string): void;
}

export class AcceptedLink implements Link {
  readonly connection: ConnectionId;
  readonly dialled = false;
  readonly ended: Promise<void>;
  ask: Ask | undefined;
  readonly #parts: AcceptedParts;
  /** Messages that leave as answers, one each: our `open` in the challenge's answer, our `proof` in `peer.open`'s, or a notification instead. */
  readonly #spoken: Message[] = [];
  #outbox: Outbox | undefined;
  #live: Live | undefined;
  #over = false;
  #closed: (() => void) | undefined;

  constructor(parts: AcceptedParts) {
    this.#parts = parts;
    this.connection = parts.connection;
    this.ended = new Promise((resolve) => {
      this.#closed = resolve;
    });
  }

  get over(): boolean {
    return this.#over;
  }

  get isTaken(): boolean {
    return this.#outbox?.isEmpty ?? true;
  }

  send(message: Message): void {
    if (this.#over) return;
    if (message.type === "open" || message.type === "proof" || this.#outbox === undefined) this.#spoken.push(message);
    else this.#outbox.push(message);
  }

  /** The speaker's next message that has to leave as an answer. */
  takeSpoken(): Message | undefined {
    return this.#spoken.shift();
  }

  /** The session is established: later messages go to the peer's callback, once it has sent one. */
  proved(): void {
    this.#outbox ??= new Outbox({
      ...{ timers: this.#parts.timers, patience: this.#parts.patience },
      say: (framed) => (this.ask as Ask)(callOf(framed, this.connection)),
      failed: (text) => this.#lost(text),
    });
    const [proof, ...more] = this.#spoken.splice(0);
    if (proof !== undefined) this.#spoken.push(proof);
    for (const message of more) this.#outbox.push(message);
  }

  /** The peer has sent its callback. */
  opened(live: Live): void {
    if (this.#over) {
      live.dispose();
      return;
    }
    this.#live = live;
    live.onGone((why) => this.#lost(why));
    this.ask = (call, options) => live.call(call, options ?? {});
    this.#outbox?.open();
  }

  /** The RPC session has ended. */
  gone(why: string): void {
    this.#lost(why);
  }

  end(): void {
    if (this.#outbox === undefined || this.ask === undefined) this.#close();
    else this.#outbox.finish(() => this.#close());
  }

  close(): void {
    this.#close();
  }

  #lost(text: string): void {
    if (this.#over) return;
    this.#close();
    this.#parts.lost(text);
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.ask = undefined;
    this.#live?.dispose();
    // After a failed handshake the answer with the notification has yet to leave, and the dialler closes.
    if (this.#outbox !== undefined) this.#parts.close("the peering session is over");
    this.#outbox?.abandon();
    this.#closed?.();
  }
}
