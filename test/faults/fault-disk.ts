// A mounted disk that fails when it is told to, as a test holds it: a process of its own (disk-process.ts) over a plain
// directory, the platter, which has what was flushed and nothing else.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { linesOf } from "../chaos/lines.ts";
import type { Fault, Operation } from "./fault-rule.ts";
import type { Errno } from "./fuse-protocol.ts";

/** What the disk is told. */
export type Command = { readonly id: number } & Order;
type Order =
  | { readonly do: "fault"; readonly fault?: Fault }
  | { readonly do: "hold"; readonly path?: string }
  | { readonly do: "release" }
  | { readonly do: "report"; readonly on: boolean }
  | { readonly do: "failed" }
  | { readonly do: "lie" }
  | { readonly do: "settle" }
  | { readonly do: "cut"; readonly some: boolean };

/** An operation that the disk did, or failed. `nth` counts all of them. */
export interface Reported {
  readonly nth: number;
  readonly operation: Operation;
  readonly path: string;
  readonly size?: number;
  readonly error?: Errno;
}

interface Answer {
  readonly answer: number;
  /** Operations that failed since the fault was set. */
  readonly failed: number;
  /** Since they were last asked for. */
  readonly events: readonly Reported[];
}

/** A flush that waits to be released. */
export interface Held {
  readonly held: string;
  readonly nth: number;
}

/** What the disk says. */
export type Line = { readonly mounted: true } | { readonly refused: string } | Answer | Held;

export interface FaultDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly platter: string;
  /** From now on, or no more. Answers how many operations the fault before failed. */
  fault(fault?: Fault): Promise<number>;
  /** How many operations the fault failed so far. */
  failed(): Promise<number>;
  /** From now on flushes are answered and not done. */
  lie(): Promise<void>;
  /** Holds the flushes of matching files from now on; without a path, none any more, and those that are held are done. */
  hold(path?: string): Promise<void>;
  /** Does the flush that is held for longest. */
  release(): Promise<void>;
  /** The next held flush that was not asked for yet. */
  nextHeld(): Promise<Held>;
  /** Starts to report, or tells what was done since it was last asked. Comes after everything that was done before. */
  report(on: boolean): Promise<readonly Reported[]>;
  /** Everything that is seen on the disk reaches the platter. */
  settle(): Promise<void>;
  /** The power is cut: what was not flushed is gone; or, with `some`, any of it may have reached the platter. */
  cut(some?: boolean): Promise<void>;
  /** Unmounts; the platter stays. */
  close(): Promise<void>;
}

/** The program that is the disk. */
export const DISK_PROCESS = new URL("./disk-process.ts", import.meta.url).pathname;

/** Mounts a disk in `directory`; mountable.ts says whether this machine lets us. */
export async function mountDisk(directory: string, seed = 1): Promise<FaultDisk> {
  const [platter, path] = [join(directory, "platter"), join(directory, "disk")];
  for (const one of [platter, path]) mkdirSync(one, { recursive: true, mode: 0o700 });
  const child = Bun.spawn(
    [process.execPath, DISK_PROCESS, "--platter", platter, "--mount", path, "--seed", String(seed)],
    {
      stdin: "pipe",
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  const lines = linesOf<Line>(child.stdout);
  const first = await lines.next();
  if (first.done || !("mounted" in first.value)) throw new Error(`no disk at ${path}: ${JSON.stringify(first.value)}`);

  const asked = new Map<number, (answer: Answer) => void>();
  const held: Held[] = [];
  let waiting: ((held: Held) => void) | undefined;
  let lastId = 0;

  async function listen(): Promise<void> {
    for await (const line of lines) {
      if ("answer" in line) {
        asked.get(line.answer)?.(line);
        asked.delete(line.answer);
      } else if ("held" in line) {
        if (waiting === undefined) held.push(line);
        else waiting(line);
        waiting = undefined;
      }
    }
  }
  const listening = listen();

  function tell(order: Order): Promise<Answer> {
    const id = ++lastId;
    const answer = new Promise<Answer>((resolve) => asked.set(id, resolve));
    child.stdin.write(`${JSON.stringify({ id, ...order })}\n`);
    child.stdin.flush();
    return answer;
  }

  return {
    ...{ path, platter },
    fault: async (fault) => (await tell({ do: "fault", ...(fault === undefined ? {} : { fault }) })).failed,
    failed: async () => (await tell({ do: "failed" })).failed,
    lie: async () => void (await tell({ do: "lie" })),
    hold: async (matching) => void (await tell({ do: "hold", ...(matching === undefined ? {} : { path: matching }) })),
    release: async () => void (await tell({ do: "release" })),
    nextHeld: async () => held.shift() ?? new Promise<Held>((resolve) => (waiting = resolve)),
    report: async (on) => (await tell({ do: "report", on })).events,
    settle: async () => void (await tell({ do: "settle" })),
    cut: async (some = false) => void (await tell({ do: "cut", some })),
    async close() {
      child.stdin.end();
      await child.exited;
      await listening;
    },
  };
}
