// A node that `capstan serve` runs in this process, in a directory of its own, and the commands that are given in it.

import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./index.ts";
import type { Io } from "./io.ts";
import { type TestIo, testIo } from "./test-io.ts";

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A command that goes on. */
export interface Going {
  readonly io: TestIo;
  /** Once its output has what is waited for: of standard output alone where a function says so. */
  shows(what: string | RegExp | ((out: string) => boolean)): Promise<void>;
  /** Ctrl-C, and what it comes to. */
  stop(): Promise<Ended>;
}

export function directory(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), "capstan-node-")));
}

/** Runs a command to its end; nobody presses Ctrl-C. */
export async function capstanIn(cwd: string, argv: readonly string[], over: Partial<Io> = {}): Promise<Ended> {
  const io: TestIo = { ...testIo(), cwd, stopped: () => new Promise(() => {}), ...over };
  const code = await run(argv, io);
  return { code, out: io.out(), err: io.err() };
}

export function start(cwd: string, argv: readonly string[], over: Partial<Io> = {}): Going {
  const plain = testIo();
  const interrupt = Promise.withResolvers<void>();
  const watchers = new Set<() => void>();
  const heard = (write: (text: string) => void) => (text: string) => {
    write(text);
    for (const watch of watchers) watch();
  };
  const io: TestIo = {
    ...{ ...plain, cwd, stopped: () => interrupt.promise },
    ...{ stdout: heard(plain.stdout), stderr: heard(plain.stderr), ...over },
  };
  const ended = run(argv, io).then((code) => ({ code, out: io.out(), err: io.err() }));
  return {
    io,
    async shows(what) {
      const there = (): boolean => {
        if (typeof what === "function") return what(io.out());
        return typeof what === "string" ? io.out().includes(what) : what.test(io.out() + io.err());
      };
      if (there()) return;
      const shown = new Promise<void>((resolve) => {
        const watch = (): void => {
          if (!there()) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
      });
      const early = ended.then((end) => {
        if (!there()) throw new Error(`it ended without showing ${what}: ${JSON.stringify(end)}`);
      });
      // Whoever is told first has heard of it.
      early.catch(() => {});
      await Promise.race([shown, early]);
    },
    stop() {
      interrupt.resolve();
      return ended;
    },
  };
}

export interface ServedNode extends AsyncDisposable {
  readonly cwd: string;
  readonly url: string;
  capstan(...argv: string[]): Promise<Ended>;
  start(...argv: string[]): Going;
  stop(): Promise<Ended>;
}

export async function servedNode(
  cwd = directory(),
  argv: readonly string[] = [],
  over: Partial<Io> = {},
): Promise<ServedNode> {
  const words = ["serve", "--listen", "127.0.0.1:0", "--json", "--log-level", "silent", ...argv];
  const going = start(cwd, words, over);
  await going.shows('"url"');
  const { url } = JSON.parse(going.io.out()) as { url: string };
  let ended: Promise<Ended> | undefined;
  const stop = (): Promise<Ended> => {
    ended ??= going.stop();
    return ended;
  };
  return {
    ...{ cwd, url, stop },
    capstan: (...argv) => capstanIn(cwd, argv),
    start: (...argv) => start(cwd, argv),
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}
