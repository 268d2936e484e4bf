// A node as an operator has it: a data directory, `capstan serve` in a process of its own, and commands that are given beside it.
// They run in this process, where one of their own would add nothing but its start; test/docs and test/experience start theirs.
// It knows nothing of what is asked of the node.

import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Io, run } from "@capstan/cli";
import { type Connected, connect } from "@capstan/orchestrator/client";

const MAIN = join(import.meta.dir, "..", "..", "packages", "cli", "src", "main.ts");
const LONGEST_MS = 30_000;

/** Its input comes back; it may run twice. */
const ECHO = `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({ input: z.unknown(), output: z.unknown(), idempotent: true, run: (input) => input });
`;

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class OperatedNode implements AsyncDisposable {
  readonly home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-operations-")));
  readonly data = join(this.home, ".capstan");
  #server: Bun.Subprocess | undefined;
  #url = "";
  /** Nothing is asked of it any more. */
  closed = false;

  /** A node that serves, with the action `echo`. */
  static async start(): Promise<OperatedNode> {
    const node = new OperatedNode();
    writeFileSync(join(node.home, "echo.ts"), ECHO);
    await node.serve();
    await node.ran("action", "register", "echo", "--module", "./echo.ts");
    return node;
  }

  path(name: string): string {
    return join(this.home, name);
  }

  get url(): string {
    return this.#url;
  }

  /** Starts the server; again at the address that it had. */
  async serve(): Promise<void> {
    const until = performance.now() + LONGEST_MS;
    let said = await this.#serves();
    // Between two starts another test's server may have its port for a moment.
    while (said === undefined && this.#url !== "" && !this.closed && performance.now() < until)
      said = await this.#serves();
    if (said === undefined) throw new Error(`the server on ${this.data} did not start`);
    this.#url = said.url;
  }

  /** What it says once it listens; nothing where it ended. */
  async #serves(): Promise<{ readonly url: string } | undefined> {
    const listen = this.#url === "" ? "127.0.0.1:0" : new URL(this.#url).host;
    const args = ["serve", "--json", "--log-level", "silent", "--listen", listen];
    const server = Bun.spawn([process.execPath, "--no-install", MAIN, ...args], {
      ...this.#place(),
      stdout: "pipe",
      stderr: "inherit",
    });
    if (this.closed) server.kill("SIGKILL");
    this.#server = server;
    let said = "";
    for await (const chunk of server.stdout) {
      said += Buffer.from(chunk).toString();
      if (said.includes("\n")) return JSON.parse(said) as { readonly url: string };
    }
    await server.exited;
    return undefined;
  }

  /** SIGTERM; answers its exit code. */
  async stop(): Promise<number> {
    this.#server?.kill("SIGTERM");
    const code = await this.#server?.exited;
    this.#server = undefined;
    return code ?? 0;
  }

  /** Runs one command to its end; nobody interrupts it. */
  async capstan(...args: readonly string[]): Promise<Ran> {
    const out: string[] = [];
    const err: string[] = [];
    const { cwd, env } = this.#place();
    const io: Io = {
      ...{ cwd, env, terminal: { stdout: false, stderr: false } },
      stdout: (text) => void out.push(text),
      stderr: (text) => void err.push(text),
      stdin: async () => new Uint8Array(),
      strays: () => {},
      stopped: () => new Promise(() => {}),
      after(milliseconds, call) {
        const timer = setTimeout(call, milliseconds);
        return () => clearTimeout(timer);
      },
    };
    const code = await run(args, io);
    return { code, out: out.join(""), err: err.join("") };
  }

  /** Runs a command, in a process of its own, that can write no file of more than so many KiB. */
  async limited(kibibytes: number, ...args: readonly string[]): Promise<Ran> {
    const limit = `ulimit -f ${kibibytes}; trap '' XFSZ; exec "$@"`;
    const command = ["bash", "-c", limit, "bash", process.execPath, "--no-install", MAIN, ...args];
    const streams = { stdin: "ignore", stdout: "pipe", stderr: "pipe" } as const;
    const child = Bun.spawn(command, { ...this.#place(), ...streams });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { code: await child.exited, out, err };
  }

  /** Runs one command that has to end well. */
  async ran(...args: readonly string[]): Promise<Ran> {
    const ran = await this.capstan(...args);
    if (ran.code !== 0) throw new Error(`capstan ${args.join(" ")}: ${ran.code} ${ran.err}`);
    return ran;
  }

  /** The credential in a file. */
  token(file = join(".capstan", "admin.token")): string {
    return readFileSync(this.path(file), "utf8").trim();
  }

  connect(token: string): Connected {
    return connect({ url: this.#url, as: { connectionFromCli: token } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true;
    this.#server?.kill("SIGKILL");
    await this.#server?.exited;
    rmSync(this.home, { recursive: true, force: true });
  }

  #place() {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAPSTAN_"));
    const own = { CAPSTAN_CONTEXT: "none", NO_COLOR: "1", FORCE_COLOR: undefined };
    return { cwd: this.home, env: { ...Object.fromEntries(inherited), ...own } };
  }
}
