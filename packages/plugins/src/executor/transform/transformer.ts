// Transforms, evaluated in workers that are killed when one takes too long: neither recursion nor a regular expression of a
// registrant's can hold up the node. Workers start when there is something to do, and take one expression at a time each.

import { type Fault, FaultError, fault, printable, systemTimers, type Timers } from "@capstan/orchestrator";
import { type Answered, type Asked, type Bounds, workerText } from "./transform-worker.ts";

export interface TransformerOptions {
  /** Workers at most. */
  readonly workers?: number;
  /** Milliseconds that one evaluation may take. */
  readonly deadline?: number;
  readonly timers?: Timers;
}

export interface Transformer {
  /** Why a text is no expression, and where; `undefined` where it is one. */
  check(expression: string): Promise<string | undefined>;
  /** What becomes of `input`, which is plain data. @throws FaultError TRANSFORM_FAILED, or the signal's reason */
  evaluate(expression: string, input: unknown, bindings: object, signal: AbortSignal): Promise<unknown>;
  stop(): void;
}

interface Job {
  readonly asked: Asked;
  resolve(answered: Answered): void;
  reject(reason: unknown): void;
}

interface Seat {
  readonly worker: Bun.Worker;
  ready: boolean;
  job: Job | undefined;
  stopTimer: (() => void) | undefined;
}

const WORKERS = 2;
const DEADLINE_MS = 1000;
/** Until a worker can be asked, on a machine that has much else to do. */
const START_MS = 30_000;
/** The same as an output's. */
const MOST_CHARACTERS = 4 * 1024 * 1024;
const BOUNDS: Omit<Bounds, "timeout"> = {
  ...{ stack: 500, sequence: 1_000_000, expressions: 200, width: 10_000 },
  // Each step that touches a text counts it: the largest may go through some thirty.
  ...{ output: MOST_CHARACTERS, texts: 32 * MOST_CHARACTERS },
};

export function createTransformer(options: TransformerOptions = {}): Transformer {
  const { workers = WORKERS, deadline = DEADLINE_MS, timers = systemTimers } = options;
  const seats = new Set<Seat>();
  /** By expression: each has its turn, however much waits for one of them. */
  const waiting = new Map<string, Set<Job>>();
  let address: string | undefined;

  function start(): Seat {
    address ??= URL.createObjectURL(
      new Blob([workerText({ ...BOUNDS, timeout: deadline })], { type: "text/javascript" }),
    );
    const worker = new Worker(address) as unknown as Bun.Worker;
    const seat: Seat = { worker, ready: false, job: undefined, stopTimer: undefined };
    worker.onmessage = (event) => {
      const { data } = event as unknown as { readonly data: Answered };
      seat.stopTimer?.();
      if (data.ready) {
        seat.ready = true;
        if (seat.job !== undefined) limit(seat, deadline);
        return;
      }
      const { job } = seat;
      seat.job = undefined;
      // It alone keeps no program running.
      worker.unref();
      job?.resolve(data);
      advance();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(seat, failed("the worker broke"));
    };
    seats.add(seat);
    return seat;
  }

  function limit(seat: Seat, ms: number): void {
    seat.stopTimer = timers.after(ms, () => end(seat, failed(`it took longer than ${ms} ms, and was stopped`)));
  }

  function end(seat: Seat, reason: Fault): void {
    if (!seats.delete(seat)) return;
    seat.stopTimer?.();
    seat.worker.terminate();
    seat.job?.reject(new FaultError(reason));
    advance();
  }

  function advance(): void {
    for (;;) {
      const idle = [...seats].find(({ job }) => job === undefined);
      if (idle === undefined && seats.size >= workers) return;
      const job = takeNext();
      if (job === undefined) return;
      const seat = idle ?? start();
      seat.job = job;
      seat.worker.ref();
      limit(seat, seat.ready ? deadline : START_MS);
      seat.worker.postMessage(job.asked);
    }
  }

  /** One expression is evaluated in one worker at a time, so that a bad one leaves the others to the rest. */
  function takeNext(): Job | undefined {
    const busy = new Set([...seats].map(({ job }) => job?.asked.expression));
    for (const [expression, jobs] of waiting) {
      if (busy.has(expression)) continue;
      const [job] = jobs as Iterable<Job> as [Job];
      waiting.delete(expression);
      jobs.delete(job);
      if (jobs.size > 0) waiting.set(expression, jobs);
      return job;
    }
    return undefined;
  }

  function ask(asked: Asked, signal?: AbortSignal): Promise<Answered> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        const jobs = waiting.get(asked.expression);
        if (jobs?.delete(job) && jobs.size === 0) waiting.delete(asked.expression);
        // One that runs ends by itself, or by its deadline.
        reject(signal?.reason);
      };
      const over = () => signal?.removeEventListener("abort", abort);
      const job: Job = {
        asked,
        resolve(answered) {
          over();
          resolve(answered);
        },
        reject(reason) {
          over();
          reject(reason);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      const jobs = waiting.get(asked.expression);
      if (jobs === undefined) waiting.set(asked.expression, new Set([job]));
      else jobs.add(job);
      advance();
    });
  }

  return {
    async check(expression) {
      const { problem } = await ask({ expression, check: true });
      return problem === undefined ? undefined : said(problem);
    },
    async evaluate(expression, input, bindings, signal) {
      const asked = { expression, input: JSON.stringify(input), bindings: JSON.stringify(bindings) };
      const { output, problem } = await ask(asked, signal);
      if (problem !== undefined) throw new FaultError(failed(said(problem)));
      if (output === undefined) return undefined;
      if (output.length > MOST_CHARACTERS) {
        throw new FaultError(failed(`it gave more than ${MOST_CHARACTERS} characters, which is the most`));
      }
      return JSON.parse(output) as unknown;
    },
    stop() {
      const left = [...waiting.values()].flatMap((jobs) => [...jobs]);
      waiting.clear();
      for (const job of left) job.reject(new FaultError(fault("STOPPING", "the node is stopping")));
      for (const seat of [...seats]) end(seat, fault("STOPPING", "the node is stopping"));
      if (address !== undefined) URL.revokeObjectURL(address);
      address = undefined;
    },
  };
}

function said({ message, position }: NonNullable<Answered["problem"]>): string {
  return printable(position === undefined ? message : `${message} (at character ${position})`, 400);
}

function failed(why: string): Fault {
  return fault("TRANSFORM_FAILED", why);
}
