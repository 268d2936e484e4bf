// The line that is written over itself: only where somebody sits before it, with a pace once there is one, never wider than the
// terminal; and what a long wait says of itself.

import { describe, expect, test } from "bun:test";
import { Cli } from "../cli.ts";
import type { Io } from "../io.ts";
import { type TestIo, testIo } from "../test-io.ts";
import { progressOn, spanText } from "./progress.ts";
import { waitingAt } from "./waiting.ts";

const ERASE = "\r\u001b[2K";

function terminal(over: Partial<Io> = {}): TestIo {
  const io = testIo();
  return { ...io, terminal: { stdout: true, stderr: true, columns: () => 100 }, ...over };
}

/** What is on the line after each step of work that takes so many milliseconds. */
function linesOf(io: TestIo, steps: readonly (readonly [ms: number, done: number, of: number])[]): string[] {
  let now = 0;
  const progress = progressOn(new Cli(io), "backing up", () => now);
  for (const [at, done, of] of steps) {
    now = at;
    progress.show(done, of);
  }
  progress.end();
  return io.err().split(ERASE).slice(1);
}

describe("progress", () => {
  test("says how much, how fast and how much longer, and takes itself away", () => {
    expect(
      linesOf(terminal(), [
        [0, 0, 100_000],
        [50, 1000, 100_000],
        [500, 10_000, 100_000],
        [2000, 40_000, 100_000],
        [5000, 100_000, 100_000],
      ]),
    ).toEqual([
      "backing up 0 of 100,000 entries (0 %)",
      "backing up 10,000 of 100,000 entries (10 %)",
      "backing up 40,000 of 100,000 entries (40 %)   20,000/s, 3 s left",
      "backing up 100,000 of 100,000 entries (100 %)   20,000/s",
      "",
    ]);
  });

  test("begins anew where the work does", () => {
    const lines = linesOf(terminal(), [
      [0, 0, 10],
      [2000, 9, 10],
      [3000, 0, 10],
      [5000, 4, 10],
    ]);
    expect(lines[3]).toBe("backing up 4 of 10 entries (40 %)   2/s, 3 s left");
  });

  test("is not wider than the terminal, and shows nothing of nothing as done", () => {
    const io = terminal({ terminal: { stdout: true, stderr: true, columns: () => 20 } });
    expect(linesOf(io, [[0, 1, 2]])[0]).toBe("backing up 1 of 2 …");
    const unknown = terminal({ terminal: { stdout: true, stderr: true, columns: () => 0 } });
    expect(linesOf(unknown, [[0, 1, 2]])[0]).toBe("backing up 1 of 2 entries (50 %)");
    expect(linesOf(terminal(), [[0, 0, 0]])[0]).toBe("backing up 0 of 0 entries (100 %)");
  });

  test("is nothing where nobody sits, where the terminal cannot, and with --json", () => {
    const steps = [[0, 1, 2]] as const;
    expect(linesOf(testIo(), steps)).toEqual([]);
    expect(linesOf(terminal({ env: { TERM: "dumb" } }), steps)).toEqual([]);
    const io = terminal();
    const cli = new Cli(io);
    cli.printer.json = true;
    progressOn(cli, "x").show(1, 2);
    expect(io.err()).toBe("");
  });

  test("tells spans as people do", () => {
    expect([0.2, 59, 60, 200, 7500].map(spanText)).toEqual(["1 s", "59 s", "1 min 0 s", "3 min 20 s", "2 h 5 min"]);
  });
});

describe("a wait", () => {
  const known = { what: "x-1", attach: "capstan message attach m-1" };

  /** Timers that run at once, so often. */
  function impatient(times: number, over: Partial<Io> = {}): TestIo {
    let left = times;
    const after: Io["after"] = (_, call) => {
      if (left-- > 0) queueMicrotask(call);
      return () => {};
    };
    return terminal({ after, stopped: () => new Promise(() => {}), ...over });
  }

  test("says for what once it takes long, and takes itself away", async () => {
    const io = impatient(40);
    const waiting = waitingAt(new Cli(io), async () => known);
    const work = Promise.withResolvers<string>();
    const answer = waiting.of(work.promise);
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    work.resolve("done");
    expect(await answer).toBe("done");
    waiting.end();
    expect(io.err()).toContain("⠋ waiting   1 s");
    expect(io.err()).toContain("⠙ waiting for x-1   1 s   Ctrl-C leaves it to go on");
    expect(io.err()).toEndWith(ERASE);
  });

  test("that is stopped says how to wait again, and leaves the work to go on", async () => {
    const stop = Promise.withResolvers<void>();
    const io = impatient(3, { stopped: () => stop.promise });
    const waiting = waitingAt(new Cli(io), async () => known);
    const answer = waiting.of(new Promise(() => {}));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    stop.resolve();
    await expect(answer).rejects.toMatchObject({
      code: "DETACHED",
      message: "x-1 is no longer waited for, and goes on; to wait again: capstan message attach m-1",
    });
  });

  test("that is over soon, or that nobody sees, says nothing", async () => {
    const quick = impatient(0);
    const waiting = waitingAt(new Cli(quick), async () => known);
    expect(await waiting.of(Promise.resolve(1))).toBe(1);
    waiting.end();
    expect(quick.err()).toBe("");
    const unseen = testIo();
    expect(await waitingAt(new Cli(unseen), async () => known).of(Promise.resolve(2))).toBe(2);
    expect(unseen.err()).toBe("");
  });
});
