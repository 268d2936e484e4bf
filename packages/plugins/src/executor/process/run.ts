// One run of a program, from its start to the end of its last descendant. The outcome is told as soon as it is known; what then
// still lives is ended behind it.

import { type Fault, FaultError, fault, type Logger } from "@capstan/orchestrator";
import { quote } from "../../registry/quote.ts";
import { collectAll, collectEnd } from "./collected.ts";
import type { Command } from "./command.ts";
import { Family } from "./family.ts";
import { RUN_VARIABLE } from "./process-schema.ts";

export interface Ran {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: Uint8Array;
  /** The end of it. */
  readonly stderr: Uint8Array;
}

export interface Run {
  /** Rejects with the signal's reason once it is aborted. @throws FaultError */
  readonly outcome: Promise<Ran>;
  /** Once none of its processes is left. */
  readonly over: Promise<void>;
  /** Ends them without waiting for them to. */
  kill(): void;
}

export interface RunOptions {
  /** No other run's, of any node. */
  readonly id: string;
  readonly maxBytes: number;
  readonly stderrBytes: number;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** How long the output of a program that ended may be held open by what nobody can find. */
const HELD_OPEN_MS = 500;

/** @throws FaultError PROCESS_FAILED if it cannot be started */
export function start({ argv, cwd, env, stdin }: Command, options: RunOptions): Run {
  const { id, maxBytes, stderrBytes, signal, log } = options;
  signal.throwIfAborted();
  const outcome = Promise.withResolvers<Ran>();
  const child = spawned();
  const family = new Family(child.pid, id);
  const stderr = collectEnd(child.stderr, stderrBytes);
  const stdout = collectAll(child.stdout, maxBytes, () => {
    outcome.reject(new FaultError(tooLarge(argv[0] as string, maxBytes)));
    void end();
  });
  const abort = () => {
    outcome.reject(signal.reason);
    void end();
  };
  signal.addEventListener("abort", abort, { once: true });
  let ending: Promise<void> | undefined;
  const over = finish();
  return {
    outcome: outcome.promise,
    over,
    kill() {
      outcome.reject(new FaultError(fault("PROCESS_FAILED", `${quote(argv[0] as string)} was ended: the node stops`)));
      void end(0);
    },
  };

  async function finish(): Promise<void> {
    await child.exited;
    family.leaderExited();
    signal.removeEventListener("abort", abort);
    const read = Promise.all([stdout.ended, stderr.ended]);
    const heldOpen = await isPending(read);
    // Whatever it left ends with it; only where that holds the output open is it waited for.
    const left = end(0);
    if (heldOpen) {
      await Promise.race([read, left.then(() => Bun.sleep(HELD_OPEN_MS))]);
      stdout.stop();
      stderr.stop();
      await read;
    }
    const { exitCode: code, signalCode } = child;
    outcome.resolve({
      code,
      signal: signalCode === null ? null : String(signalCode),
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
    });
    await left;
  }

  function end(grace?: number): Promise<void> {
    const before = ending;
    ending = family.end(grace).then(async (all) => {
      await before;
      if (!all) log.warn({ pid: child.pid, program: argv[0] }, "a program's process could not be ended");
    });
    return ending;
  }

  function spawned() {
    try {
      return Bun.spawn({
        cmd: [...argv],
        cwd,
        env: { ...env, [RUN_VARIABLE]: id },
        // A session of its own: it has no terminal, and its group is its family's core.
        detached: true,
        stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
        stdout: "pipe",
        stderr: "pipe",
      });
    } catch (thrown) {
      const code = (thrown as { code?: unknown }).code;
      const why = typeof code === "string" ? code : "for no known reason";
      throw new FaultError(fault("PROCESS_FAILED", `${quote(argv[0] as string)} could not be started: ${why}`));
    }
  }
}

/** After what is on its way has come: the ends of pipes are seen right after the exit. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  return (await Promise.race([promise, Bun.sleep(5).then(() => pending)])) === pending;
}

function tooLarge(program: string, most: number): Fault {
  return fault("PROCESS_OUTPUT_TOO_LARGE", `${quote(program)} wrote more than "maxBytes", ${most}, and was ended`);
}
