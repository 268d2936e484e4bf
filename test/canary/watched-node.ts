// A node in a process of its own, and everything that is said around it: by the node on its streams, by commands, by its doors, to
// its collector of traces, and in the files that it leaves.

import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Io, run } from "@capstan/cli";

const ROOT = join(import.meta.dir, "..", "..");
/** What is planted there, or is a secret by itself. */
const PLANTED = [
  ...["secrets/", ".env", "config-secret.json", "node.key", "admin.token", "bob.token", ".capstan/peers/"],
  ...["osaka.invite", "lima.invite"],
];

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class WatchedNode {
  readonly said = new Map<string, string | Uint8Array>();
  readonly cwd = realpathSync(mkdtempSync(join(tmpdir(), "capstan-canary-")));
  #child: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;
  #streams: Promise<[string, string]> | undefined;
  #traces: Uint8Array[] = [];
  #env: Readonly<Record<string, string>> = {};
  readonly #collector = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const body = new Uint8Array(await request.arrayBuffer());
      const zipped = request.headers.get("content-encoding") === "gzip";
      this.#traces.push(zipped ? Bun.gunzipSync(body) : body);
      return Response.json({});
    },
  });
  url = "";

  async start(argv: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    this.#env = env;
    const main = join(ROOT, "packages", "cli", "src", "main.ts");
    const words = ["serve", "--listen", "127.0.0.1:0", "--log-level", "debug", ...argv];
    const { PATH, HOME } = process.env;
    this.#child = Bun.spawn([process.execPath, "--no-install", main, ...words], {
      ...{ cwd: this.cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" },
      env: { PATH, HOME, ...env, CAPSTAN_OTEL_ENDPOINT: `http://127.0.0.1:${this.#collector.port}` },
    });
    this.#streams = Promise.all([new Response(this.#child.stdout).text(), new Response(this.#child.stderr).text()]);
    const file = join(this.cwd, ".capstan", "server.json");
    while (this.url === "") {
      if (this.#child.exitCode !== null) throw new Error(`the node ended: ${(await this.#streams).join("")}`);
      await Bun.sleep(10);
      try {
        this.url = (JSON.parse(readFileSync(file, "utf8")) as { url: string }).url;
      } catch {
        // Not yet.
      }
    }
  }

  /** Runs a command in the node's directory, for a person and for a program; keeps what it says. */
  capstan(...argv: string[]): Promise<Ended> {
    return this.capstanWith(this.#env, ...argv);
  }

  /** With an environment of its own. */
  async capstanWith(env: Readonly<Record<string, string>>, ...argv: string[]): Promise<Ended> {
    let out = "";
    let err = "";
    const io: Io = {
      ...{ cwd: this.cwd, env, terminal: { stdout: false, stderr: false }, strays() {} },
      stdout: (text) => {
        out += text;
      },
      stderr: (text) => {
        err += text;
      },
      stdin: async () => new Uint8Array(),
      stopped: () => new Promise(() => {}),
      after: (milliseconds, call) => {
        const timer = setTimeout(call, milliseconds);
        return () => clearTimeout(timer);
      },
    };
    const code = await run(argv, io);
    this.#keep(`capstan ${argv.join(" ")}`, out + err);
    return { code, out, err };
  }

  /** Asks a door, and keeps all that it answers. */
  async ask(path: string, token?: string, init: RequestInit = {}): Promise<string> {
    const headers = { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...init.headers };
    const response = await fetch(`${this.url}${path}`, { ...init, headers });
    const text = await response.text();
    this.#keep(`${init.method ?? "GET"} ${path}`, JSON.stringify([...response.headers]) + text);
    return text;
  }

  /** The beginning of a stream, up to what is waited for. */
  async follow(path: string, token: string, until: string): Promise<void> {
    const response = await fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    let text = "";
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      text += Buffer.from(chunk).toString();
      if (text.includes(until)) break;
    }
    this.#keep(`GET ${path}`, text);
  }

  /** Ends the node, and keeps what it had not yet said, and its files. */
  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#child?.exited;
    const [stdout = "", stderr = ""] = (await this.#streams) ?? [];
    this.#keep("the node's standard output", stdout);
    this.#keep("the node's log", stderr);
    this.said.set("traces", Buffer.concat(this.#traces));
    for (const path of readdirSync(this.cwd, { recursive: true, encoding: "utf8" })) {
      if (PLANTED.some((one) => path === one || path.endsWith(`/${one}`) || path.startsWith(one))) continue;
      if (statSync(join(this.cwd, path)).isFile())
        this.said.set(`the file ${path}`, readFileSync(join(this.cwd, path)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
    await this.#collector.stop(true);
    rmSync(this.cwd, { recursive: true, force: true });
  }

  #keep(where: string, text: string): void {
    this.said.set(where, `${this.said.get(where) ?? ""}${text}`);
  }
}
