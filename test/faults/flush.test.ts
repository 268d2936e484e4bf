// A flush that fails, and what the disk has afterwards. Kernels call the pages clean that they could not write: they are seen, and
// no later flush writes them (ADR 0014). Each test kills the process, cuts the power, and opens what is left.

import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteLog } from "@capstan/orchestrator";
import { linesOf } from "../chaos/lines.ts";
import { LOSSES, type Loss } from "./cached-file.ts";
import { type FaultDisk, mountDisk } from "./fault-disk.ts";
import { whyNotMountable } from "./mountable.ts";

setDefaultTimeout(60_000);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function newDisk(): Promise<FaultDisk> {
  const directory = mkdtempSync(join(tmpdir(), "capstan-flush-"));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  const disk = await mountDisk(directory);
  cleanups.push(() => disk.close());
  return disk;
}

const LOG_PROCESS = new URL("./log-process.ts", import.meta.url).pathname;

/** A process that has the log on the disk open, and the head that it found. */
async function openOn(disk: FaultDisk) {
  const command = [process.execPath, LOG_PROCESS, join(disk.path, "log.db")];
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  cleanups.push(kill);
  const lines = linesOf<{ readonly head?: number; readonly failed?: string }>(child.stdout);
  const next = async () => (await lines.next()).value ?? {};

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await child.exited;
  }
  async function append(text: string): Promise<"ok" | "failed"> {
    child.stdin.write(`${text}\n`);
    child.stdin.flush();
    return (await next()).head === undefined ? "failed" : "ok";
  }
  return { head: (await next()).head, append, kill };
}

/** The power is cut; what the platter then has, as the keys of its entries' rows. */
async function left(disk: FaultDisk): Promise<readonly string[]> {
  await disk.cut();
  const log = sqliteLog(join(disk.platter, "log.db"));
  cleanups.push(() => log.close());
  expect(log.damage).toBeUndefined();
  return (await log.rows("text")).map(({ key }) => key);
}

const failing = (loss: Loss) => ({ on: ["flush"] as const, errno: "EIO" as const, loss });
const why = whyNotMountable();

if (why !== undefined) {
  test(`NOT SHOWN ON THIS MACHINE, what a failed flush leaves: ${why}`, () => expect(whyNotMountable()).toBe(why));
} else {
  describe.each(LOSSES)("a flush that fails, and what it should have written is lost as by %s", (loss) => {
    test("undoes its group; what the same process acknowledges after it is durable", async () => {
      const disk = await newDisk();
      const log = await openOn(disk);
      expect(await log.append("a")).toBe("ok");
      await disk.fault(failing(loss));
      expect([await log.append("b"), await log.append("c")]).toEqual(["failed", "failed"]);
      await disk.fault();
      expect([await log.append("d"), await log.append("e")]).toEqual(["ok", "ok"]);
      await log.kill();
      expect(await left(disk)).toEqual(["a", "d", "e"]);
    });

    test("does not come back in the next process, and what that acknowledges is durable", async () => {
      const disk = await newDisk();
      const first = await openOn(disk);
      expect(await first.append("a")).toBe("ok");
      await disk.fault(failing(loss));
      expect(await first.append("b")).toBe("failed");
      await first.kill();
      await disk.fault();
      const second = await openOn(disk);
      expect(second.head).toBe(1);
      expect([await second.append("c"), await second.append("d")]).toEqual(["ok", "ok"]);
      await second.kill();
      expect(await left(disk)).toEqual(["a", "c", "d"]);
    });

    test("is no more on the disk where the next process cannot write at first", async () => {
      const disk = await newDisk();
      const first = await openOn(disk);
      expect(await first.append("a")).toBe("ok");
      await disk.fault(failing(loss));
      expect(await first.append("b")).toBe("failed");
      await first.kill();
      // The main file takes nothing: what is in the WAL cannot be written back, and so nothing may be put behind it.
      await disk.fault({ on: ["write"], errno: "ENOSPC", path: "^log\\.db$" });
      const second = await openOn(disk);
      expect([second.head, await second.append("c")]).toEqual([1, "failed"]);
      await disk.fault();
      expect(await second.append("d")).toBe("ok");
      await second.kill();
      expect(await left(disk)).toEqual(["a", "d"]);
    });
  });

  test("a disk that calls flushed what it has not loses what was acknowledged: so that these tests can fail", async () => {
    const disk = await newDisk();
    const log = await openOn(disk);
    await disk.lie();
    expect(await log.append("a")).toBe("ok");
    await log.kill();
    expect(await left(disk)).toEqual([]);
  });
}
