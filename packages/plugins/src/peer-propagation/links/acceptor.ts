// Connections that others made with us: their `open` is a challenge's hello, their proof is verified as the connection's input,
// and what we have to say waits until they have said where to (`peer.open`).

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
  /** Ends the session that the connection is of. */
  close(why: string): void;
}

export class AcceptedLink implements Link {
  readonly connection: ConnectionId;
  readonly dialled = false;
  readonly ended: Promise<void>;
  ask: Ask | undefined;
  readonly #parts: AcceptedParts;
  /** Handed out one by one: the answer of the challenge, then that of `peer.open`, or why there is none. */
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

  /** What the speaker has said in answer to what it was told. */
  takeSpoken(): Message | undefined {
    return this.#spoken.shift();
  }

  /** It is established: what comes from here on goes to the callback, once there is one. */
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

  /** The peer has said where to. */
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

  /** Its session is over. */
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
    // Of a handshake that failed the answer is still to go out; whoever gets it closes.
    if (this.#outbox !== undefined) this.#parts.close("the peering session is over");
    this.#outbox?.abandon();
    this.#closed?.();
  }
}
