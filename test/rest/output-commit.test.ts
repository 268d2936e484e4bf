// Nothing is told at this door before it is durable, and what the disk refused was not done.

import { afterEach, expect, test } from "bun:test";
import { z } from "zod";
import { startNode, stopNodes } from "../wire/node.ts";
import { ask } from "./asking.ts";

afterEach(stopNodes);

test("an answer leaves once what it says is durable", async () => {
  const node = await startNode();
  node.log.closeGate();
  const told: string[] = [];
  const tell = (what: string, asked: Promise<{ status: number }>) =>
    asked.then(({ status }) => told.push(`${what} ${status}`));
  const made = tell("made", ask(node, "POST", "/v1/principal/create", { body: { name: "bob" } }));
  while (!node.rows().includes('"bob"')) await (await fetch(`${node.url}/healthz`)).text();
  // A refusal says that bob is there, a list too: they wait for the entry that made him.
  const others = [
    tell("refused", ask(node, "POST", "/v1/principal/create", { body: { name: "bob" } })),
    tell("listed", ask(node, "GET", "/v1/principal/list")),
    tell(
      "accepted",
      ask(node, "POST", "/v1/principal/create", { body: { name: "eve" }, headers: { prefer: "respond-async" } }),
    ),
  ];
  for (let i = 0; i < 5; i++) await (await fetch(`${node.url}/healthz`)).text();
  expect(told).toEqual([]);
  node.log.openGate();
  await Promise.all([made, ...others]);
  expect(told.sort()).toEqual(["accepted 200", "listed 200", "made 200", "refused 409"]);
});

test("what could not be appended was not done, and is 503 with when to try again", async () => {
  const node = await startNode();
  node.log.full = true;
  const before = node.rows();
  const refused = await ask(node, "POST", "/v1/principal/create", {
    body: { name: "bob" },
    headers: { "idempotency-key": "once" },
  });
  expect([refused.status, refused.body.code, refused.body.retryable]).toEqual([503, "LOG_UNAVAILABLE", true]);
  expect(refused.headers.get("retry-after")).toBe("5");
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(node.rows()).toBe(before);
  expect((await ask(node, "GET", "/v1/log/head")).status).toBe(200);

  node.log.full = false;
  while ((await fetch(`${node.url}/readyz`)).status !== 200);
  const again = await ask(node, "POST", "/v1/principal/create", {
    body: { name: "bob" },
    headers: { "idempotency-key": "once" },
  });
  expect([again.status, again.body]).toEqual([200, { name: "bob" }]);
});

test("a node that stops takes nothing new, and answers those that wait", async () => {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const execute = () => {
    started.resolve();
    return ended.promise;
  };
  const node = await startNode({ protocols: [{ name: "slow", configSchema: z.strictObject({}), execute }] });
  await node.ask("action", "register", { name: "slow", protocol: "slow" });
  const waiting = ask(node, "POST", "/v1/action/perform", { body: { name: "slow" } });
  await started.promise;
  const stopped = node.stop();
  const refused = await ask(node, "GET", "/v1/log/head");
  expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([503, "STOPPING", "5"]);
  ended.resolve("done");
  expect((await waiting).body).toMatchObject({ output: "done" });
  await stopped;
});
