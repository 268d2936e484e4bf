// Between a node that dials and the one that it dials: every message of the session's wire, for a test to alter, hold or repeat.

/** What becomes of a message: those that are passed on in its place. @param back it goes to the node that dialled */
export type Passing = (text: string, back: boolean) => readonly string[];

const AS_IT_IS: Passing = (text) => [text];

interface Far {
  far: WebSocket | undefined;
  waiting: string[] | undefined;
}

export class WireProxy implements Disposable {
  /** Where the node that dials is to dial. */
  readonly url: string;
  passing: Passing = AS_IT_IS;
  readonly #server: ReturnType<typeof Bun.serve>;
  readonly #sockets = new Set<{ close(): void }>();
  /** Says something to the node that dialled, out of turn. */
  say: (text: string) => void = () => {};

  constructor(to: string) {
    const target = `${to.replace(/^http/, "ws")}/rpc`;
    const pass = (text: string, back: boolean) => this.passing(text, back);
    const began = (socket: { close(): void }, say: (text: string) => void): void => {
      this.#sockets.add(socket);
      this.say = say;
    };
    this.#server = Bun.serve<Far, never>({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request, server) =>
        server.upgrade(request, { data: { far: undefined, waiting: [] } }) ? undefined : new Response(),
      websocket: {
        maxPayloadLength: 256 * 1024 * 1024,
        open(near) {
          const far = new WebSocket(target);
          near.data.far = far;
          began(near, (text) => near.send(text));
          far.onopen = () => {
            for (const text of near.data.waiting ?? []) far.send(text);
            near.data.waiting = undefined;
          };
          far.onmessage = ({ data }) => {
            for (const text of pass(String(data), true)) near.send(text);
          };
          far.onclose = () => near.close();
        },
        message(near, message) {
          for (const text of pass(String(message), false)) {
            if (near.data.waiting === undefined) near.data.far?.send(text);
            else near.data.waiting.push(text);
          }
        },
        close: (near) => near.data.far?.close(),
      },
    });
    this.url = `http://127.0.0.1:${this.#server.port}`;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.close();
    void this.#server.stop(true);
  }
}
