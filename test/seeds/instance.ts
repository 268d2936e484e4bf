// One orchestrator as its operator runs it: `capstan serve` in a directory of its own, and the command line beside it, all in
// this process.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Io, run } from "@capstan/cli";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class Instance {
  readonly directory: string;
  readonly url: string;
  readonly #stop: () => Promise<void>;

  private constructor(directory: string, url: string, stop: () => Promise<void>) {
    this.directory = directory;
    this.url = url;
    this.#stop = stop;
  }

  /** @param files by name, written into its directory first */
  static async start(files: Readonly<Record<string, string>>): Promise<Instance> {
    const directory = mkdtempSync(join(tmpdir(), "capstan-seed-"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    const told = Promise.withResolvers<string>();
    const asked = Promise.withResolvers<void>();
    let err = "";
    const io: Io = {
      ...quietIo(directory),
      stdout: (text) => told.resolve(text),
      stderr: (text) => {
        err += text;
      },
      stopped: () => asked.promise,
    };
    const ended = run(["--json", "serve", "--listen", "127.0.0.1:0", "--log-level", "error"], io);
    ended.then((code) => told.reject(new Error(`serve ended with ${code}: ${err}`)));
    const { url } = JSON.parse(await told.promise) as { url: string };
    return new Instance(directory, url, async () => {
      asked.resolve();
      await ended;
      rmSync(directory, { recursive: true, force: true });
    });
  }

  /** The administrator's credential. */
  get token(): string {
    return readFileSync(join(this.directory, ".capstan", "admin.token"), "utf8").trim();
  }

  /** `cli("perform", "greet")`: as the administrator types it, in its directory. */
  async cli(...words: readonly string[]): Promise<Said> {
    let out = "";
    let err = "";
    const io: Io = {
      ...quietIo(this.directory),
      stdout: (text) => {
        out += text;
      },
      stderr: (text) => {
        err += text;
      },
    };
    return { code: await run(words, io), out, err };
  }

  /** What the command answers. Throws where it fails. */
  async ask<Answer = unknown>(...words: readonly string[]): Promise<Answer> {
    const { code, out, err } = await this.cli("--json", ...words);
    if (code !== 0) throw new Error(`capstan ${words.join(" ")} ended with ${code}: ${err}`);
    return JSON.parse(out) as Answer;
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

function quietIo(cwd: string): Io {
  return {
    cwd,
    env: {},
    terminal: { stdout: false, stderr: false },
    stdout() {},
    stderr() {},
    stdin: async () => new Uint8Array(),
    strays() {},
    after: (milliseconds, call) => {
      const timer = setTimeout(call, milliseconds);
      return () => clearTimeout(timer);
    },
    stopped: async () => {},
  };
}
