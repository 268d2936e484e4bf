// One run of a script, as the node sees it: a turn in the pool, the watchdog over it, and an answer to whatever its guest
// asks for. Times that the guest is owed an answer are not its own.

import { FaultError, fault } from "@capstan/orchestrator";
import type { SandboxPool, Turn } from "./sandbox-pool.ts";
import {
  type CompileMessage,
  type Outcome,
  type PlainFault,
  type RunMessage,
  type Said,
  WALL_FACTOR,
  type What,
} from "./script-messages.ts";

/** Beyond its time, until a process that did not stop its guest is killed. */
const GRACE_MS = 100;

/** Done for the guest: JSON to JSON. A FaultError is what it is told; anything else stays here. */
export type Doer = (what: What, data: unknown) => Promise<unknown>;

export interface RunEvents {
  readonly signal: AbortSignal;
  log(level: "info" | "warn", text: string): void;
  do: Doer;
}

type Job = Omit<RunMessage, "run"> | Omit<CompileMessage, "run">;

let runs = 0;

/** @throws FaultError */
export async function runScript(pool: SandboxPool, job: Job, events: RunEvents): Promise<Outcome> {
  const turn = await pool.take(events.signal);
  return new Promise((resolve, reject) => new ScriptRun(turn, job, events, resolve, reject));
}

class ScriptRun {
  readonly #run = ++runs;
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  /** Of the process, when the guest's present stretch began. */
  #cpuBefore: number | undefined;
  #latest = 0;
  #spent = 0;
  #sent = 0;
  #over = false;
  #answers: { readonly ask: number; readonly value?: string; readonly fault?: PlainFault }[] = [];

  constructor(
    private readonly turn: Turn,
    private readonly job: Job,
    private readonly events: RunEvents,
    private readonly resolve: (outcome: Outcome) => void,
    private readonly reject: (thrown: unknown) => void,
  ) {
    turn.process.events = { said: (said) => this.#said(said), gone: () => this.#gone() };
    events.signal.addEventListener("abort", this.#abort, { once: true });
    turn.process.send({ ...job, run: this.#run });
  }

  #said(said: Said): void {
    if (said.run !== this.#run || this.#over) return;
    switch (said.kind) {
      case "started":
        this.#watch();
        return;
      case "ask":
        void this.#do(said.ask, said.what, said.data);
        return;
      case "log":
        this.events.log(said.level, said.text);
        return;
      case "waiting":
        // Otherwise an answer is on its way there.
        if (said.answered < this.#sent) return;
        this.#spent = said.spent;
        clearTimeout(this.#watchdog);
        this.turn.pause();
        if (this.#answers.length > 0) this.turn.resume(this.#flush);
        return;
      case "ended":
        this.#end(!said.retire);
        this.resolve(said.outcome);
        return;
      default:
        said satisfies never;
    }
  }

  async #do(ask: number, what: What, data: string): Promise<void> {
    let answer: { readonly value?: string; readonly fault?: PlainFault };
    try {
      const value = await this.events.do(what, JSON.parse(data));
      answer = value === undefined ? {} : { value: JSON.stringify(value) };
    } catch (thrown) {
      answer = {
        fault: thrown instanceof FaultError ? plain(thrown) : { code: "INTERNAL", message: `${what} failed` },
      };
    }
    if (this.#over) return;
    this.#answers.push({ ask, ...answer });
    this.turn.resume(this.#flush);
  }

  readonly #flush = (): void => {
    if (this.#over) return;
    const answers = this.#answers.splice(0);
    if (answers.length === 0) return;
    for (const answer of answers) this.turn.process.send({ kind: "answer", run: this.#run, ...answer });
    this.#sent += answers.length;
    this.#watch();
  };

  #watch(): void {
    clearTimeout(this.#watchdog);
    this.#cpuBefore = this.turn.process.cpu();
    this.#latest = performance.now() + this.job.limits.time * WALL_FACTOR;
    this.#setWatchdog(this.job.limits.time - this.#spent);
  }

  #setWatchdog(left: number): void {
    this.#watchdog = setTimeout(() => this.#late(), left + GRACE_MS);
  }

  /** It does not come back. Where others had the processor, it has time left. */
  #late(): void {
    const cpu = this.turn.process.cpu();
    const used = cpu === undefined || this.#cpuBefore === undefined ? Number.POSITIVE_INFINITY : cpu - this.#cpuBefore;
    const left = Math.min(this.job.limits.time - this.#spent - used, this.#latest - performance.now());
    if (left > 0) {
      this.#setWatchdog(left);
      return;
    }
    this.#end(false);
    const message = `it ran for more than ${this.job.limits.time} ms`;
    this.resolve({ kind: "fault", fault: { code: "SCRIPT_TIME", message } });
  }

  readonly #abort = (): void => {
    if (this.#over) return;
    // A guest that waits is dropped; one that computes may not listen.
    const listens = !this.turn.computes;
    if (listens) this.turn.process.send({ kind: "stop", run: this.#run });
    this.#end(listens);
    this.reject(new FaultError(fault("CANCELLED", "it was stopped")));
  };

  #gone(): void {
    if (this.#over) return;
    this.#end(false);
    this.reject(new FaultError(fault("SCRIPT_LOST", "the process that ran it died")));
  }

  #end(usable: boolean): void {
    this.#over = true;
    clearTimeout(this.#watchdog);
    this.events.signal.removeEventListener("abort", this.#abort);
    this.turn.end(usable);
  }
}

function plain({ code, message, details }: FaultError): PlainFault {
  return details === undefined ? { code, message } : { code, message, details };
}
