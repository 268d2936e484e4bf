// One process that runs scripts, as the node holds it: started with nothing, less important than the node to the scheduler,
// and killed for certain. (A worker thread cannot be: in a native loop of QuickJS no termination reaches it.)

import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { Subprocess } from "bun";
import { type Said, saidSchema, type Told } from "./script-messages.ts";

const HOST = new URL("./script-host.ts", import.meta.url);
// Of Unix: 0 is the node's own, 19 the most modest. With 0, a neighbour's p99 beside escapes was ten times its own, with 5 nearly four;
// with 10 it is what it is with 19, which leaves a script a seventieth of a processor that something else uses too: it did not
// start within the ten seconds that a registration waits. (The scheduler's idle class starves it altogether.)
const NICENESS = 10;
/** What runs us, also after its file was replaced by another version's: then `process.execPath` names nothing any more. */
const OURSELVES = process.platform === "linux" ? "/proc/self/exe" : process.execPath;

export interface SandboxEvents {
  said(said: Said): void;
  /** It ended, and nobody asked it to. */
  gone(): void;
}

export class SandboxProcess {
  #process: Subprocess | undefined;
  #killed = false;
  events: SandboxEvents | undefined;

  /** The program's text, where the node is a compiled binary and the program is no file. */
  constructor(program: string | undefined, onGone: (one: SandboxProcess) => void) {
    const child = Bun.spawn(
      [OURSELVES, "--no-install", "--no-env-file", "run", program === undefined ? fileURLToPath(HOST) : "-"],
      {
        cwd: "/",
        // In a compiled binary, what makes Bun of it. Nothing of the node's own environment.
        env: { BUN_BE_BUN: "1" },
        stdin: program === undefined ? "ignore" : new Blob([program]),
        stdout: "ignore",
        stderr: "ignore",
        serialization: "json",
        ipc: (message) => {
          const said = saidSchema.safeParse(message);
          if (said.success) this.events?.said(said.data);
        },
        onExit: () => {
          this.#process = undefined;
          onGone(this);
          if (!this.#killed) this.events?.gone();
        },
      },
    );
    this.#process = child;
    // A node that has nothing else to do ends; its scripts end with it.
    child.unref();
    try {
      setPriority(child.pid, NICENESS);
    } catch {
      // It has ended already, or this system has no such thing.
    }
  }

  send(told: Told): void {
    try {
      this.#process?.send(told);
    } catch {
      // It has just ended: `gone` says so.
    }
  }

  kill(): void {
    this.#killed = true;
    this.events = undefined;
    this.#process?.kill("SIGKILL");
  }

  /** Milliseconds of CPU time of its guest's thread; `undefined` where the system does not tell. */
  cpu(): number | undefined {
    const pid = this.#process?.pid;
    try {
      return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "latin1").split(" ")[0]) / 1e6;
    } catch {
      return undefined;
    }
  }
}

/** The program's text, in a compiled binary. */
export async function embeddedProgram(): Promise<string | undefined> {
  return Bun.isStandaloneExecutable ? Bun.file(HOST).text() : undefined;
}
