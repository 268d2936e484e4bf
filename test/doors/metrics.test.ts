// /metrics as Prometheus and an operator meet it: open to this machine alone, and to a grant that covers it anywhere else.

import { afterEach, expect, test } from "bun:test";
import { startNode, stopNodes } from "../wire/node.ts";

afterEach(stopNodes);

const get = (url: string, secret?: string, init: RequestInit = {}) =>
  fetch(`${url}/metrics`, { ...init, headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` } });

test("a node on loopback answers without a credential, in Prometheus' text format", async () => {
  const { url, paths } = await startNode();
  const answer = await get(url);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await answer.text();
  for (const name of ["messages_decided_total", "log_head", "process_cpu_seconds_total", "event_loop_delay_seconds"])
    expect(text).toContain(`# TYPE capstan_${name} `);
  expect(text).toMatch(/^capstan_sessions_open 0$/m);
  expect(paths).toContain("/metrics");
  expect((await get(url, undefined, { method: "HEAD" })).status).toBe(200);
  const posted = await get(url, undefined, { method: "POST" });
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("a node that others reach asks for a grant that covers node.metrics", async () => {
  const node = await startNode({ listen: "0.0.0.0:0", public: true });
  const url = node.url.replace("0.0.0.0", "127.0.0.1");
  const none = await get(url);
  expect([none.status, none.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="capstan"']);
  expect(await none.json()).toMatchObject({ code: "UNAUTHENTICATED" });
  const wrong = await get(url, "no-such-credential");
  expect([wrong.status, ((await wrong.json()) as { code: string }).code]).toEqual([401, "CREDENTIAL_INVALID"]);
  const { secret: narrow } = await node.grant({ allow: ["action.list"] });
  const refused = await get(url, narrow);
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, "REFUSED"]);
  const { secret } = await node.grant({ allow: ["node.metrics"], read: ["*"] });
  const answer = await get(url, secret);
  expect(answer.status).toBe(200);
  const text = await answer.text();
  expect(text).toMatch(/^capstan_credentials_refused_total 1$/m);
  for (const canary of [secret, narrow, node.admin, "caller"]) expect(text).not.toContain(canary);
});

test("sessions are counted while they are open, and those that used too much", async () => {
  const { url } = await startNode({ limits: { anonymousCalls: 1 } });
  const socket = new WebSocket(`${url.replace("http", "ws")}/rpc`);
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  expect(await (await get(url)).text()).toMatch(/^capstan_sessions_open 1$/m);
  const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
  for (let i = 0; i < 3; i++) socket.send(JSON.stringify(["push", ["pipeline", 0, ["health"], []]]));
  await closed;
  let text = "";
  // Its other end may hear of it a little later.
  while (!/^capstan_sessions_open 0$/m.test(text)) text = await (await get(url)).text();
  expect(text).toMatch(/^capstan_session_budget_breaches_total 1$/m);
  expect(text).toMatch(/^capstan_sessions_opened_total 1$/m);
});

test("the documentation names every metric, and none that is not there", async () => {
  const { url } = await startNode();
  const text = await (await get(url)).text();
  const there = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name as string);
  const page = await Bun.file(new URL("../../docs/observability.md", import.meta.url)).text();
  const table = page.split("\n").filter((line) => line.startsWith("| `capstan_"));
  const named = table.flatMap((line) => [...line.matchAll(/`(capstan_[a-z_]+)/g)].map(([, name]) => name as string));
  expect(named.sort()).toEqual(there.sort());
});
