// The server: `capstan serve` in a process of its own, in an operator's directory. It is up when it has said where it listens
// and answers there; nothing here waits for time to pass.

import type { Subprocess } from "bun";
import { CLI, plainEnvironment } from "./capstan.ts";

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/;
const LINES_KEPT = 20;

/** What runs now: whatever happens to the demonstration, they end with it. */
const running = new Set<Subprocess>();

export class ServerProcess {
  readonly #process: Subprocess<"ignore", "pipe", "pipe">;
  readonly #address = Promise.withResolvers<string>();
  readonly #lines: string[] = [];
  url = "";
  /** Milliseconds from the start of the process until it took commands. */
  readyAfter = 0;

  private constructor(directory: string, flags: readonly string[]) {
    this.#process = Bun.spawn([process.execPath, "--no-install", CLI, "serve", ...flags], {
      cwd: directory,
      env: plainEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(this.#process);
    void this.#read(this.#process.stdout);
    void this.#read(this.#process.stderr);
    void this.#process.exited.then((code) => {
      running.delete(this.#process);
      this.#address.reject(new Error(`the server ended with ${code} before it listened`));
    });
    this.#address.promise.catch(() => {});
  }

  /** Starts one in `directory`, and waits until it is ready. */
  static async start(directory: string, ...flags: readonly string[]): Promise<ServerProcess> {
    const begun = performance.now();
    const server = new ServerProcess(directory, flags);
    server.url = await server.#address.promise.catch((error: Error) => {
      throw new Error(`${error.message}; it said:\n${server.#lines.join("\n")}`);
    });
    if (!(await server.ready())) throw new Error("the server listens, and is not ready");
    server.readyAfter = performance.now() - begun;
    return server;
  }

  async ready(): Promise<boolean> {
    return (await fetch(`${this.url}/readyz`)).ok;
  }

  /** SIGKILL: it is gone between two instructions, and nothing of it is asked. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  /** SIGTERM, as a service manager sends it. Answers the exit code. */
  async stop(): Promise<number> {
    this.#process.kill("SIGTERM");
    return this.#process.exited;
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split("\n");
      rest = lines.pop() as string;
      for (const line of lines) {
        const address = ADDRESS.exec(line)?.[0];
        if (address !== undefined) this.#address.resolve(address);
        this.#lines.push(line);
      }
      this.#lines.splice(0, this.#lines.length - LINES_KEPT);
    }
  }
}

/** Ends what still runs. Synchronous: it is called where the process ends. */
export function killServers(): void {
  for (const one of running) one.kill("SIGKILL");
}
