// The binary as `npm run binary` makes it, compiled once for all tests of this run, and a directory in which it is all there is.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Ids, matches, withIds } from "../docs/transcript.ts";

const ROOT = join(import.meta.dir, "..", "..");
const OUT = join(ROOT, "node_modules", ".capstan", "binary", "capstan");
const CLAIM = `${OUT}.building`;
const LONGEST_MS = 30_000;

let compiling: Promise<string> | undefined;

/** Path of the binary. @throws Error with what the build printed */
export function compiled(): Promise<string> {
  compiling ??= compile();
  return compiling;
}

/** By one worker: another one that runs these tests at the same time waits for it. */
async function compile(): Promise<string> {
  mkdirSync(dirname(OUT), { recursive: true });
  while (!sinceStart(OUT)) {
    if (!claims())
      await Bun.sleep(50); // another process's: there is nothing to await
    else await build().finally(() => rmSync(CLAIM, { recursive: true, force: true }));
  }
  return OUT;
}

/** Whether this run has made it: what was made before may be of other sources. */
function sinceStart(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > performance.timeOrigin;
}

function claims(): boolean {
  if (!sinceStart(CLAIM)) rmSync(CLAIM, { recursive: true, force: true }); // of a run that was killed
  try {
    mkdirSync(CLAIM);
    return true;
  } catch {
    return false;
  }
}

/** @throws Error with what the build printed */
async function build(): Promise<void> {
  const begun = new Date();
  const building = Bun.spawn([process.execPath, join(ROOT, "scripts", "binary", "main.ts"), "--out", OUT], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, error, code] = await Promise.all([
    new Response(building.stdout).text(),
    new Response(building.stderr).text(),
    building.exited,
  ]);
  if (code !== 0) throw new Error(`the binary does not build:\n${out}${error}`);
  utimesSync(OUT, begun, begun); // its sources are at least of then
}

/** A directory outside of the clone. `capstan` is on PATH there and gets no environment but a TMPDIR, whatever the shell has. */
export class EmptyPlace implements AsyncDisposable {
  readonly home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-packaging-")));
  readonly directory = join(this.home, "work");
  readonly temporary = join(this.home, "tmp");
  readonly #bin = join(this.home, "bin");
  readonly #ids: Ids = new Map();
  readonly #servers: Bun.Subprocess[] = [];

  constructor(binary: string) {
    for (const path of [this.directory, this.temporary, this.#bin]) mkdirSync(path);
    writeFileSync(join(this.#bin, "capstan"), `#!/bin/sh\nexec env -i TMPDIR='${this.temporary}' '${binary}' "$@"\n`);
    chmodSync(join(this.#bin, "capstan"), 0o755);
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.directory, name)), { recursive: true });
      writeFileSync(join(this.directory, name), text);
    }
  }

  /** Runs a command. @throws Error where it prints anything else */
  async step(command: string, expected: readonly string[]): Promise<void> {
    const log = join(this.home, "output.log");
    const child = this.#spawn(withIds(command, this.#ids), log);
    const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST_MS);
    await child.exited;
    clearTimeout(timer);
    this.#compare(command, expected, readFileSync(log, "utf8"));
  }

  /** Starts a server, which has to print this, and go on. */
  async serve(command: string, expected: readonly string[]): Promise<Bun.Subprocess> {
    const log = join(this.home, `server-${this.#servers.length}.log`);
    const server = this.#spawn(`exec ${command}`, log);
    this.#servers.push(server);
    const until = performance.now() + LONGEST_MS;
    const printed = (): string => readFileSync(log, "utf8");
    while (printed().split("\n").length <= expected.length && server.exitCode === null && performance.now() < until) {
      await Bun.sleep(20); // another process's output: there is nothing to await
    }
    this.#compare(command, expected, printed());
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) {
      server.kill("SIGKILL");
      await server.exited;
    }
    rmSync(this.home, { recursive: true, force: true });
  }

  #compare(command: string, expected: readonly string[], actual: string): void {
    if (matches(expected, actual, this.#ids)) return;
    throw new Error(`$ ${command}\nshould print:\n${expected.join("\n")}\nbut printed:\n${actual}`);
  }

  // Both streams into one file: in the order in which they were written.
  #spawn(command: string, log: string): Bun.Subprocess {
    const file = openSync(log, "w");
    return Bun.spawn({
      cmd: ["sh", "-c", command],
      cwd: this.directory,
      env: { PATH: `${this.#bin}:/usr/bin:/bin` },
      stdin: "ignore",
      stdout: file,
      stderr: file,
    });
  }
}
