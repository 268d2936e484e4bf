// Taking back what one performed under a key, also when that has only just been asked.

import { expect, test } from "bun:test";
import { authority, createOrchestrator, definePlugin, hold, memoryLog, next } from "@capstan/orchestrator";
import { auth } from "../../auth/auth.ts";
import { altered } from "../../dead-letter/dead-letter.fixture.ts";
import { deadLetter } from "../../dead-letter/dead-letter.ts";
import { Clock, faultFrom, protocol, startHub } from "../../hub.fixture.ts";
import { ledger } from "../../ledger/ledger.ts";
import { publisher } from "../../publisher/publisher.ts";
import { registry } from "../../registry/registry.ts";
import { executor } from "../executor.ts";

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

test("what was held, and let through under another message's id, is taken back by its key", async () => {
  const waits = protocol("waits", ({ signal }) => {
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  const approval = definePlugin({
    name: "approval",
    needs: [authority],
    decide: ({ message, envelope }) =>
      message.resource === "action" && message.action === "perform" && !("approval" in envelope.facts)
        ? hold("approval")
        : next(),
  });
  const clock = new Clock();
  const hub = await createOrchestrator({
    plugins: [auth(), approval, registry(), deadLetter(), executor({ protocols: [waits] }), publisher(), ledger()],
    ...{ now: clock.now, timers: clock },
  });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  await app.action.register({ name: "wait", protocol: "waits" });
  const performed = faultFrom(app.action.perform({ name: "wait" }, { key: "k" }));
  const { items } = (await app.log.list({})) as { items: { id: string; verdict: string }[] };
  const { id } = items.find(({ verdict }) => verdict === "held") as { id: string };
  await app.message.settle({ id, hold: "approval", outcome: "yes" });
  expect(await app.action.recall({ name: "wait", under: "k" })).toEqual({ recalled: true });
  expect(await performed).toMatchObject({ code: "CANCELLED" });
  await hub.stop();
});
