// Two ways to a node's public object, behind one shape, and frames written by hand: what a client of ours would never send
// must be sent by somebody.

import { newHttpBatchRpcSession, newWebSocketRpcSession } from "capnweb";

/** The public object, or anything that it leads to: whatever is asked of it is a promise. */
export type Remote = any;

export const transports = {
  WebSocket: (url: string): Remote => newWebSocketRpcSession(`${url.replace("http", "ws")}/rpc`),
  "HTTP batch": (url: string): Remote => newHttpBatchRpcSession(`${url}/rpc`),
} as const;

export type Transport = keyof typeof transports;
export const transportNames = Object.keys(transports) as Transport[];

/** The code of the fault that a call ends with, or `ok`. */
export async function codeOf(call: PromiseLike<unknown>): Promise<string> {
  return (await faultOf(call))?.code ?? "ok";
}

/** The fault that a call ends with. */
export async function faultOf(
  call: PromiseLike<unknown>,
): Promise<{ code: string; message: string; details?: any } | undefined> {
  try {
    await call;
    return undefined;
  } catch (thrown) {
    const { code = `no code: ${thrown}`, message, details } = thrown as Error & { code?: string; details?: unknown };
    return { code, message, ...(details === undefined ? {} : { details }) };
  }
}

/** The path and, for a call, the arguments (as the wire has them). */
export interface Probe {
  readonly target: number;
  readonly path: readonly (string | number)[];
  readonly args?: readonly unknown[];
}

export interface Probing {
  /** Sends them together; each answer is what capnweb sent: `["resolve", id, value]` or `["reject", id, error]`. */
  probe(probes: readonly Probe[]): Promise<any[][]>;
  close(): void;
}

const frameOf = ({ target, path, args }: Probe): string =>
  JSON.stringify(["push", args === undefined ? ["pipeline", target, path] : ["pipeline", target, path, args]]);

/** Frames by hand, over a WebSocket or in batches. Export 0 is the public object, export 1 the scope of `secret`. */
export async function probing(transport: Transport, url: string, secret: string): Promise<Probing> {
  const connect = frameOf({ target: 0, path: ["connectionFromCli"], args: [secret] });
  if (transport === "HTTP batch") {
    return {
      async probe(probes) {
        const frames = [connect, ...probes.flatMap((probe, i) => [frameOf(probe), `["pull",${i + 2}]`])];
        const response = await post(url, frames.join("\n"));
        const answers = (await response.text()).split("\n").map((line) => JSON.parse(line));
        return probes.map((_, i) => answers.find(([, id]) => id === i + 2));
      },
      close() {},
    };
  }
  const socket = await RawSocket.open(url);
  socket.send(connect, '["pull",1]');
  await socket.answer(1);
  let last = 1;
  return {
    async probe(probes) {
      const first = last + 1;
      for (const probe of probes) socket.send(frameOf(probe), `["pull",${++last}]`);
      const answers = await Promise.all(probes.map((_, i) => socket.answer(first + i)));
      for (const [i] of probes.entries()) socket.send(`["release",${first + i},1]`);
      return answers;
    },
    close: () => socket.close(),
  };
}

export function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${url}/rpc`, { method: "POST", body, headers });
}

/** A WebSocket that sends what it is told. */
export class RawSocket {
  readonly frames: any[][] = [];
  readonly closed: Promise<CloseEvent>;
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, PromiseWithResolvers<any[]>>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(data);
      this.frames.push(frame);
      if (frame[0] === "resolve" || frame[0] === "reject") this.#answerOf(frame[1]).resolve(frame);
    });
  }

  static async open(url: string, headers: Record<string, string> = {}): Promise<RawSocket> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/rpc`, { headers } as never);
    const raw = new RawSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("the WebSocket was refused")));
    });
    return raw;
  }

  send(...frames: (string | Uint8Array<ArrayBuffer>)[]): void {
    for (const frame of frames) this.#socket.send(frame);
  }

  /** The answer to a push. */
  answer(id: number): Promise<any[]> {
    return this.#answerOf(id).promise;
  }

  /** A ping and its pong: what the node has sent is here. */
  async roundTrip(): Promise<void> {
    const socket = this.#socket as WebSocket & { ping(): void };
    const pong = new Promise((resolve) => socket.addEventListener("pong" as "message", resolve, { once: true }));
    socket.ping();
    await pong;
  }

  /** The fault that the node ended the session with, once it is closed. */
  async ended(): Promise<{ code: string; message: string }> {
    await this.closed;
    const [, error] = this.frames.find(([type]) => type === "abort") ?? [];
    return { code: error?.[4]?.code, message: error?.[2] };
  }

  close(): void {
    this.#socket.close();
  }

  #answerOf(id: number): PromiseWithResolvers<any[]> {
    const answer = this.#answers.get(id) ?? Promise.withResolvers<any[]>();
    this.#answers.set(id, answer);
    return answer;
  }
}
