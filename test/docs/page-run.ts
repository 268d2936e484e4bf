// One page's run: a directory of its own in which its programs and commands run in the page's order, with `capstan` and
// `bun` on PATH, and the servers that it leaves running until the page is done. Every server listens on a port of its own.

import { chmodSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join, resolve, sep } from "node:path";
import type { Block } from "./blocks.ts";
import { type Ids, matches, type Step, steps, withIds } from "./transcript.ts";
import { WarmCapstan } from "./warm-capstan.ts";
import type { WarmPrograms } from "./warm-programs.ts";

const ROOT = join(import.meta.dir, "..", "..");
// Inside the clone, so that imports of @capstan/* resolve; inside node_modules, so that nothing else looks at it. Each run has its
// own: two of them may run the same page at once.
const RUNS = join(ROOT, "node_modules", ".capstan", "docs");
const LONGEST_MS = 30_000;
/** Each of its commands is a process of its own, as it is to whoever reads it. */
const FIRST_PAGE = "README.md";

interface Ended {
  readonly text: string;
  readonly exitCode: number;
}

export class PageRun {
  readonly #home: string;
  readonly #directory: string;
  readonly #environment: Record<string, string | undefined>;
  readonly #servers: Bun.Subprocess[] = [];
  readonly #warm: WarmCapstan | undefined;
  readonly #programs: WarmPrograms | undefined;
  readonly #ids: Ids = new Map();

  /** @param programs runs its programs, except those of README.md; without it each is a process of its own */
  constructor(page: string, programs?: WarmPrograms) {
    mkdirSync(RUNS, { recursive: true });
    const home = mkdtempSync(join(RUNS, `${page.replace(/[^\w-]+/g, "-")}-`));
    const bin = join(home, "bin");
    this.#home = home;
    this.#directory = join(home, "page");
    mkdirSync(bin);
    mkdirSync(this.#directory);
    const program = [process.execPath, "--no-install", join(ROOT, "packages", "cli", "src", "main.ts")];
    if (page !== FIRST_PAGE) {
      this.#warm = new WarmCapstan();
      this.#programs = programs;
    }
    executable(join(bin, "capstan"), this.#warm?.script(quoted(program)) ?? `exec ${quoted(program)} "$@"`);
    executable(join(bin, "bun"), `exec ${quoted([process.execPath])} "$@"`);
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("CAPSTAN_"));
    this.#environment = {
      ...Object.fromEntries(inherited),
      PATH: [bin, process.env.PATH].join(delimiter),
      CAPSTAN_LISTEN: "127.0.0.1:0",
      // Contexts of the page's own, and none of whoever runs it.
      XDG_CONFIG_HOME: join(home, "config"),
      NO_COLOR: "1",
      FORCE_COLOR: undefined,
    };
  }

  write(name: string, text: string): void {
    const path = resolve(this.#directory, name);
    if (!path.startsWith(this.#directory + sep)) throw new Error(`${name} is outside the page's directory`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  /** Runs a program. @throws where it fails, or prints something other than `output` where that is given. */
  async program(block: Block, output: Block | undefined): Promise<void> {
    const name = block.file ?? `line-${block.line}.ts`;
    this.write(name, block.text);
    const { text, exitCode } = await (this.#programs === undefined
      ? this.#run([process.execPath, name])
      : this.#runWarm(this.#programs, name));
    if (exitCode !== 0) throw new Error(`the program ended with ${exitCode}:\n${text}`);
    if (output !== undefined) this.#compare("the program", output.text.replace(/\n$/, "").split("\n"), text);
  }

  /** Runs a transcript, step by step. @throws at the first that fails, or prints something else. */
  async transcript(text: string): Promise<void> {
    for (const step of steps(text)) await (/[^&]&\s*$/.test(step.command) ? this.#serve(step) : this.#step(step));
  }

  async #step({ command, expected }: Step): Promise<void> {
    const { text, exitCode } = await this.#run(["bash", "-c", withIds(command, this.#ids)]);
    this.#compare(`$ ${command}`, expected, text);
    // A page that means a failure shows its code: `…; echo $?`.
    if (exitCode !== 0) throw new Error(`$ ${command}\nended with ${exitCode}, which the page does not show:\n${text}`);
  }

  /** `$ command &`: leaves it running, once it has printed what the page shows. */
  async #serve({ command, expected }: Step): Promise<void> {
    const log = join(this.#directory, "..", `server-${this.#servers.length}.log`);
    const program = `exec ${withIds(command, this.#ids).replace(/&\s*$/, "")}`;
    const server = this.#spawn(["bash", "-c", program], openSync(log, "w"));
    this.#servers.push(server);
    const until = performance.now() + LONGEST_MS;
    while (!matches([...expected, "…"], readFileSync(log, "utf8"), this.#ids)) {
      if (server.exitCode !== null || performance.now() > until) {
        throw new Error(
          `$ ${command}\nshould print, and go on running:\n${expected.join("\n")}\nbut printed:\n${readFileSync(log, "utf8")}`,
        );
      }
      await Bun.sleep(20); // another process's output: there is nothing to await
    }
  }

  #compare(what: string, expected: readonly string[], actual: string): void {
    if (matches(expected, actual, this.#ids)) return;
    throw new Error(`${what}\nshould print:\n${expected.join("\n")}\nbut printed:\n${actual}`);
  }

  async #run(command: string[]): Promise<Ended> {
    const log = join(this.#directory, "..", "output.log");
    const child = this.#spawn(command, openSync(log, "w"));
    const kill = () => stop(child, "SIGKILL");
    return inTime(`${command.at(-1)}`, child.exited, kill, () => readFileSync(log, "utf8"));
  }

  #runWarm(programs: WarmPrograms, name: string): Promise<Ended> {
    const job = { path: join(this.#directory, name), cwd: this.#directory, env: this.#environment };
    return inTime(
      name,
      programs.run(job),
      () => programs.kill(),
      () => programs.printed(),
    );
  }

  // Both streams into one file: a reader sees them in the order in which they were written, as on a terminal.
  #spawn(cmd: string[], log: number): Bun.Subprocess {
    return Bun.spawn({
      cmd,
      cwd: this.#directory,
      env: this.#environment,
      stdin: "ignore",
      stdout: log,
      stderr: log,
      detached: true,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      stop(server, "SIGTERM");
      const timer = setTimeout(() => stop(server, "SIGKILL"), 5_000);
      await server.exited;
      clearTimeout(timer);
    }
    await this.#warm?.[Symbol.asyncDispose]();
    rmSync(this.#home, { recursive: true, force: true });
  }
}

async function inTime(what: string, running: Promise<number>, kill: () => void, printed: () => string): Promise<Ended> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, LONGEST_MS);
  const exitCode = await running;
  clearTimeout(timer);
  const text = printed();
  if (late) throw new Error(`${what}\nwas not done after ${LONGEST_MS / 1000} s; it printed:\n${text}`);
  return { text, exitCode };
}

// The whole group: what a command started ends with it.
function stop(child: Bun.Subprocess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // it had ended
  }
}

const quoted = (words: readonly string[]): string => words.map((word) => `'${word}'`).join(" ");

function executable(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}
