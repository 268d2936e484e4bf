// `capstan` for a page's transcripts without the start of a process each time: commands that end by themselves run in this
// process, in the directory, with the environment, arguments and input that they were given, through asked-capstan.ts, which stands
// on the page's PATH. What serves, follows, or names a configuration runs as the program that it is; so does all of README.md.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Io, run } from "@capstan/cli";

export interface AskedCommand {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Base64. */
  readonly stdin: string;
}

export interface Answered {
  /** What it wrote, in order: 1 or 2, and the text. */
  readonly written: readonly (readonly [stream: 1 | 2, text: string])[];
  readonly code: number;
}

/**
 * Words that make a command run as a program: a module that was loaded once is not loaded again where its file changed. A
 * page's own capstan.config.ts is written before its first command, and stays.
 */
const PROGRAMS = ["serve", "tail", "top", "rehearse", "plugin", "protocol", "config", "--config"];
const ASKED = new URL("./asked-capstan.ts", import.meta.url).pathname;

export class WarmCapstan {
  // Not beside the page: a socket's path must be short.
  readonly #directory = mkdtempSync(join(tmpdir(), "capstan-docs-"));
  readonly #socket = join(this.#directory, "socket");
  readonly #server: Bun.Server<unknown>;

  constructor() {
    this.#server = Bun.serve({
      unix: this.#socket,
      async fetch(request, server) {
        // The page's own limit counts.
        server.timeout(request, 0);
        return Response.json(await answer((await request.json()) as AskedCommand, request.signal));
      },
    });
  }

  /** The shell's part: whom a command goes to. @param program how the program itself is started */
  script(program: string): string {
    const words = PROGRAMS.map((word) => `*" ${word} "*`).join(" | ");
    return `case " $* " in ${words}) exec ${program} "$@" ;; esac
exec '${process.execPath}' --no-install '${ASKED}' '${this.#socket}' "$@"`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

async function answer({ argv, cwd, env, stdin }: AskedCommand, gone: AbortSignal): Promise<Answered> {
  const written: [1 | 2, string][] = [];
  const io: Io = {
    ...{ cwd, env, terminal: { stdout: false, stderr: false } },
    stdout: (text) => void written.push([1, text]),
    stderr: (text) => void written.push([2, text]),
    stdin: async () => Buffer.from(stdin, "base64"),
    strays: () => {},
    // Whoever asked was interrupted.
    stopped: () => new Promise((resolve) => gone.addEventListener("abort", () => resolve(), { once: true })),
    after(milliseconds, call) {
      const timer = setTimeout(call, milliseconds);
      return () => clearTimeout(timer);
    },
  };
  return { code: await run(argv, io), written };
}
