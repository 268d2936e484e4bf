// The Dockerfile and the systemd unit, as far as they can be judged without an engine and without systemd running.
// test/packaging/try-image.sh and try-unit.sh go further, on a Debian with root.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compiled } from "./compiled.ts";

const ROOT = join(import.meta.dir, "..", "..");
const read = (path: string): Promise<string> => Bun.file(join(ROOT, path)).text();

describe("the Dockerfile", async () => {
  const lines = (await read("Dockerfile")).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const of = (instruction: string): string[] =>
    lines.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith("FROM ")));

  test("builds on bases whose release is said, in two stages, of which the last runs nothing", () => {
    for (const base of of("ARG")) expect(base).toMatch(/^[A-Z]+=docker\.io\/library\/[a-z]+:\d[\w.-]*$/);
    expect(of("FROM")).toEqual([expect.stringContaining(" AS build"), expect.stringContaining("BASE")]);
    expect(last.filter((line) => /^(RUN|ADD|SHELL) /.test(line))).toEqual([]);
  });

  test("runs as a user by number, who is not root", () => {
    expect(of("USER")).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)]);
  });

  test("needs no shell: what it runs are words, and its health check is a command of ours", async () => {
    for (const command of [...of("ENTRYPOINT"), ...of("CMD")]) expect(Array.isArray(JSON.parse(command))).toBe(true);
    const check = /CMD (\[.*\])$/.exec(of("HEALTHCHECK")[0] as string)?.[1] as string;
    const [program, ...words] = JSON.parse(check) as string[];
    expect(program).toBe("capstan");
    const help = Bun.spawnSync([await compiled(), "help", ...words], { env: {} });
    expect(help.stdout.toString()).toStartWith("Usage: capstan health ");
  });

  test("takes nothing into the build that is this machine's: packages, data, secrets, history", async () => {
    const ignored = (await read(".dockerignore")).split("\n");
    const kept = (await read(".gitignore")).split("\n").map((line) => `**/${line.replace(/\/$/, "")}`);
    expect(ignored).toEqual(expect.arrayContaining([".git", ...kept.filter((line) => line !== "**/")]));
  });
});

describe("the systemd unit", () => {
  const home = mkdtempSync(join(tmpdir(), "capstan-unit-"));
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const installed = Bun.which("systemd-analyze") !== null;

  test("gives the node more time to drain than it takes, and leaves memory that is executed alone", async () => {
    const unit = await read("deploy/capstan.service");
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(10);
    expect(unit).not.toMatch(/^MemoryDenyWriteExecute=(yes|true|1|on)$/m);
  });

  test(
    installed ? "is taken by systemd without a word" : "systemd-analyze is not installed here: not verified",
    async () => {
      const path = join(home, "capstan.service");
      writeFileSync(path, (await read("deploy/capstan.service")).replace(/(?<=^ExecStart=)\S+/m, await compiled()));
      if (!installed) return;
      const verified = Bun.spawnSync(["systemd-analyze", "verify", "--man=no", path]);
      expect([verified.exitCode, verified.stderr.toString()]).toEqual([0, ""]);
      // Of 10, in tenths: 0 is nothing exposed, and what has no hardening at all has 9.6.
      expect(Bun.spawnSync(["systemd-analyze", "security", "--offline=true", "--threshold=20", path]).exitCode).toBe(0);
    },
  );
});
