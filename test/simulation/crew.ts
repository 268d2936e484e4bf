// Processes that share out trials, so that all of a machine's processors are at work and no run's memory outlives it for
// long.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { Outcome, Script } from "./trial.ts";

export type Job = { readonly seed: number; readonly nodes: number } | { readonly script: Script };
export type Report = { readonly outcome: Outcome } | { readonly threw: string };

export interface CrewOptions {
  readonly processes: number;
  /** A simulator's index.ts, instead of ours. */
  readonly module?: string;
  /** Seconds that one trial may take; by default ten minutes. */
  readonly patience?: number;
}

/** A process ends after so many trials. */
const TRIALS_EACH = 40;
const PATIENCE = 600;
const PROCESS = join(import.meta.dir, "trial-process.ts");

/**
 * Runs jobs as they are asked for, and tells of each as it is done, in any order.
 * @param onReport may answer "enough": no more jobs are begun then.
 */
export async function runJobs<J extends Job>(
  jobs: Iterable<J>,
  { processes, module, patience = PATIENCE }: CrewOptions,
  onReport: (report: Report, job: J) => "enough" | undefined,
): Promise<void> {
  const iterator = jobs[Symbol.iterator]();
  let enough = false;
  await Promise.all(Array.from({ length: processes }, work));

  async function work(): Promise<void> {
    let hand: Hand | undefined;
    for (let done = 0; !enough; done += 1) {
      const next = iterator.next();
      if (next.done) break;
      if (hand?.ended === true || done % TRIALS_EACH === 0) {
        hand?.dismiss();
        hand = undefined;
      }
      hand ??= new Hand(module, patience);
      if (onReport(await hand.do(next.value), next.value) === "enough") enough = true;
    }
    hand?.dismiss();
  }
}

class Hand {
  ended = false;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #patience: number;
  #waiting: ((report: Report) => void) | undefined;

  constructor(module: string | undefined, patience: number) {
    this.#patience = patience;
    const more = module === undefined ? [] : [module];
    this.#child = spawn(process.execPath, [PROCESS, ...more], { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: this.#child.stdout });
    lines.on("line", (line) => this.#answer(JSON.parse(line) as Report));
    this.#child.on("exit", (code, signal) => {
      this.ended = true;
      this.#answer({ threw: `the process ended: ${signal ?? `code ${code}`}` });
    });
  }

  async do(job: Job): Promise<Report> {
    const { promise, resolve } = Promise.withResolvers<Report>();
    this.#waiting = resolve;
    const timer = setTimeout(() => this.#giveUp(), this.#patience * 1000);
    this.#child.stdin.write(`${JSON.stringify(job)}\n`);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  dismiss(): void {
    this.#child.stdin.end();
  }

  #giveUp(): void {
    this.ended = true;
    this.#child.kill("SIGKILL");
    this.#answer({ threw: `no end within ${this.#patience} s` });
  }

  #answer(report: Report): void {
    this.#waiting?.(report);
    this.#waiting = undefined;
  }
}
