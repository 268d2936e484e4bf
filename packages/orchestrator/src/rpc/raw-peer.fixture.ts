// For tests: a peer that is no capnweb client and sends what it is told, hostile frames included.

// biome-ignore-all lint/suspicious/noExplicitAny: frames are whatever arrives.

/** A peer that sends what it is told. */
export class RawPeer {
  readonly frames: any[] = [];
  readonly closed: Promise<CloseEvent>;
  readonly socket: WebSocket;
  #heard = Promise.withResolvers<void>();

  constructor(url: string) {
    this.socket = new WebSocket(url);
    this.closed = new Promise((resolve) => this.socket.addEventListener("close", resolve));
    this.socket.addEventListener("message", (event) => {
      this.frames.push(JSON.parse(event.data));
      this.#heard.resolve();
      this.#heard = Promise.withResolvers();
    });
  }

  async send(...frames: (string | Uint8Array)[]): Promise<this> {
    if (this.socket.readyState === WebSocket.CONNECTING)
      await new Promise((resolve) => this.socket.addEventListener("open", resolve));
    for (const frame of frames) this.socket.send(frame as string);
    return this;
  }

  async heard(wanted: (frame: any) => boolean): Promise<any> {
    for (;;) {
      const frame = this.frames.find(wanted);
      if (frame) return frame;
      await this.#heard.promise;
    }
  }

  /** A ping and its pong: whatever the server has sent is here. */
  async roundTrip(): Promise<void> {
    const socket = this.socket as WebSocket & { ping(): void };
    const pong = new Promise((resolve) => socket.addEventListener("pong" as "message", resolve, { once: true }));
    socket.ping();
    await pong;
  }

  get abort() {
    return this.frames.find((frame) => frame[0] === "abort");
  }
}

/** RFC 6455 §5.2: FIN and text, masked with zeros. */
export function maskedFrame(payload: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0x80 | 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}
