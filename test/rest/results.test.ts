// What messages answer is what their schemas, and so the description and every client that is generated from it, say of it.

import { afterEach, expect, test } from "bun:test";
import { digestOf, newSecret, startNode, stopNodes, type TestNode } from "../wire/node.ts";
import { type Answer, ask } from "./asking.ts";

afterEach(stopNodes);

test("every kind of answer is as it is described", async () => {
  const node: TestNode = await startNode();
  const post = async (path: string, body: object = {}): Promise<Answer> => {
    const answer = await ask(node, "POST", `/v1/${path}`, { body });
    expect([path, answer.status]).toEqual([path, 200]);
    return answer;
  };
  const input = { type: "object", properties: { n: { type: "integer" } } };
  await post("action/register", { name: "greet", protocol: "echo", input, idempotent: true });
  await post("action/update", { name: "greet", readOnly: true });
  await post("action/perform", { name: "greet", input: { n: 1 } });
  await post("action/describe", { name: "greet" });
  await post("action/list");
  await post("execution/list");
  const [execution] = (await post("execution/list")).body.items;
  await post("execution/show", {
    id: execution?.id ?? (await post("action/perform", { name: "greet" })).body.execution,
  });
  await post("action/remove", { name: "greet" });

  await post("principal/create", { name: "bob" });
  await post("principal/list");
  const { grant } = (
    await post("grant/create", { principal: "bob", allow: ["log.*"], credential: digestOf(newSecret()) })
  ).body;
  await post("grant/seal", { grant, credential: digestOf(newSecret()) });
  await post("grant/attenuate", { allow: ["log.head"], uses: 3 });
  await post("grant/list");
  await post("grant/revoke", { grant });
  await post("principal/revoke", { name: "bob" });
  await post("deadLetter/list");

  const [entry] = (await post("log/list", { limit: 1 })).body.items;
  for (const path of ["log/head", "log/checkpoint", "log/verify", "message/list"]) await post(path);
  await post("log/tail", { from: 1, limit: 2 });
  await post("log/show", { entry: entry.entry });
  await post("log/explain", { id: entry.id });
  await post("log/receipt", { entry: 2 });
  await post("log/proof", { from: 1 });
  await post("log/export", { from: 1, limit: 3 });
  await post("log/export", { from: 1, limit: 3, leaves: true });
  await post("log/redact", { entry: 2, parts: ["trace"], reason: "a test" });
  await post("message/attach", { id: entry.id });
});
