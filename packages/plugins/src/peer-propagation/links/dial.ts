// A connection that this node dialled: challenge, proof, scope, and then our frames as calls of that scope. The peer sends its frames to
// our callback.

import type { Message as Call, OpenedSession, Timers } from "@capstan/orchestrator";
import type { ConnectionId, Message } from "@capstan/peer";
import { z } from "zod";
import { textOf } from "../thrown.ts";
import { callOf } from "./frames.ts";
import type { Ask, Link, LinkEvents } from "./link.ts";
import { Outbox } from "./outbox.ts";

/** The connection's name in the public object; DESIGN.md §2. */
export const CONNECTION = "connectionFromIBGPPeer";

/** The answer to a challenge: the peer's name for the connection, and its speaker's message (`open`). */
const offered = z.object({ session: z.string().min(1).max(200), frame: z.unknown() });
/** The answer to `peer.open`: the peer's `proof`. */
const opened = z.object({ proof: z.unknown() });
/** A refusal may contain the notification of the peer's speaker. */
const refusal = z.object({ details: z.object({ frame: z.unknown() }) });

export interface DialParts extends LinkEvents {
  readonly connection: ConnectionId;
  readonly timers: Timers;
  readonly patience: number;
  readonly session: OpenedSession;
  /** A call of the peer over our callback, under its principal. @param theirs its name for the connection */
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
  /** Resolves once the handshake is complete. The peer's frames wait for it, because calls of the callback may overtake the answer before them. */
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
        // Queued: before the handshake is complete the peer cannot be sent anything, not even why we end it.
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
    // Pipelined on the promise of the scope, so that the handshake takes two round trips and not three. Later calls use the resolved scope,
    // because the far side would have to resolve the promise again at each call.
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

  /** A method of the stub: reading its property would only give another stub. */
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
