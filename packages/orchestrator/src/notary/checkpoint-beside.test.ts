// A node's checkpoint beside its database: there within half a second of an entry by the node's clock, at the end, and where a
// key was given that others can know.

import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Log } from "../log/log.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { sqliteLog } from "../log/sqlite/sqlite-log.ts";
import { createOrchestrator } from "../orchestrator.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { verifyCheckpoint } from "../proof/checkpoint.ts";
import { parseVerifierKey } from "../proof/note.ts";
import { openNode } from "../server/node-key.ts";
import { cells } from "../testing/cells.fixture.ts";
import { ManualTime } from "../testing/manual-time.fixture.ts";
import { admits } from "../testing/start.fixture.ts";

const home = mkdtempSync(join(tmpdir(), "capstan-beside-"));
afterAll(() => rmSync(home, { recursive: true }));

async function nodeIn(directory: string, log: Log, signs = true) {
  const time = new ManualTime();
  const node = await openNode({ directory });
  const errors: string[] = [];
  const plugins: readonly AnyPlugin[] = [admits(), cells()];
  const orchestrator = await createOrchestrator({
    ...{ plugins, log, node, timers: time, now: time.now },
    ...(signs ? { signer: node.signer } : {}),
    logger: {
      debug() {},
      info() {},
      warn() {},
      error: (fields, text) => void errors.push(`${text} ${JSON.stringify(fields)}`),
    },
  });
  const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  const write = () => scope.applyAction({ resource: "cell", action: "set", data: { name: "a", text: "" } }, {});
  return { directory, time, orchestrator, write, errors };
}

async function covered(directory: string): Promise<number> {
  const [note, key] = ["log.db.checkpoint", "node.pub"].map((name) =>
    readFileSync(join(directory, name), "utf8").trim(),
  );
  return (await verifyCheckpoint(`${note}\n`, [parseVerifierKey(key as string)])).size;
}

test("covers every entry half a second later, and all of them at the end", async () => {
  const directory = mkdtempSync(join(home, "node-"));
  const { time, orchestrator, write, errors } = await nodeIn(directory, sqliteLog(join(directory, "log.db")));
  for (const size of [2, 3, 4]) {
    await write();
    time.advance(500);
    for (let turn = 0; !existsSync(join(directory, "log.db.checkpoint")) || (await covered(directory)) < size; turn++) {
      if (turn > 100_000) throw new Error("it was not written");
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([await covered(directory), time.waiting]).toEqual([size, 0]);
  }
  await write();
  await orchestrator.stop();
  expect([await covered(directory), errors]).toEqual([5, []]);
});

test("is none where nothing is kept, or nobody could know the key", async () => {
  for (const [name, signs] of [
    ["memory", true],
    ["unsigned", false],
  ] as const) {
    const directory = mkdtempSync(join(home, `${name}-`));
    const log = name === "memory" ? memoryLog() : sqliteLog(join(directory, "log.db"));
    const { time, orchestrator, write } = await nodeIn(directory, log, signs);
    await write();
    expect(time.waiting).toBe(0);
    await orchestrator.stop();
    expect(existsSync(join(directory, "log.db.checkpoint"))).toBe(false);
  }
});

test("that cannot be written stops nobody, and is told of once", async () => {
  const directory = mkdtempSync(join(home, "gone-"));
  const { time, orchestrator, write, errors } = await nodeIn(directory, sqliteLog(join(directory, "log.db")));
  // What is in its way is no file.
  rmSync(join(directory, "log.db.checkpoint"), { force: true });

  mkdirSync(join(directory, "log.db.checkpoint"));
  for (let i = 0; i < 3; i++) {
    await write();
    time.advance(500);
    await orchestrator.notary.written();
  }
  expect(errors).toEqual([expect.stringContaining("the checkpoint's file could not be written")]);
  rmSync(join(directory, "log.db.checkpoint"), { recursive: true });
  await orchestrator.stop();
  expect(await covered(directory)).toBe(4);
});
