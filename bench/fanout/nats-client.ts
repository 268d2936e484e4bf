// As much of a NATS client as core publish and subscribe take: https://docs.nats.io/reference/reference-protocols/nats-protocol.
// Payloads are parsed, because ours come parsed too.

const LINE_END = Buffer.from("\r\n");

export interface NatsConnection {
  publish(subject: string, payload: string): void;
  subscribe(subject: string): void;
  /** Resolves once everything that was sent before it is dealt with. */
  flush(): Promise<void>;
  close(): void;
}

export async function connectNats(port: number, received: (payload: unknown) => void): Promise<NatsConnection> {
  let rest: Buffer = Buffer.alloc(0);
  const pongs: (() => void)[] = [];
  const unsent: string[] = [];
  let scheduled = false;

  function take(data: Buffer): void {
    let buffer = rest.length === 0 ? data : Buffer.concat([rest, data]);
    for (;;) {
      const end = buffer.indexOf(LINE_END);
      if (end < 0) break;
      const line = buffer.toString("latin1", 0, end);
      let after = end + LINE_END.length;
      if (line.startsWith("MSG ")) {
        const size = Number(line.slice(line.lastIndexOf(" ") + 1));
        if (buffer.length < after + size + LINE_END.length) break;
        received(JSON.parse(buffer.toString("utf8", after, after + size)));
        after += size + LINE_END.length;
      } else if (line === "PING") {
        send("PONG\r\n");
      } else if (line === "PONG") {
        pongs.shift()?.();
      } else if (line.startsWith("-ERR")) {
        throw new Error(`nats-server says ${line}`);
      }
      buffer = buffer.subarray(after);
    }
    rest = Buffer.from(buffer);
  }

  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: { data: (_socket, data) => take(data), drain: () => flushUnsent() },
  });

  // One write a turn of the loop, as the NATS clients do.
  function send(text: string): void {
    unsent.push(text);
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      flushUnsent();
    });
  }

  function flushUnsent(): void {
    if (unsent.length === 0) return;
    const bytes = Buffer.from(unsent.join(""));
    const written = socket.write(bytes);
    unsent.length = 0;
    if (written < bytes.length) unsent.push(bytes.toString("utf8", Math.max(0, written)));
  }

  send('CONNECT {"verbose":false,"pedantic":false,"lang":"capstan-bench","version":"0"}\r\n');
  return {
    publish: (subject, payload) => send(`PUB ${subject} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`),
    subscribe: (subject) => send(`SUB ${subject} 1\r\n`),
    flush() {
      const flushed = Promise.withResolvers<void>();
      pongs.push(flushed.resolve);
      send("PING\r\n");
      return flushed.promise;
    },
    close: () => socket.end(),
  };
}
