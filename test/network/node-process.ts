// One orchestrator as `capstan serve` runs it: a process, a data directory and a domain of its own. It is killed, stopped, and started
// again on what it left.

import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Connected, connect } from "@capstan/orchestrator/client";
import type { SpeakerTiming } from "@capstan/peer";
import type { StandardMessages } from "@capstan/plugins";
import { linesOf } from "../chaos/lines.ts";
import { RUNS } from "./provider.ts";

const MAIN = new URL("../../packages/cli/src/main.ts", import.meta.url).pathname;
const PROVIDER = new URL("./provider.ts", import.meta.url).pathname;
export type Session = Connected<StandardMessages>;

export interface Costs {
  /** Bytes, resident. */
  readonly memory: number;
  /** Open files and sockets. */
  readonly files: number;
}

export class NodeProcess {
  readonly name: string;
  readonly directory: string;
  readonly domain: string;
  id = "";
  key = "";
  /** How often it was started. */
  starts = 0;
  #child: Bun.Subprocess<"ignore", "pipe", number> | undefined;
  #listen = "127.0.0.1:0";
  #up = Promise.withResolvers<void>();
  #dead = false;

  constructor(home: string, name: string, timing: Partial<SpeakerTiming>) {
    this.name = name;
    this.directory = join(home, name);
    this.domain = `${name}-domain`;
    mkdirSync(this.directory, { recursive: true });
    const peering = { domain: this.domain, timing };
    writeFileSync(
      join(this.directory, "capstan.config.ts"),
      `import { defineConfig } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { provider } from ${JSON.stringify(PROVIDER)};
export default defineConfig({
  plugins: standard({
    protocols: [provider(${JSON.stringify(name)}, ${JSON.stringify(this.runsFile)})],
    peering: ${JSON.stringify(peering)},
  }),
});
`,
    );
  }

  get runsFile(): string {
    return join(this.directory, RUNS);
  }

  get logFile(): string {
    return join(this.directory, "lines");
  }

  get url(): string {
    return `http://${this.#listen}`;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves while it runs: at once, or when it is started. */
  get up(): Promise<void> {
    return this.#up.promise;
  }

  async start(): Promise<void> {
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAPSTAN_"));
    const words = ["serve", "--json", "--log-level", "info", "--name", this.name, "--listen", this.#listen];
    const child = Bun.spawn([process.execPath, "--no-install", MAIN, ...words], {
      ...{ cwd: this.directory, env: Object.fromEntries(inherited) },
      ...{ stdin: "ignore", stdout: "pipe", stderr: openSync(this.logFile, "a") },
    });
    this.#child = child;
    const { value } = await linesOf<{ readonly url: string; readonly node: string }>(child.stdout).next();
    if (!value) throw new Error(`${this.name} did not start: ${readFileSync(this.logFile, "utf8").slice(-2000)}`);
    this.#listen = new URL(value.url).host;
    this.id = value.node;
    this.starts++;
    this.#dead = false;
    this.#up.resolve();
    void child.exited.then(() => {
      if (this.#child === child && !this.#dead)
        process.stderr.write(`${this.name} ended by itself: ${child.exitCode}\n`);
    });
  }

  async kill(): Promise<void> {
    this.#dead = true;
    this.#up = Promise.withResolvers();
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  /** SIGSTOP: it is there, and does nothing. */
  stop(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  continue(): void {
    process.kill(this.pid, "SIGCONT");
  }

  connect(): Session {
    const token = readFileSync(join(this.directory, ".capstan", "admin.token"), "utf8").trim();
    return connect<StandardMessages>({ url: this.url, as: { connectionFromCli: token } });
  }

  costs(): Costs {
    const { pid } = this;
    const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return { memory: Number(kilobytes) * 1024, files: readdirSync(`/proc/${pid}/fd`).length };
  }
}
