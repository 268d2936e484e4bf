// A page's programs without the start of a process each: one process (program-runner.ts) runs them in turn, each after the one
// before has nothing left to do, as a process of its own would have ended then. One that ends the process has it started anew.

import { mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ProgramJob {
  readonly path: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const RUNNER = new URL("./program-runner.ts", import.meta.url).pathname;

interface Runner {
  readonly child: Bun.Subprocess<"pipe", number, number>;
  /** The exit code of each program; done where the process has ended. */
  readonly codes: AsyncIterator<Uint8Array>;
}

export class WarmPrograms implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), "capstan-docs-"));
  readonly #log = join(this.#directory, "output.log");
  #runner: Runner | undefined;
  #from = 0;

  /** Runs a program to its end; answers its exit code. */
  async run(job: ProgramJob): Promise<number> {
    this.#runner ??= this.#start();
    const runner = this.#runner;
    this.#from = statSync(this.#log).size;
    runner.child.stdin.write(`${JSON.stringify(job)}\n`);
    runner.child.stdin.flush();
    const { value, done } = await runner.codes.next();
    if (!done) return (value as Uint8Array)[0] as number;
    this.#runner = undefined;
    return runner.child.exited;
  }

  /** What the last program wrote. */
  printed(): string {
    return readFileSync(this.#log).subarray(this.#from).toString();
  }

  /** Ends the program that runs. */
  kill(): void {
    this.#runner?.child.kill("SIGKILL");
  }

  #start(): Runner {
    const log = openSync(this.#log, "a");
    const child = Bun.spawn({
      cmd: [process.execPath, "--no-install", RUNNER],
      stdio: ["pipe", log, log, "pipe"],
    }) as unknown as Runner["child"] & { readonly stdio: readonly number[] };
    return {
      child,
      codes: Bun.file(child.stdio[3] as number)
        .stream()
        [Symbol.asyncIterator](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#runner?.child.stdin.end();
    await this.#runner?.child.exited;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
