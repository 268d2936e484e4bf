// One HTTP request over a bare socket, so that each byte of its response is seen when it comes.

interface Received {
  received(): string;
  /** The whole response, once the server has closed the connection. */
  readonly answer: Promise<string>;
  close(): void;
}

export async function postRaw(url: string, body: string): Promise<Received> {
  const { hostname, port, pathname, host } = new URL(url);
  let text = "";
  const { promise: answer, resolve } = Promise.withResolvers<string>();
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data(_, bytes) {
        text += bytes.toString("utf8");
      },
      close: () => resolve(text),
    },
  });
  const head = `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`;
  socket.write(head + body);
  return { received: () => text, answer, close: () => socket.end() };
}
