// WebSockets for the conformance suite: a server of Bun's, clients of capnweb's own, and peers by hand.

// biome-ignore-all lint/suspicious/noExplicitAny: frames are whatever arrives.

import { newWebSocketRpcSession } from "capnweb";
import { fault } from "../../fault/fault.ts";
import { Heard, type Listening, type Peer, type Wire } from "../conformance/wire.fixture.ts";
import { CLOSE_GOING_AWAY, type LinkReceiver } from "../link.ts";
import { WebSocketLink } from "./web-socket-link.ts";

interface Data {
  receiver: LinkReceiver;
}

export const webSocketWire: Wire = {
  name: "WebSocket",
  listen: (arrived) => listen(arrived),
  garbage: [
    ["a binary frame", async (peer) => (peer as WebSocketPeer).socket.send(new Uint8Array([91, 93]))],
    ["an empty frame", async (peer) => (peer as WebSocketPeer).socket.send("")],
  ],
};

/** With a certificate and its key as wss. */
export async function listen(
  arrived: Parameters<Wire["listen"]>[0],
  tls?: { readonly cert: string; readonly key: string },
): Promise<Listening> {
  const sockets = new Set<Bun.ServerWebSocket<Data>>();
  const server = Bun.serve<Data, never>({
    ...{ hostname: "127.0.0.1", port: 0, ...(tls === undefined ? {} : { tls }) },
    fetch: (request, server) =>
      server.upgrade(request, { data: {} as Data }) ? undefined : new Response(null, { status: 400 }),
    websocket: {
      maxPayloadLength: 32 * 1024 * 1024,
      backpressureLimit: 64 * 1024 * 1024,
      open(ws) {
        sockets.add(ws);
        ws.data.receiver = arrived(ws).opened(new WebSocketLink(ws));
      },
      message(ws, data) {
        if (typeof data === "string") ws.data.receiver.received(data);
        else ws.data.receiver.invalid(fault("FRAME_INVALID", "binary"));
      },
      close(ws, code, reason) {
        sockets.delete(ws);
        ws.data.receiver.closed(code, reason);
      },
    },
  });
  const { port } = server;
  const url = `ws://127.0.0.1:${port}/`;
  return {
    port: port as number,
    main: (callbacks) => newWebSocketRpcSession(url, callbacks),
    peer: () => WebSocketPeer.open(url),
    deaf: (frames) => deaf(port as number, frames),
    async drain() {
      for (const ws of sockets) ws.close(CLOSE_GOING_AWAY, "STOPPING");
    },
    stop: () => server.stop(true),
  };
}

class WebSocketPeer extends Heard implements Peer {
  readonly socket: WebSocket;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  private constructor(url: string) {
    super();
    this.socket = new WebSocket(url);
    this.closed = new Promise((resolve) => this.socket.addEventListener("close", resolve));
    this.socket.addEventListener("message", ({ data }) => this.got(data));
  }

  static async open(url: string): Promise<WebSocketPeer> {
    const peer = new WebSocketPeer(url);
    await new Promise((resolve) => peer.socket.addEventListener("open", resolve));
    return peer;
  }

  async send(...frames: string[]): Promise<this> {
    for (const frame of frames) this.socket.send(frame);
    return this;
  }

  /** A ping and its pong. */
  async roundTrip(): Promise<void> {
    const socket = this.socket as WebSocket & { ping(): void };
    const pong = new Promise((resolve) => socket.addEventListener("pong" as "message", resolve, { once: true }));
    socket.ping();
    await pong;
  }

  leave(): void {
    this.socket.close();
  }

  vanish(): void {
    (this.socket as WebSocket & { terminate(): void }).terminate();
  }
}

const HANDSHAKE =
  "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** A hand-made handshake: a TCP socket can be told not to read. */
async function deaf(port: number, frames: readonly string[]): Promise<() => void> {
  const { socket } = await handshaken(port, true);
  socket.write(Buffer.concat(frames.map((frame) => maskedFrame(Buffer.from(frame)))));
  return () => socket.terminate();
}

export async function handshaken(port: number, pauses = false) {
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    ...{ hostname: "127.0.0.1", port },
    socket: {
      data(socket) {
        if (pauses) socket.pause();
        opened.resolve();
      },
      close: () => closed.resolve(),
      error: () => {},
    },
  });
  socket.write(HANDSHAKE);
  await opened.promise;
  return { socket, closed: closed.promise };
}

/** RFC 6455 §5.2: FIN and text, masked with zeros. */
export function maskedFrame(payload: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}
