// One WebSocket's session: frames in through the budget, frames out through the gate, and the socket's end. It is made for
// capnweb's public RpcSession: `new RpcSession(transport, main, { onSendError })`. "jsonCompatible" means that we parse and
// print the JSON, which lets a frame be judged and evaluated from one parse.

import type { ServerWebSocket } from "bun";
import type { RpcTransportWithCustomEncoding } from "capnweb";
import { FaultError } from "../fault/fault.ts";
import type { SessionBudget } from "./budget.ts";
import { encodeMessage } from "./encode.ts";
import { callerFault } from "./errors.ts";
import { type Durability, OutputGate } from "./gate.ts";
import { Inbox } from "./inbox.ts";

/** Frames a cork: more were measured slower with 512 calls in flight, fewer lose the gain (PERFORMANCE.md 5). */
const FRAMES_A_CORK = 64;

/** RFC 6455 §7.4.1, and capnweb's own 3000. The reason is the fault's code: ASCII, and within the 123 bytes of §5.5. */
const CLOSE_NORMAL = 1000;
const CLOSE_INVALID = 1007;
const CLOSE_POLICY = 1008;
const CLOSE_OTHER = 3000;

/** The part of Bun's ServerWebSocket that is used. */
export type Socket = Pick<ServerWebSocket<unknown>, "send" | "close" | "terminate" | "cork" | "getBufferedAmount">;

export interface WebSocketTransportOptions {
  readonly budget: SessionBudget;
  readonly durability: Durability;
}

export class WebSocketTransport implements RpcTransportWithCustomEncoding {
  readonly encodingLevel = "jsonCompatible";
  readonly #socket: Socket;
  readonly #budget: SessionBudget;
  readonly #inbox: Inbox;
  readonly #gate: OutputGate;
  #outbox: string[] = [];
  #outboxBytes = 0;
  #flushing = false;
  #over = false;

  constructor(socket: Socket, { budget, durability }: WebSocketTransportOptions) {
    this.#socket = socket;
    this.#budget = budget;
    this.#inbox = new Inbox(budget);
    this.#gate = new OutputGate({
      durability,
      limit: budget.limits.outboundBytes,
      sink: (frames) => this.#release(frames),
    });
  }

  // For capnweb.

  send(message: unknown): number {
    if (this.#over) return 0;
    // The session's last word names no state, and no reply that is still held may follow it.
    if ((message as unknown[])[0] === "abort") {
      this.#gate.close();
      this.#release([JSON.stringify(message)]);
      return 0;
    }
    try {
      const text = encodeMessage(message as unknown[], this.#budget, this.#inbox);
      if (text === undefined) return 0;
      this.#budget.outbound(this.#gate.waiting + this.#outboxBytes + text.length);
      this.#gate.send(text);
      return text.length;
    } catch (error) {
      // Thrown from here it would end the session without a word to the peer; out of `receive` it is sent as an abort.
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

  // For Bun.serve's `websocket` handlers.

  dispatchMessage(data: string | Buffer): void {
    // Bun itself closes a socket whose text is not UTF-8 (1007); binary has no meaning here.
    if (typeof data === "string") this.#inbox.offer(data);
    else
      this.#inbox.fail(
        new FaultError({ code: "FRAME_INVALID", message: "binary frames are not taken; send JSON text" }),
        true,
      );
  }

  dispatchClose(code: number, reason: string): void {
    this.#over = true;
    this.#gate.close();
    this.#outbox = [];
    // No bug of ours, and so nothing for the log: a fault.
    this.#inbox.fail(
      new FaultError({ code: "CANCELLED", message: `the peer closed the WebSocket: ${code} ${reason}` }),
    );
  }

  #release(frames: readonly string[]): void {
    if (this.#over) return;
    for (const frame of frames) {
      this.#outbox.push(frame);
      this.#outboxBytes += frame.length;
    }
    if (this.#outbox.length >= FRAMES_A_CORK) {
      this.#flush();
    } else if (!this.#flushing) {
      // What is decided in one turn of the loop leaves in one write.
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
    let dropped = false;
    for (let from = 0; from < frames.length && !dropped; from += FRAMES_A_CORK) {
      const to = Math.min(from + FRAMES_A_CORK, frames.length);
      this.#socket.cork(() => {
        // 0: dropped, so that everything after it would be out of step. -1: buffered, as counted below.
        for (let i = from; i < to && !dropped; i++) dropped = this.#socket.send(frames[i] as string) === 0;
      });
    }
    if (dropped || this.#socket.getBufferedAmount() > this.#budget.limits.outboundBytes) this.#unread();
  }

  /** A peer that does not read cannot be told so either. */
  #unread(): void {
    if (this.#over) return;
    this.#over = true;
    this.#gate.close();
    try {
      this.#budget.outbound(Number.POSITIVE_INFINITY);
    } catch {
      // The budget has told the inbox, whose failure ends the session.
    }
    this.#socket.terminate();
  }

  #end(reason: unknown): void {
    this.#over = true;
    this.#inbox.fail(reason, true);
    if (this.#inbox.peerAborted) {
      this.#socket.close(CLOSE_NORMAL);
      return;
    }
    const { code } = callerFault(reason);
    const close = code === "SESSION_BUDGET" ? CLOSE_POLICY : code === "FRAME_INVALID" ? CLOSE_INVALID : CLOSE_OTHER;
    this.#socket.close(close, code);
  }
}
