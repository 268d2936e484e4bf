// A connection that we made: challenge, proof, scope, and then frames as calls of that scope. Its peer's frames come to a
// callback of ours.

import type { Message as Call, OpenedSession, Timers } from "@capstan/orchestrator";
import type { ConnectionId, Message } from "@capstan/peer";
import { z } from "zod";
import { callOf } from "./frames.ts";
import type { Ask, Link, LinkEvents } from "./link.ts";
import { Outbox, textOf } from "./outbox.ts";

/** The connection's name in the public object; DESIGN.md §2. */
export const CONNECTION = "connectionFromIBGPPeer";

/** What the other side answers a challenge: its name for the connection, and what its speaker says. */
const offered = z.object({ session: z.string().min(1).max(200), frame: z.unknown() });
/** And once it believes us. */
const opened = z.object({ proof: z.unknown() });
/** A refusal may hold the notification that its speaker sent. */
const refusal = z.object({ details: z.object({ frame: z.unknown() }) });

export interface DialParts extends LinkEvents {
  readonly connection: ConnectionId;
  readonly timers: Timers;
  readonly patience: number;
  readonly session: OpenedSession;
  /** What the peer asks of us over the callback, in its own name. @param theirs what it calls the connection */
  asked(call: unknown, options: unknown, theirs: string): Promise<unknown>;
}

interface RemoteScope {
  applyAction(call: Call, options?: unknown): Promise<unknown>;
}

export class DialledLink implements Link {
  readonly connection: ConnectionId;
  readonly dialled = true;
  readonly ended: Promise<void>;
  ask: Ask | undefined;
  readonly #parts: DialParts;
  readonly #session: OpenedSession;
  readonly #outbox: Outbox;
  /** The other side's name for the connection. */
  #theirs = "";
  #over = false;
  #proved: (() => void) | undefined;
  #closed: (() => void) | undefined;
  /** Frames may come before the answer that they come behind (the callback's calls and the answer are not in one line). */
  readonly #ready: Promise<void>;

  constructor(parts: DialParts) {
    this.#parts = parts;
    this.connection = parts.connection;
    this.#ready = new Promise((resolve) => {
      this.#proved = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#closed = resolve;
    });
    this.#session = parts.session;
    this.#outbox = new Outbox({
      ...{ timers: parts.timers, patience: parts.patience },
      say: (framed) => (this.ask as Ask)(callOf(framed, this.#theirs)),
      failed: (text) => this.#lost(text),
    });
    this.#session.onClose((error) => this.#lost(textOf(error)));
  }

  get over(): boolean {
    return this.#over;
  }

  get isTaken(): boolean {
    return this.#outbox.isEmpty;
  }

  send(message: Message): void {
    switch (message.type) {
      case "open":
        this.#challenge(message);
        break;
      case "proof":
        this.#prove(message);
        break;
      default:
        // Before the handshake is over there is no way to say why we end it, and nobody that it could be said to.
        this.#outbox.push(message);
    }
  }

  end(): void {
    if (this.ask === undefined) this.#close();
    else this.#outbox.finish(() => this.#close());
  }

  close(): void {
    this.#close();
  }

  #challenge(hello: Message): void {
    const answer = this.#method("challenge")({ connection: CONNECTION, hello });
    answer
      .then((value) => {
        const { session, frame } = offered.parse(value);
        this.#theirs = session;
        this.#parts.received(frame);
      })
      .catch((thrown: unknown) => this.#refused(thrown));
  }

  #prove(proof: Message): void {
    const scope = this.#method(CONNECTION)(proof) as unknown as RemoteScope;
    const ask: Ask = (call, options) => scope.applyAction(call, options);
    const callback = async (call: unknown, options: unknown): Promise<unknown> => {
      await this.#ready;
      return this.#parts.asked(call, options, this.#theirs);
    };
    // Asked for before the scope is there: the handshake is two round trips, and not three. What comes later is asked of the scope
    // itself: a call on a promise, kept though it be, is the far side's to resolve each time.
    const open = ask({ resource: "peer", action: "open", data: { session: this.#theirs, callback } });
    Promise.all([open, scope])
      .then(([value, held]) => {
        if (this.#over) return;
        const { proof: theirs } = opened.parse(value);
        this.ask = (call, options) => held.applyAction(call, options);
        this.#parts.received(theirs);
        if (this.#over) return;
        this.#outbox.open();
        this.#proved?.();
      })
      .catch((thrown: unknown) => this.#refused(thrown));
  }

  /** Called as a method: what a stub's property gives is a stub too. */
  #method(name: string): (input: unknown) => Promise<unknown> {
    return (input) => (this.#session.api[name] as (input: unknown) => Promise<unknown>)(input);
  }

  #refused(thrown: unknown): void {
    if (this.#over) return;
    const told = refusal.safeParse(thrown);
    if (told.success) this.#parts.received(told.data.details.frame);
    this.#lost(textOf(thrown));
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
    this.#outbox.abandon();
    this.#session.close();
    this.#closed?.();
  }
}
