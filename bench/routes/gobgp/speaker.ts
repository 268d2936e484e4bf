// A BGP speaker of the benchmark's own (RFC 4271): it dials a daemon, announces prefixes as it is told to, and takes nothing back. Only
// what a session needs so that a table can be fed through it.

import { connect, type Socket } from "node:net";

const AS = 65_001;
const HEADER = 19;
const [OPEN, UPDATE, KEEPALIVE] = [1, 2, 4] as const;
/** RFC 4271 §4: of a whole message. */
const MOST_BYTES = 4096;
const HOLD_TIME = 0; // §4.2: never; no keepalives are owed
/** What is written at once. */
const BURST = 64 * 1024;

export interface Feeder {
  /** Resolves once the daemon has taken all of it off the socket's hands. */
  send(updates: Iterable<Uint8Array>): Promise<void>;
  end(): void;
}

/** Resolves once it is established. @param from the address that the daemon knows it by */
export async function feed(host: string, port: number, from: string): Promise<Feeder> {
  const socket = connect({ host, port, localAddress: from });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    let before = Buffer.alloc(0);
    socket.on("data", (data: Buffer) => {
      before = Buffer.concat([before, data]);
      while (before.length >= HEADER && before.length >= before.readUInt16BE(16)) {
        const type = before[18];
        before = before.subarray(before.readUInt16BE(16));
        if (type === OPEN) socket.write(message(KEEPALIVE, Buffer.alloc(0)));
        if (type === KEEPALIVE) resolve();
      }
    });
    socket.once("connect", () => socket.write(open(from)));
    socket.once("close", () => reject(new Error("the daemon closed the feeder's session")));
  });
  return {
    async send(updates) {
      let burst: Uint8Array[] = [];
      let bytes = 0;
      for (const update of updates) {
        burst.push(update);
        bytes += update.length;
        if (bytes < BURST) continue;
        await written(socket, Buffer.concat(burst));
        [burst, bytes] = [[], 0];
      }
      await written(socket, Buffer.concat(burst));
    },
    end: () => socket.destroy(),
  };
}

function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    socket.write(bytes, (error?: Error | null) => (error ? reject(error) : resolve())),
  );
}

/** One attribute set for all: as many prefixes a message as fit. */
export function* sharedUpdates(from: number, count: number): Generator<Uint8Array> {
  const attributes = attributesOf(0, false);
  // A /24 is its length and three bytes.
  const most = Math.floor((MOST_BYTES - HEADER - 4 - attributes.length) / 4);
  for (let n = 0; n < count; n += most) {
    const prefixes = Array.from({ length: Math.min(most, count - n) }, (_, i) => prefix(from + n + i));
    yield update(attributes, prefixes);
  }
}

/** A message each, because no two have the same attributes: a transit AS and a community of its own. */
export function* distinctUpdates(from: number, count: number): Generator<Uint8Array> {
  for (let n = from; n < from + count; n++) yield update(attributesOf(n, true), [prefix(n)]);
}

/** A message each, as they come, with the attributes of all. */
export function* liveUpdates(from: number, count: number): Generator<Uint8Array> {
  const attributes = attributesOf(0, false);
  for (let n = from; n < from + count; n++) yield update(attributes, [prefix(n)]);
}

/** 10.0.0.0/24 and on. */
function prefix(n: number): Buffer {
  return Buffer.from([24, 10 + (n >> 16), (n >> 8) & 255, n & 255]);
}

function attributesOf(n: number, own: boolean): Buffer {
  const communities = own ? [0xfde9_0000 + (n & 0xffff), 0xfdea_0000 + (n >> 16)] : [0xfde9_0001, 0xfde9_0002];
  const path = own ? [AS, 100_000 + n, 64_999] : [AS, 64_998, 64_999];
  const words = (numbers: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 * numbers.length);
    numbers.forEach((number, i) => {
      bytes.writeUInt32BE(number >>> 0, 4 * i);
    });
    return bytes;
  };
  return Buffer.concat([
    attribute(0x40, 1, Buffer.from([0])), // ORIGIN: IGP
    attribute(0x40, 2, Buffer.concat([Buffer.from([2, path.length]), words(path)])), // AS_PATH, of four bytes each (RFC 6793)
    attribute(0x40, 3, Buffer.from([192, 0, 2, 4])), // NEXT_HOP (RFC 5737)
    attribute(0xc0, 8, words(communities)), // RFC 1997
  ]);
}

function attribute(flags: number, type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([flags, type, value.length]), value]);
}

function update(attributes: Buffer, prefixes: readonly Buffer[]): Buffer {
  const lengths = Buffer.alloc(4);
  lengths.writeUInt16BE(attributes.length, 2);
  return message(UPDATE, Buffer.concat([lengths, attributes, ...prefixes]));
}

function open(routerId: string): Buffer {
  // RFC 4760: IPv4 unicast. RFC 6793: AS numbers of four bytes.
  const capabilities = Buffer.from([1, 4, 0, 1, 0, 1, 65, 4, 0, 0, AS >> 8, AS & 255]);
  const body = Buffer.alloc(10);
  body[0] = 4;
  body.writeUInt16BE(AS, 1);
  body.writeUInt16BE(HOLD_TIME, 3);
  Buffer.from(routerId.split(".").map(Number)).copy(body, 5);
  body[9] = capabilities.length + 2;
  return message(OPEN, Buffer.concat([body, Buffer.from([2, capabilities.length]), capabilities]));
}

function message(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER, 255);
  header.writeUInt16BE(HEADER + body.length, 16);
  header[18] = type;
  return Buffer.concat([header, body]);
}
