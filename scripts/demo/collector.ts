// A server of somebody else's, in this process: what it was sent, and whether it is up.

export interface Received {
  readonly path: string;
  readonly key: string | null;
  readonly body: unknown;
}

export class Collector {
  readonly received: Received[] = [];
  /** Answers 503 while it is not. */
  up = true;
  readonly #server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const body: unknown = await request.json();
      if (!this.up) return new Response("down for the night", { status: 503 });
      this.received.push({ path: new URL(request.url).pathname, key: request.headers.get("idempotency-key"), body });
      return Response.json({ taken: this.received.length });
    },
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  [Symbol.dispose](): void {
    void this.#server.stop(true);
  }
}
