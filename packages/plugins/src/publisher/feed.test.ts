// The head of the log costs those who have nobody there to tell nothing, and nothing is missed by who comes then.

import { expect, test } from "bun:test";
import { type Log, memoryLog } from "@capstan/orchestrator";
import { settled, startPublisher } from "./publisher.fixture.ts";

function countedLog() {
  const inner = memoryLog();
  const reads = { count: 0 };
  const log: Log = new Proxy(inner, {
    get(target, name) {
      if (name === "read") reads.count++;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { log, reads };
}

test("where nobody subscribed, nothing is read back; from the first subscription on it is", async () => {
  const { log, reads } = countedLog();
  const { app, action, receiver, performAll, given } = await startPublisher({ log });
  await action();
  await receiver("mail");
  await settled();
  const before = reads.count;
  await performAll(1, 20);
  await settled();
  expect(reads.count).toBe(before);
  const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
  await performAll(21, 22);
  await settled();
  expect(given("mail")).toEqual([21, 22]);
  await app.subscription.delete({ id });
  await performAll(23, 24);
  await settled();
  expect(given("mail")).toEqual([21, 22]);
});

test("who follows where nobody did is handed what comes, and what was from where they say", async () => {
  const { action, follow, performAll } = await startPublisher();
  await action();
  await performAll(1, 3);
  const now = await follow({ topic: "action.greet" });
  const start = await follow({ topic: "action.greet", from: "start" });
  await performAll(4, 5);
  await settled();
  expect([now.got(), start.got()]).toEqual([
    [4, 5],
    [1, 2, 3, 4, 5],
  ]);
});

test("what is redacted where nobody subscribed is read no more either", async () => {
  const { app, action, perform } = await startPublisher();
  await action();
  await perform("secret");
  const read = async () => (await app.subscription.read({ topic: "action.greet", after: "start" })).items;
  const [item] = (await read()) as { readonly cursor: string; readonly data: unknown }[];
  expect(item?.data).toBe("secret");
  const entry = Number.parseInt(item?.cursor ?? "", 10);
  await app.log.redact({ entry, parts: ["body", "trace"], reason: "asked for" });
  expect(await read()).toEqual([]);
});
