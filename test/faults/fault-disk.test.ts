// That the disk which fails does what the tests on it rely on.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FaultDisk, mountDisk } from "./fault-disk.ts";
import { whyNotMountable } from "./mountable.ts";

const why = whyNotMountable();

/** The system's code that `work` throws with. */
function codeOf(work: () => unknown): string {
  try {
    work();
    return "ok";
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
}

if (why !== undefined) {
  test(`NOT SHOWN ON THIS MACHINE, what a disk that fails does: ${why}`, () => expect(whyNotMountable()).toBe(why));
} else {
  let directory: string;
  let disk: FaultDisk;
  let file: number;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "capstan-disk-"));
    disk = await mountDisk(directory);
    file = openSync(join(disk.path, "file"), "w+");
  });

  afterEach(async () => {
    closeSync(file);
    await disk.close();
    rmSync(directory, { recursive: true });
  });

  const seen = (): string => readFileSync(join(disk.path, "file"), "utf8");
  const kept = (): string => readFileSync(join(disk.platter, "file"), "utf8");

  describe("without a fault", () => {
    test("what is written is seen at once, and on the platter after a flush", () => {
      writeSync(file, "before", 0);
      fsyncSync(file);
      writeSync(file, "behind", 0);
      expect([seen(), kept()]).toEqual(["behind", "before"]);
      fsyncSync(file);
      expect(kept()).toBe("behind");
    });

    test("names, lengths and modes are those of the platter at once", () => {
      writeFileSync(join(disk.path, "old"), "x", { mode: 0o640 });
      renameSync(join(disk.path, "old"), join(disk.path, "new"));
      expect(readdirSync(disk.path).sort()).toEqual(["file", "new"]);
      expect(readdirSync(disk.platter).sort()).toEqual(["file", "new"]);
      expect(statSync(join(disk.path, "new")).mode & 0o777).toBe(0o640);
    });

    test("what was done is told in order", async () => {
      await disk.report(true);
      writeSync(file, "abc", 0);
      fsyncSync(file);
      const told = (await disk.report(false)).map(({ operation, path, size }) => [operation, path, size]);
      expect(told).toEqual([
        ["write", "file", 3],
        ["flush", "file", undefined],
      ]);
    });
  });

  test.each(["EIO", "EROFS", "ENOSPC"] as const)(
    "a fault answers %s to what it is on, and to nothing else",
    async (errno) => {
      writeSync(file, "there", 0);
      await disk.fault({ on: ["write", "flush", "change"], errno, path: "^file$" });
      const other = join(disk.path, "other");
      expect([codeOf(() => writeSync(file, "x", 0)), codeOf(() => fsyncSync(file))]).toEqual([errno, errno]);
      expect(codeOf(() => openSync(join(disk.path, "file"), "r+"))).toBe(errno);
      expect([codeOf(() => writeFileSync(other, "x")), seen()]).toEqual(["ok", "there"]);
      expect(await disk.fault()).toBe(3);
      expect(codeOf(() => writeSync(file, "x", 0))).toBe("ok");
    },
  );

  test("after so many bytes: the last write is cut short, and the next fails", async () => {
    await disk.fault({ on: ["write"], errno: "ENOSPC", after: 5 });
    expect([writeSync(file, "abc"), writeSync(file, "def"), codeOf(() => writeSync(file, "ghi"))]).toEqual([
      3,
      2,
      "ENOSPC",
    ]);
    expect(seen()).toBe("abcde");
  });

  test.each([
    ["keep", "behind", "before"],
    ["drop", "before", "before"],
    ["written", "behind", "behind"],
  ] as const)("a flush that fails, %s: what is seen, and what a later flush leaves", async (loss, sight, left) => {
    writeSync(file, "before", 0);
    fsyncSync(file);
    writeSync(file, "behind", 0);
    await disk.fault({ on: ["flush"], errno: "EIO", loss });
    expect(codeOf(() => fsyncSync(file))).toBe("EIO");
    await disk.fault();
    fsyncSync(file);
    expect([seen(), kept()]).toEqual([sight, left]);
    // Whoever writes to the page again has it written.
    writeSync(file, "b", 0);
    fsyncSync(file);
    expect(kept()).toBe(sight);
  });

  test("a flush that is held is done when it is released, and not before", async () => {
    writeSync(file, "held", 0);
    await disk.hold("^file$");
    const flush = Bun.spawn(["sync", join(disk.path, "file")]);
    expect(await disk.nextHeld()).toMatchObject({ held: "file" });
    expect(kept()).not.toBe("held");
    await disk.release();
    expect([await flush.exited, kept()]).toEqual([0, "held"]);
  });

  test("when the power is cut, what was not flushed is gone", async () => {
    writeSync(file, "before", 0);
    fsyncSync(file);
    writeSync(file, "behind", 0);
    await disk.cut();
    expect([seen(), kept()]).toEqual(["before", "before"]);
  });
}
