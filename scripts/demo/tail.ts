// `capstan tail`, as a process of its own: what it prints, publication by publication, until it is killed.

import type { Subprocess } from "bun";
import { z } from "zod";
import { CLI, plainEnvironment } from "./capstan.ts";

const publication = z.object({ topic: z.string(), cursor: z.string(), data: z.unknown() });

export type Publication = z.output<typeof publication>;

export class Tail {
  readonly #process: Subprocess<"ignore", "pipe", "ignore">;
  readonly #lines: AsyncGenerator<string>;

  constructor(directory: string, topic: string, from: string) {
    this.#process = Bun.spawn([process.execPath, "--no-install", CLI, "tail", topic, "--from", from, "--json"], {
      cwd: directory,
      env: plainEnvironment(),
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#lines = linesOf(this.#process.stdout);
  }

  /** The next so many; fewer where it ends. */
  async read(count: number): Promise<readonly Publication[]> {
    const read: Publication[] = [];
    while (read.length < count) {
      const { value, done } = await this.#lines.next();
      if (done) break;
      read.push(publication.parse(JSON.parse(value)));
    }
    return read;
  }

  /** SIGKILL: it says nothing more to anybody. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
}
