// A process of the benchmark, from both sides: the one that measures starts it on a core of its own and asks; the one that is
// measured answers. Nothing is said between the two while a measurement runs.

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { pinnedCommand } from "./machine.ts";

/** What a process can be asked: name → how it answers. */
export type Answers = Readonly<Record<string, (question: never) => unknown>>;

interface Reply {
  readonly answer?: unknown;
  readonly error?: string;
}

/** To be called by a process of the benchmark, once it can answer. */
export function answering(answers: Answers): void {
  process.on("message", async ({ name, question }: { name: string; question: unknown }) => {
    let reply: Reply;
    try {
      reply = { answer: await answers[name]?.(question as never) };
    } catch (thrown) {
      reply = { error: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown) };
    }
    process.send?.(reply);
  });
  // Whoever asks is gone: nobody else ends us.
  process.on("disconnect", () => process.exit());
  process.send?.({ answer: "ready" } satisfies Reply);
}

export interface Worker {
  ask(name: string, question?: unknown): Promise<unknown>;
  end(): Promise<void>;
}

/** Starts `script` on `core`, or on any; resolves once it answers. */
export async function startWorker(script: URL, core: number | undefined, ...args: readonly string[]): Promise<Worker> {
  const path = fileURLToPath(script);
  const name = basename(path);
  let waiting = Promise.withResolvers<unknown>();
  const command = [process.execPath, path, ...args];
  const child = Bun.spawn(core === undefined ? command : pinnedCommand(core, command), {
    stdio: ["ignore", "inherit", "inherit"],
    ipc({ answer, error }: Reply) {
      if (error === undefined) waiting.resolve(answer);
      else waiting.reject(new Error(`${name}: ${error}`));
    },
  });
  child.exited.then((code) => waiting.reject(new Error(`${name} ended with ${code}`)));
  // An end that nobody waits for is the one that we asked for.
  waiting.promise.catch(() => {});
  await waiting.promise;
  return {
    ask(what, question) {
      waiting = Promise.withResolvers();
      waiting.promise.catch(() => {});
      child.send({ name: what, question });
      return waiting.promise;
    },
    async end() {
      child.disconnect();
      await child.exited;
    },
  };
}
