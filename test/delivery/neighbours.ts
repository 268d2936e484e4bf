// What one subscriber that never reads, and one that never answers, do to everybody else: the time from asking for a performing to
// being handed its publication, of the same neighbours with and without the two, by turns.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Batch } from "@capstan/plugins";
import { type Address, openSession, startNode } from "./node-process.ts";
import { TOPIC } from "./subscriber.ts";

export interface Neighbours {
  /** Milliseconds: the median of the rounds. */
  readonly alone: { readonly p50: number; readonly p99: number };
  readonly beside: { readonly p50: number; readonly p99: number };
  /** The median of the rounds' ratios of p99. */
  readonly ratio: number;
  readonly samples: number;
}

export interface NeighboursOptions {
  readonly rounds: number;
  readonly followers?: number;
  readonly publications?: number;
  /** Milliseconds between two. */
  readonly every?: number;
}

interface Round {
  readonly p50: number;
  readonly p99: number;
  readonly samples: number;
}

export async function measureNeighbours(options: NeighboursOptions): Promise<Neighbours> {
  const { rounds, followers = 16, publications = 300, every = 3 } = options;
  const directory = mkdtempSync(join(tmpdir(), "capstan-neighbours-"));
  const node = await startNode(directory);
  const session = openSession(node);
  let times: number[] = [];
  try {
    await session.scope.action.register({ name: "tick", protocol: "echo", idempotent: true });
    for (let i = 0; i < followers; i++) {
      await openSession(node).scope.subscription.follow({
        topic: TOPIC,
        callback: ({ publications: handed }: Batch) => {
          const now = performance.now();
          for (const { data } of handed) times.push(now - (data as { readonly t: number }).t);
        },
      });
    }
    const round = async (): Promise<Round> => {
      times = [];
      for (let n = 0; n < publications; n++) {
        const until = performance.now() + every;
        await session.scope.action.perform({ name: "tick", input: { n, t: performance.now() } });
        await Bun.sleep(Math.max(0, until - performance.now())); // the pace is what is measured at
      }
      while (times.length < publications * followers) await Bun.sleep(5);
      const sorted = times.sort((a, b) => a - b);
      return { p50: at(sorted, 0.5), p99: at(sorted, 0.99), samples: sorted.length };
    };
    await round(); // the compiler's
    const alone: Round[] = [];
    const beside: Round[] = [];
    for (let i = 0; i < rounds; i++) {
      // Who goes second meets another machine: they take turns at that.
      for (const stuck of i % 2 === 0 ? [false, true] : [true, false]) {
        if (!stuck) {
          alone.push(await round());
          continue;
        }
        const letGo = await twoThatAreStuck(node);
        beside.push(await round());
        await letGo();
      }
    }
    const of = (side: readonly Round[]) => ({
      p50: median(side.map(({ p50 }) => p50)),
      p99: median(side.map(({ p99 }) => p99)),
    });
    return {
      alone: of(alone),
      beside: of(beside),
      ratio: median(beside.map(({ p99 }, i) => p99 / (alone[i] as Round).p99)),
      samples: [...alone, ...beside].reduce((sum, { samples }) => sum + samples, 0),
    };
  } finally {
    session.close();
    await node.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One that never answers, and one whose process is stopped, so that it never reads. */
async function twoThatAreStuck(address: Address): Promise<() => Promise<void>> {
  const session = openSession(address);
  await session.scope.subscription.follow({ topic: TOPIC, callback: () => new Promise(() => {}) });
  const follows = Promise.withResolvers<void>();
  const script = new URL("./stuck.ts", import.meta.url).pathname;
  const child = Bun.spawn([process.execPath, script, address.url, address.token], {
    stdio: ["ignore", "inherit", "inherit"],
    ipc: () => follows.resolve(),
  });
  await follows.promise;
  child.kill("SIGSTOP");
  return async () => {
    session.tear();
    child.kill("SIGKILL");
    await child.exited;
  };
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  return at(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
