// A WebSocket of Bun's server as a link.

import type { ServerWebSocket } from "bun";
import type { Link } from "../link.ts";

/** Frames a cork: more were measured slower with 512 calls in flight, fewer lose the gain (PERFORMANCE.md 5). */
const FRAMES_A_CORK = 64;

/** The part of Bun's ServerWebSocket that is used. */
export type Socket = Pick<ServerWebSocket<unknown>, "send" | "close" | "terminate" | "cork" | "getBufferedAmount">;

export class WebSocketLink implements Link {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  send(frames: readonly string[]): boolean {
    let taken = true;
    for (let from = 0; from < frames.length && taken; from += FRAMES_A_CORK) {
      const to = Math.min(from + FRAMES_A_CORK, frames.length);
      this.#socket.cork(() => {
        // 0: dropped, so that everything after it would be out of step. -1: buffered, as `unsent` counts.
        for (let i = from; i < to && taken; i++) taken = this.#socket.send(frames[i] as string) !== 0;
      });
    }
    return taken;
  }

  get unsent(): number {
    return this.#socket.getBufferedAmount();
  }

  /** RFC 6455 §5.5: a reason has 123 bytes at most; codes of faults are shorter. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
