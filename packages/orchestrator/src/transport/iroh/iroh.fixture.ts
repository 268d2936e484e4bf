// iroh for the conformance suite, on loopback: the listener of a node, clients by the dial of ours, and peers by hand.

// biome-ignore-all lint/suspicious/noExplicitAny: frames are whatever arrives.

import { RpcSession } from "capnweb";
import { systemTimers, type Timers } from "../../time/timers.ts";
import { ClientTransport } from "../client-transport.ts";
import { Heard, type Listening, type Peer, type Wire } from "../conformance/wire.fixture.ts";
import type { Link } from "../link.ts";
import type { BiStream, Connection, Endpoint } from "./addon.ts";
import { loadIroh } from "./addon.ts";
import { parseIrohUrl } from "./address.ts";
import { ALPN, bindEndpoint, bytes } from "./bind.ts";
import { irohDial } from "./dial.ts";
import { FrameQueue, HEARTBEAT } from "./framing.ts";
import { IrohListener } from "./listener.ts";

export const SECRET_KEY = new Uint8Array(32).fill(7);
export const loopback = { hostname: "127.0.0.1", port: 0, relays: [] } as const;

/** What the server has read of a session, and its link, for those who have to know. */
interface Served {
  frames: number;
  readonly link: Link;
}

export function wireWith(timers: Timers): Wire {
  return {
    name: "iroh",
    listen: (arrived) => listen(arrived, timers),
    garbage: [
      ["what is not UTF-8", (peer) => (peer as IrohPeer).bytes([0, 0, 0, 4, 0x5b, 0xff, 0xfe, 0x5d])],
      [
        "bytes that are no frames",
        (peer) => (peer as IrohPeer).bytes([0, 0, 0, 18, ...bytes("GET / HTTP/1.1\r\n\r\n")]),
      ],
    ],
  };
}

export const irohWire: Wire = wireWith(systemTimers);

async function listen(arrived: Parameters<Wire["listen"]>[0], timers: Timers): Promise<Listening> {
  const served: Served[] = [];
  const listener = await IrohListener.open({
    ...{ ...loopback, secretKey: SECRET_KEY, timers },
    arrived(connection) {
      const arrival = arrived(connection);
      return {
        arriving: (bytes) => arrival.arriving(bytes),
        left: () => arrival.left(),
        opened(link) {
          const receiver = arrival.opened(link);
          const one: Served = { frames: 0, link };
          served.push(one);
          return {
            received(frame) {
              one.frames++;
              receiver.received(frame);
            },
            invalid: (why) => receiver.invalid(why),
            closed: (code, reason) => receiver.closed(code, reason),
          };
        },
      };
    },
  });
  // A machine that has much else to do answers late.
  const dial = irohDial({ timeoutMs: 60_000 });
  return {
    url: listener.url,
    main: (callbacks) => new RpcSession(new ClientTransport(listener.url, dial), callbacks).getRemoteMain(),
    async peer() {
      return new IrohPeer(await rawStream(listener.url), served);
    },
    async deaf(frames) {
      const { connection, stream } = await rawStream(listener.url);
      const queue = new FrameQueue();
      for (const frame of frames) queue.push(frame);
      await stream.send.writeAll(queue.take(queue.bytes));
      return () => connection.close(0n, []);
    },
    drain: () => listener.stop(),
    stop: () => listener.stop(),
  };
}

let client: Promise<Endpoint> | undefined;

/** An endpoint for all peers by hand of this process. */
export async function rawEndpoint(): Promise<Endpoint> {
  client ??= bindEndpoint(await loadIroh(), { ...loopback, listens: false });
  return client;
}

export async function rawConnection(url: string, alpn: number[] = ALPN): Promise<Connection> {
  const iroh = await loadIroh();
  const { id, addresses } = parseIrohUrl(url);
  const address = new iroh.EndpointAddr(iroh.EndpointId.fromString(id), null, [...addresses]);
  return (await rawEndpoint()).connect(address, alpn);
}

async function rawStream(url: string): Promise<{ readonly connection: Connection; readonly stream: BiStream }> {
  const connection = await rawConnection(url);
  return { connection, stream: await connection.openBi() };
}

export class IrohPeer extends Heard implements Peer {
  readonly connection: Connection;
  readonly stream: BiStream;
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #served: readonly Served[];
  #session: Served | undefined;
  #sent = 0;
  beats = 0;
  #goodbye: { readonly code: number; readonly reason: string } | undefined;
  #bytes = Buffer.alloc(0);

  constructor({ connection, stream }: { connection: Connection; stream: BiStream }, served: readonly Served[]) {
    super();
    this.connection = connection;
    this.stream = stream;
    this.#served = served;
    const read = this.#read();
    this.closed = Promise.all([connection.closed(), read]).then(() => {
      if (this.#goodbye !== undefined) return this.#goodbye;
      const [, reason = "", code = "0"] =
        /^closed by peer: ?(.*?) ?\(code (\d+)\)$/.exec(connection.closeReason() ?? "") ?? [];
      return { code: Number(code), reason };
    });
  }

  async send(...frames: string[]): Promise<this> {
    const queue = new FrameQueue();
    for (const frame of frames) queue.push(frame);
    this.#sent += frames.length;
    await this.bytes(queue.take(queue.bytes));
    return this;
  }

  async bytes(bytes: number[]): Promise<void> {
    const before = this.#served.length;
    await this.stream.send.writeAll(bytes).catch(() => {});
    if (this.#session !== undefined) return;
    while (this.#served.length === before) await turn();
    this.#session = this.#served[before];
  }

  /** What the server has read is known here; what it has sent is here once a heartbeat behind it is. */
  async roundTrip(): Promise<void> {
    const session = this.#session as Served;
    while (session.frames < this.#sent) await turn();
    await turn();
    const before = this.beats;
    session.link.send([HEARTBEAT]);
    while (this.beats === before) await turn();
  }

  leave(): void {
    void this.stream.send.finish();
  }

  vanish(): void {
    this.connection.close(0n, []);
  }

  async #read(): Promise<void> {
    for (;;) {
      const bytes = await this.stream.recv.read(65_536).catch(() => []);
      if (bytes.length === 0) return;
      this.#bytes = Buffer.concat([this.#bytes, Buffer.from(bytes)]);
      while (this.#bytes.length >= 4) {
        const head = this.#bytes.readUInt32BE();
        const goodbye = head >= 0x8000_0000;
        const length = goodbye ? head - 0x8000_0000 : head;
        if (this.#bytes.length < 4 + length) break;
        const text = this.#bytes.toString("utf8", goodbye ? 6 : 4, 4 + length);
        if (goodbye) {
          this.#goodbye = { code: this.#bytes.readUInt16BE(4), reason: text };
          void this.stream.send.finish().catch(() => {});
        }
        this.#bytes = this.#bytes.subarray(4 + length);
        if (goodbye) continue;
        if (length === 0) this.beats++;
        else this.got(text);
      }
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
