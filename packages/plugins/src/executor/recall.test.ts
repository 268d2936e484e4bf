// Taking back what one performed under a key, also when that has only just been asked.

import { expect, test } from "bun:test";
import { memoryLog } from "@capstan/orchestrator";
import { altered } from "../dead-letter/dead-letter.fixture.ts";
import { faultFrom, protocol, startHub } from "../hub.fixture.ts";

test("what was performed a moment ago is taken back, though it is not durable yet", async () => {
  const stored = memoryLog();
  const slow: (() => void)[] = [];
  let isSlow = false;
  const log = altered(stored, {
    async append(expectedHead, entries) {
      if (isSlow) await new Promise<void>((resolve) => slow.push(resolve));
      return stored.append(expectedHead, entries);
    },
  });
  const runs: unknown[] = [];
  const waits = protocol("waits", ({ input, signal }) => {
    runs.push(input);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  const { app, hub } = await startHub({ log, protocols: [waits] });
  await app.action.register({ name: "wait", protocol: "waits" });
  isSlow = true;
  const performed = faultFrom(app.action.perform({ name: "wait" }, { key: "k" }));
  while (slow.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const recalled = app.action.recall({ name: "wait", under: "k" });
  // The disk takes its time over the performing alone.
  isSlow = false;
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  for (const pass of slow) pass();
  expect(await recalled).toEqual({ recalled: true });
  expect(await performed).toMatchObject({ code: "CANCELLED" });
  // What is over is not taken back, and neither is what nobody performed.
  expect(await app.action.recall({ name: "wait", under: "k" })).toEqual({ recalled: false });
  expect(await app.action.recall({ name: "wait", under: "other" })).toEqual({ recalled: false });
  await hub.stop();
});
