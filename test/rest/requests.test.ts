// The door over a real port, as clients and browsers use it: pages, keys, deadlines, waiting, preflights.

import { afterEach, expect, test } from "bun:test";
import { createOrchestrator, definePlugin, next, type Orchestrator, serve } from "@capstan/orchestrator";
import { type Protocol, standard } from "@capstan/plugins";
import { z } from "zod";
import { startNode, stopNodes } from "../wire/node.ts";
import { ask, askRaw } from "./asking.ts";

afterEach(stopNodes);

test("pages are followed by their links to the end, each thing once", async () => {
  const node = await startNode();
  const names = ["a", "b/c", "d&e".replace("&", "-"), "f.g", "h~i"];
  for (const name of names) await ask(node, "POST", "/v1/action/register", { body: { name, protocol: "echo" } });
  const seen: string[] = [];
  let path: string | undefined = "/v1/action/list?limit=2";
  while (path !== undefined) {
    const { body, headers } = await ask(node, "GET", path);
    seen.push(...body.items.map(({ name }: { name: string }) => name));
    path = /^<(.*)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
  }
  expect(seen).toEqual(names);
  // The log's newest first, by `before`.
  const { headers } = await ask(node, "GET", "/v1/log/list?limit=2&message=action.register");
  expect(headers.get("link")).toMatch(/^<\/v1\/log\/list\?limit=2&message=action\.register&before=\d+>; rel="next"$/);
});

test("requests of one key at once are one message, and all get its answer", async () => {
  const node = await startNode();
  await ask(node, "POST", "/v1/action/register", { body: { name: "greet", protocol: "echo" } });
  const asking = { body: { name: "greet", input: 1 }, headers: { "idempotency-key": '"8e03978e-40d5"' } };
  const answers = await Promise.all([1, 2, 3, 4].map(() => ask(node, "POST", "/v1/action/perform", asking)));
  expect(new Set(answers.map(({ body }) => body.execution)).size).toBe(1);
  expect(new Set(answers.map(({ headers }) => headers.get("capstan-message"))).size).toBe(1);
  const [performed] = (await ask(node, "GET", "/v1/log/list?message=action.perform")).body.items;
  expect(performed.id).toBe(answers[0]?.headers.get("capstan-message"));
  const other = await ask(node, "POST", "/v1/action/perform", { ...asking, body: { name: "greet", input: 2 } });
  expect([other.status, other.body.code]).toEqual([409, "KEY_REUSED"]);
});

test("work that is done later is asked for where Location says, also after the caller went away", async () => {
  const ended = Promise.withResolvers<unknown>();
  const slow: Protocol = { name: "slow", configSchema: z.strictObject({}), execute: () => ended.promise };
  const node = await startNode({ protocols: [slow] });
  await ask(node, "POST", "/v1/action/register", { body: { name: "slow", protocol: "slow" } });
  const perform = { body: { name: "slow" }, headers: { prefer: "respond-async" } };
  const accepted = await ask(node, "POST", "/v1/action/perform", perform);
  expect([accepted.status, accepted.body.pending]).toEqual([202, true]);
  const location = accepted.headers.get("location") as string;
  expect(new URL(location, node.url).searchParams.get("id")).toBe(accepted.headers.get("capstan-message"));
  const gone = new AbortController();
  const left = fetch(node.url + location, { headers: { authorization: `Bearer ${node.admin}` }, signal: gone.signal });
  gone.abort();
  await expect(left).rejects.toThrow();
  const waiting = ask(node, "GET", location);
  ended.resolve("done");
  expect((await waiting).body).toMatchObject({ output: "done" });
  // It may be asked as often as one likes.
  expect((await ask(node, "GET", location)).body).toMatchObject({ output: "done" });
});

test("a deadline that passed is a problem of its own", async () => {
  const node = await startNode();
  await ask(node, "POST", "/v1/action/register", { body: { name: "greet", protocol: "echo" } });
  const headers = { "capstan-deadline": String(node.clock - 1) };
  const late = await ask(node, "POST", "/v1/action/perform", { body: { name: "greet" }, headers });
  expect([late.status, late.body.code]).toEqual([504, "DEADLINE_EXCEEDED"]);
});

test("HEAD is answered as GET would be, without the body", async () => {
  const node = await startNode();
  const head = `Host: localhost\r\nAuthorization: Bearer ${node.admin}\r\nX-Request-Id: one\r\nConnection: close\r\n\r\n`;
  const [got, headed] = await Promise.all(
    ["GET", "HEAD"].map((one) => askRaw(node.url, `${one} /v1/log/head HTTP/1.1\r\n${head}`)),
  );
  const headers = (text = "") =>
    (text.split("\r\n\r\n")[0] as string)
      .toLowerCase()
      .split("\r\n")
      .filter((line) => !line.startsWith("date:"));
  expect(headed?.text.split("\r\n\r\n")[1]).toBe("");
  expect(headers(headed?.text).sort()).toEqual(headers(got?.text).sort());
});

test("OPTIONS tells the methods, to anyone who is admitted", async () => {
  const node = await startNode();
  for (const [path, allow] of [
    ["/v1/action/perform", "POST, OPTIONS"],
    ["/v1/action/list", "GET, HEAD, POST, OPTIONS"],
    ["/openapi.json", "GET, HEAD, OPTIONS"],
    ["/problems/REFUSED", "GET, HEAD, OPTIONS"],
  ]) {
    const { status, headers } = await ask(node, "OPTIONS", path as string, { as: null });
    expect([path, status, headers.get("allow")]).toEqual([path, 204, allow]);
    expect(headers.get("access-control-allow-methods")).toBeNull();
  }
  expect((await ask(node, "OPTIONS", "/v1/weather/forecast")).status).toBe(404);
});

test("pages of an origin that is allowed may ask and read, and no others", async () => {
  const node = await startNode();
  const serving = serve(node.orchestrator, { listen: "127.0.0.1:0", allowOrigins: ["https://app.example"] });
  const from = (origin: string, init: RequestInit) =>
    fetch(`${serving.url}/v1/log/head`, { ...init, headers: { origin, ...init.headers } });
  const preflight = { method: "OPTIONS", headers: { "access-control-request-method": "GET" } };
  const asked = await from("https://app.example", preflight);
  expect([asked.status, await asked.text()]).toEqual([204, ""]);
  expect(asked.headers.get("access-control-allow-origin")).toBe("https://app.example");
  expect(asked.headers.get("access-control-allow-methods")).toContain("GET");
  expect(asked.headers.get("access-control-allow-headers")).toContain("authorization");
  expect(asked.headers.get("access-control-allow-credentials")).toBeNull();
  expect(asked.headers.get("vary")).toContain("Origin");

  const answered = await from("https://app.example", { headers: { authorization: `Bearer ${node.admin}` } });
  expect([answered.status, answered.headers.get("access-control-allow-origin")]).toEqual([200, "https://app.example"]);
  expect(answered.headers.get("access-control-expose-headers")).toContain("location");
  const unknown = await from("https://app.example", {});
  expect([unknown.status, unknown.headers.get("access-control-allow-origin")]).toEqual([401, "https://app.example"]);
  expect((await from("https://other.example", preflight)).status).toBe(403);
  await serving.stop();
});

test("every code that a problem can have is explained where its type says", async () => {
  const node = await startNode();
  const { body: all } = await ask(node, "GET", "/problems", { as: null });
  expect(all.map(({ code }: { code: string }) => code)).toEqual([...node.orchestrator.composition.faults.keys()]);
  for (const { type, code, text } of all) {
    expect(text).not.toBe("");
    expect((await ask(node, "GET", type, { as: null })).body).toMatchObject({ type, code, text });
  }
  const unknown = await ask(node, "GET", "/problems/KEY_RESUED", { as: null });
  expect([unknown.status, unknown.body.detail]).toEqual([404, 'no code is "KEY_RESUED"; did you mean KEY_REUSED?']);
});

test("the door's paths are told, and no plugin's door is at one of them", async () => {
  const node = await startNode();
  expect(node.paths.slice(0, 3)).toEqual(["/rpc", "/v1", "/openapi.json"]);
  for (const path of ["/v1", "/v1/action/perform", "/v1/*", "/openapi.json", "/problems/X"]) {
    const other = definePlugin({ name: "other", doors: [{ path, fetch: () => new Response() }], decide: () => next() });
    const hub = await createOrchestrator({ plugins: [...standard(), other] as never });
    expect(() => serve(hub as Orchestrator, { listen: "127.0.0.1:0" })).toThrow("which is the node's own");
    await hub.stop();
  }
});

test("a caller that goes away in the middle of its body gives back what it had under way", async () => {
  const node = await startNode({ limits: { callsInFlight: 1 } });
  const socket = await Bun.connect({
    ...{ hostname: "127.0.0.1", port: Number(new URL(node.url).port) },
    socket: { data() {} },
  });
  const head = `Host: localhost\r\nAuthorization: Bearer ${node.admin}\r\nContent-Type: application/json`;
  socket.write(`POST /v1/principal/create HTTP/1.1\r\n${head}\r\nContent-Length: 1000\r\n\r\n{"name":`);
  while ((await ask(node, "GET", "/v1/log/head")).status !== 429);
  socket.terminate();
  while ((await ask(node, "GET", "/v1/log/head")).status !== 200);
  // That it left is no error of the node's.
  expect(node.lines.filter((line) => line.includes('"level":50') || line.includes("an answer failed"))).toEqual([]);
});
