// A caller's session over whatever link: frames in through the budget, frames out through the gate, and the link's end. It is
// made for capnweb's public RpcSession: `new RpcSession(transport, main, { onSendError })`. "jsonCompatible" means that we parse
// and print the JSON, which lets a frame be judged and evaluated from one parse.

import type { RpcTransportWithCustomEncoding } from "capnweb";
import { type Fault, FaultError } from "../fault/fault.ts";
import { BYTES_A_UNIT, type SessionBudget } from "../rpc/budget.ts";
import { encodeMessage } from "../rpc/encode.ts";
import { callerFault } from "../rpc/errors.ts";
import { type Durability, OutputGate } from "../rpc/gate.ts";
import { Inbox } from "../rpc/inbox.ts";
import type { Timers } from "../time/timers.ts";
import { CLOSE_INVALID, CLOSE_NORMAL, CLOSE_OTHER, CLOSE_POLICY, type Link, type LinkReceiver } from "./link.ts";
import { WaitingAnswers } from "./waiting-answers.ts";

/** So many frames are worth a write of their own, without waiting for the end of the turn: the other side begins with them meanwhile. */
const FRAMES_A_WRITE = 24;

/** Frames that only ask for an answer or release one: they tell nothing of what was decided here, and need not wait for the disk. */
const TELL_NOTHING: ReadonlySet<unknown> = new Set(["pull", "release"]);

export interface SessionTransportOptions {
  readonly budget: SessionBudget;
  readonly durability: Durability;
  readonly timers: Timers;
}

export class SessionTransport implements RpcTransportWithCustomEncoding, LinkReceiver {
  readonly encodingLevel = "jsonCompatible";
  readonly #link: Link;
  readonly #budget: SessionBudget;
  readonly #inbox: Inbox;
  readonly #gate: OutputGate;
  readonly #answers: WaitingAnswers;
  #outbox: string[] = [];
  #outboxBytes = 0;
  #flushing = false;
  #over = false;

  constructor(link: Link, { budget, durability, timers }: SessionTransportOptions) {
    this.#link = link;
    this.#budget = budget;
    this.#inbox = new Inbox(budget);
    this.#gate = new OutputGate({
      durability,
      // `send` has asked the budget.
      limit: Number.POSITIVE_INFINITY,
      sink: (frames) => this.#release(frames),
    });
    this.#answers = new WaitingAnswers(link, timers, () => this.#unread());
  }

  // For capnweb.

  send(message: unknown): number {
    if (this.#over) return 0;
    // An abort depends on no state and leaves at once; replies that are still held must not follow it.
    if ((message as unknown[])[0] === "abort") {
      this.#gate.close();
      this.#release([JSON.stringify(message)]);
      return 0;
    }
    try {
      const waiting = this.#gate.waiting + this.#outboxBytes + this.#answers.characters;
      const text = encodeMessage(message as unknown[], this.#budget, this.#inbox, waiting);
      if (text === undefined) return 0;
      this.#budget.outbound(waiting, text.length);
      this.#gate.send(text, TELL_NOTHING.has((message as unknown[])[0]));
      return text.length;
    } catch (error) {
      // Thrown from here, it would end the session silently; thrown out of `receive`, capnweb sends it as an abort.
      this.#inbox.fail(error, true);
      return 0;
    }
  }

  /** Instead of `receive`, for a capnweb with our patch; a stock one does not know it. ADR 0010. */
  listen(message: (message: unknown) => void, failed: (reason: unknown) => void): void {
    this.#inbox.listen({ message, failed });
  }

  receive(): Promise<unknown> {
    return this.#inbox.receive();
  }

  abort(reason: unknown): void {
    if (this.#over) return;
    this.#gate.close();
    this.#flush();
    this.#end(reason);
  }

  // For the link.

  received(frame: string): void {
    this.#inbox.offer(frame);
  }

  invalid(why: Fault): void {
    this.#inbox.fail(new FaultError(why), true);
  }

  closed(code: number, reason: string): void {
    this.#over = true;
    this.#gate.close();
    this.#answers.close();
    this.#outbox = [];
    // A fault, because it is no bug of ours that the log should name.
    this.#inbox.fail(
      new FaultError({ code: "CANCELLED", message: `the peer closed the connection: ${code} ${reason}` }),
    );
  }

  #release(frames: readonly string[]): void {
    if (this.#over) return;
    for (const frame of frames) {
      if (this.#budget.isWithNode && this.#answers.takes(frame, this.#outboxBytes)) continue;
      this.#outbox.push(frame);
      this.#outboxBytes += frame.length;
    }
    if (this.#outbox.length >= FRAMES_A_WRITE) {
      this.#flush();
    } else if (!this.#flushing) {
      // Frames of one turn of the event loop leave in one write.
      this.#flushing = true;
      setImmediate(this.#flushLater);
    }
  }

  readonly #flushLater = (): void => {
    this.#flushing = false;
    this.#flush();
  };

  #flush(): void {
    if (this.#over || this.#outbox.length === 0) return;
    const frames = this.#outbox;
    this.#outbox = [];
    this.#outboxBytes = 0;
    const most = this.#budget.limits.outboundBytes * BYTES_A_UNIT;
    if (!this.#link.send(frames) || this.#link.unsent > most) this.#unread();
  }

  /** The peer does not read; so it cannot be told either. */
  #unread(): void {
    if (this.#over) return;
    this.#over = true;
    this.#gate.close();
    this.#answers.close();
    try {
      this.#budget.outbound(Number.POSITIVE_INFINITY);
    } catch {
      // The budget has called the inbox, which ends the session.
    }
    this.#link.terminate();
  }

  #end(reason: unknown): void {
    this.#over = true;
    this.#answers.close();
    this.#inbox.fail(reason, true);
    if (this.#inbox.peerAborted) {
      this.#link.close(CLOSE_NORMAL, "");
      return;
    }
    const { code } = callerFault(reason);
    const close = code === "SESSION_BUDGET" ? CLOSE_POLICY : code === "FRAME_INVALID" ? CLOSE_INVALID : CLOSE_OTHER;
    this.#link.close(close, code);
  }
}
