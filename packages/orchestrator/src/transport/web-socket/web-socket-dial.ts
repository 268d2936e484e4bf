// A WebSocket that this side opens, as a link.

import { FaultError, fault } from "../../fault/fault.ts";
import { rpcUrl } from "../../rpc/rpc-url.ts";
import type { Dial, DialledLink, LinkReceiver } from "../link.ts";

/** What it rejects with is a FaultError, UNREACHABLE. */
export function webSocketDial(
  open: (url: string) => WebSocket | Promise<WebSocket> = (url) => new WebSocket(url),
): Dial {
  return async (url) => {
    const socket = await open(rpcUrl(url, "ws"));
    await opened(socket, url);
    return new ClientWebSocketLink(socket);
  };
}

class ClientWebSocketLink implements DialledLink {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  carry(receiver: LinkReceiver): void {
    const socket = this.#socket;
    socket.onerror = null;
    socket.onclose = ({ code, reason }) => receiver.closed(code, reason);
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") receiver.received(data);
      else receiver.invalid(fault("FRAME_INVALID", "a frame is binary, and not JSON text"));
    };
  }

  send(frames: readonly string[]): boolean {
    if (this.#socket.readyState !== WebSocket.OPEN) return false;
    for (const frame of frames) this.#socket.send(frame);
    return true;
  }

  get unsent(): number {
    return this.#socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    // Bun's and Node's can; a browser's only says that it would like to.
    if ("terminate" in this.#socket) (this.#socket as { terminate(): void }).terminate();
    else this.#socket.close();
  }
}

function opened(socket: WebSocket, url: string): Promise<void> {
  if (socket.readyState === WebSocket.OPEN) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const failed = (why: string): void => {
      const text = `${url} could not be reached: ${why || "the connection was refused"}`;
      reject(new FaultError(fault("UNREACHABLE", text)));
    };
    socket.onopen = () => resolve();
    socket.onerror = (event) => failed(String((event as { message?: unknown }).message ?? ""));
    socket.onclose = ({ code, reason }) => failed(`${code} ${reason}`.trim());
  });
}
