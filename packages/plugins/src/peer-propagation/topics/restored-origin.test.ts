// An origin whose log was restored from a backup, and has grown past the place of those who follow it: other entries stand there now.

import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { restoreLog } from "@capstan/orchestrator";
import { pair } from "../peers.fixture.ts";
import { copyLog } from "../witness/witness.fixture.ts";
import { elsewhere, handed, node, numbers, publishes, stopped, subscribed } from "./topics.fixture.ts";

const directories = ["log", "backup"].map((one) => mkdtempSync(join(tmpdir(), `capstan-restored-${one}-`)));
const [directory = "", backup = ""] = directories;
afterEach(() => {
  for (const one of directories) rmSync(one, { recursive: true, force: true });
});

test("that it was restored is said, and what it published since arrives", async () => {
  const [a, first] = [await node("n-a"), await node("origin", { directory })];
  await pair(a, first);
  await publishes(first);
  const listen = new URL(first.url).host;
  await stopped(first);
  copyLog(directory, backup);
  const second = await node("origin", { directory, listen });
  const id = await subscribed(a);
  for (const output of numbers(3)) await second.app.action.publish({ name: "tick", output });
  expect(await handed(a, id, 3)).toEqual(numbers(3));
  await stopped(second);
  const log = join(directory, "log.db");
  await restoreLog({ file: join(backup, "log.db"), log, keys: undefined, replace: true, now: Date.now() });
  const third = await node("origin", { directory, listen });
  const since = numbers(30, 4);
  for (const output of since) await third.app.action.publish({ name: "tick", output });
  expect(await handed(a, id, 30)).toEqual(numbers(30));
  expect(await elsewhere(a, id)).toMatchObject({
    missed: { why: "future", text: expect.stringContaining("restored since") },
  });
  const [alert] = (await a.app.log.list({ message: "alert.raised" })).items as { id: string }[];
  const { body } = (await a.app.log.show({ id: alert?.id ?? "" })) as { body?: unknown };
  expect(JSON.stringify(body)).toContain("what came after that was taken back there, and stands here");
});
