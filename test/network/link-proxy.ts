// A link between two nodes, as the test has it: what the one that dials says goes to the other's port through here, and can be cut,
// swallowed, or lost on one side alone. What both say is read on its way (frame-tap.ts).

import { createConnection, createServer, type Server, type Socket } from "node:net";
import { FrameTap, type SaidUpdate } from "./frame-tap.ts";

/**
 * `cut`: connections break, and none is made. `silent`: nothing gets through, in neither direction, and nobody is told (what was sent is
 * sent again by TCP, and arrives once it is mended). `half-open`: the one that dials is told that its connection is over; the other is not.
 */
export type LinkState = "open" | "cut" | "silent" | "half-open";

export interface LinkProxyOptions {
  /** Where the node that is dialled listens. */
  readonly port: number;
  /** What either side says. */
  said(by: "dialler" | "dialled", update: SaidUpdate): void;
}

interface Pipe {
  readonly near: Socket;
  far: Socket | undefined;
  /** To be done once it is mended, in order. */
  held: (() => void)[];
}

export class LinkProxy {
  readonly #options: LinkProxyOptions;
  readonly #server: Server;
  readonly #pipes = new Set<Pipe>();
  #state: LinkState = "open";

  private constructor(options: LinkProxyOptions) {
    this.#options = options;
    this.#server = createServer((near) => this.#accept(near));
  }

  static async listen(options: LinkProxyOptions): Promise<LinkProxy> {
    const proxy = new LinkProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}`;
  }

  /** What waits for it to be mended. */
  get held(): number {
    return [...this.#pipes].reduce((sum, { held }) => sum + held.length, 0);
  }

  set(state: LinkState): void {
    this.#state = state;
    switch (state) {
      case "open":
        for (const pipe of this.#pipes) for (const late of pipe.held.splice(0)) late();
        break;
      case "cut":
        for (const pipe of this.#pipes) this.#end(pipe);
        break;
      case "half-open":
        // That it is over is on its way to the other one until it is mended.
        for (const { near } of this.#pipes) near.destroy();
        break;
      case "silent":
        break;
      default:
        state satisfies never;
    }
  }

  async close(): Promise<void> {
    for (const pipe of this.#pipes) this.#end(pipe);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(near: Socket): void {
    near.on("error", () => {});
    if (this.#state === "cut") {
      near.destroy();
      return;
    }
    const pipe: Pipe = { near, far: undefined, held: [] };
    this.#pipes.add(pipe);
    const tap = new FrameTap((update) => this.#options.said("dialler", update));
    near.on("data", (chunk: Buffer) => {
      tap.push(chunk);
      this.#through(pipe, () => pipe.far?.write(chunk));
    });
    near.on("close", () => this.#through(pipe, () => this.#end(pipe)));
    this.#through(pipe, () => this.#dial(pipe));
  }

  #dial(pipe: Pipe): void {
    const far = createConnection(this.#options.port, "127.0.0.1");
    pipe.far = far;
    const tap = new FrameTap((update) => this.#options.said("dialled", update));
    far.on("error", () => {});
    far.on("data", (chunk: Buffer) => {
      tap.push(chunk);
      this.#through(pipe, () => pipe.near.write(chunk));
    });
    far.on("close", () => this.#through(pipe, () => this.#end(pipe)));
  }

  /** Now, or when it is mended. */
  #through(pipe: Pipe, what: () => void): void {
    if (this.#state === "open") what();
    else if (this.#pipes.has(pipe)) pipe.held.push(what);
  }

  #end(pipe: Pipe): void {
    this.#pipes.delete(pipe);
    pipe.held = [];
    pipe.near.destroy();
    pipe.far?.destroy();
  }
}
