// What becomes of messages at this door: answers, what is pending, what fails, and what is never said.

import { expect, test } from "bun:test";
import { z } from "zod";
import { FaultError, fault } from "../fault/fault.ts";
import { command, query, signal } from "../message/definition.ts";
import { hold, next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { jobs } from "../testing/jobs.fixture.ts";
import { plugin, settled, takes } from "../testing/start.fixture.ts";
import { restDoor } from "./rest-door.fixture.ts";

const page = z.strictObject({
  after: z.string().optional(),
  limit: z.number().int().optional(),
  tags: z.array(z.string()).optional(),
});

/** A thing that can be made, listed and asked for. */
const things = plugin("things", {
  needs: [authority],
  messages: {
    thing: {
      make: takes("name"),
      nudge: signal({ summary: "For tests.", data: z.strictObject({}), result: z.unknown() }),
      list: query({
        summary: "For tests.",
        data: page,
        result: z.object({ items: z.array(z.string()), next: z.string().optional() }),
      }),
      fail: query({ summary: "For tests.", data: z.strictObject({}), result: z.unknown() }),
      follow: query({
        summary: "For tests.",
        data: z.strictObject({ to: z.string() }),
        result: z.unknown(),
        live: ["to"],
      }),
      forget: command({ internal: true, summary: "For tests.", data: z.strictObject({}), result: z.unknown() }),
    },
  },
  faults: { THING_HELD: { status: 409, retryable: true, text: "It is held." } },
  decide({ message }) {
    if (message.action !== "make") return next();
    const { name } = message.data as { name: string };
    if (name === "held") return refuse("THING_HELD", "it is held", { details: { by: "bob" } });
    if (name === "waits") return hold("approval");
    return name === "nothing" ? next() : next({ data: { name, pending: name } });
  },
  answer: {
    "thing.list": ({ message }) => ({ items: [JSON.stringify(message.data)], next: "a/b" }),
    "thing.fail": () => {
      throw new Error("a secret of the inside");
    },
    "thing.nudge": () => ({ nudged: true }),
  },
});

test("a command is asked by POST, and its answer is its result", async () => {
  const { ask, history } = await restDoor([things]);
  const made = await ask("POST", "/v1/thing/make", { body: { name: "a" } });
  expect([made.status, made.body]).toEqual([200, { name: "a", pending: "a" }]);
  expect(made.headers.get("capstan-message")).toMatch(/^m-/);
  expect(made.headers.get("cache-control")).toBe("no-store");
  expect((await ask("POST", "/v1/thing/make", { body: { name: "nothing" } })).body).toBeNull();
  expect((await ask("POST", "/v1/thing/nudge")).body).toEqual({ nudged: true });
  expect(await history()).toEqual(["thing.make done", "thing.make done"]);
});

test("a query is asked by GET, HEAD or POST, and tells where the next page is", async () => {
  const { ask } = await restDoor([things]);
  const got = await ask("GET", "/v1/thing/list?after=x&tags=a&tags=b&limit=2");
  expect(got.body.items).toEqual(['{"after":"x","limit":2,"tags":["a","b"]}']);
  expect(got.headers.get("link")).toBe('</v1/thing/list?tags=a&tags=b&limit=2&after=a%2Fb>; rel="next"');
  expect(got.headers.get("cache-control")).toBe("private, no-cache");
  const posted = await ask("POST", "/v1/thing/list", { body: { after: "x", limit: 2, tags: ["a", "b"] } });
  expect(posted.body).toEqual(got.body);
  expect([posted.headers.get("link"), posted.headers.get("etag")]).toEqual([null, null]);
  const head = await ask("HEAD", "/v1/thing/list?after=x&tags=a&tags=b&limit=2");
  expect([head.status, head.body, head.headers.get("etag")]).toEqual([200, undefined, got.headers.get("etag")]);
  expect(head.headers.get("content-length")).toBe(String(JSON.stringify(got.body).length));
});

test("whoever has an answer by its ETag is told that it still is", async () => {
  const { ask } = await restDoor([things]);
  const { headers } = await ask("GET", "/v1/thing/list");
  const tag = headers.get("etag") as string;
  const again = await ask("GET", "/v1/thing/list", { headers: { "if-none-match": `"other", ${tag}` } });
  expect([again.status, again.body, again.headers.get("etag")]).toEqual([304, undefined, tag]);
  expect(again.headers.get("link")).not.toBeNull();
  expect((await ask("GET", "/v1/thing/list?limit=1", { headers: { "if-none-match": tag } })).status).toBe(200);
});

test("a refusal is a problem, with its code's page, its message and whether to try again", async () => {
  const { ask } = await restDoor([things]);
  const refused = await ask("POST", "/v1/thing/make", { body: { name: "held" } });
  const id = refused.headers.get("capstan-message");
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(refused.body).toEqual({
    ...{ type: "/problems/THING_HELD", title: "Thing held", status: 409, detail: "it is held", code: "THING_HELD" },
    ...{ retryable: true, details: { by: "bob" }, id, instance: `/v1/message/attach?id=${id}` },
  });
  const page = await ask("GET", refused.body.type);
  expect(page.body).toMatchObject({ code: "THING_HELD", status: 409, retryable: true, text: "It is held." });
  const again = await ask("GET", refused.body.instance);
  expect([again.status, again.body.code, again.body.detail]).toEqual([409, "THING_HELD", "it is held"]);
});

test("what takes longer than is waited for is 202, and its Location waits again", async () => {
  const work = Promise.withResolvers<string>();
  const { ask, time } = await restDoor([jobs(() => work.promise)]);
  const at = await ask("POST", "/v1/job/run", { headers: { prefer: "respond-async" } });
  expect([at.status, at.body]).toEqual([202, { job: 1, pending: true }]);
  expect(at.headers.get("preference-applied")).toBe("respond-async");
  expect(at.headers.get("retry-after")).toBe("1");
  const location = at.headers.get("location") as string;
  expect(location).toBe(`/v1/message/attach?id=${at.headers.get("capstan-message")}`);

  const polled = ask("GET", location, { headers: { prefer: "wait=5" } });
  await settled();
  time.advance(5_000);
  const still = await polled;
  expect([still.status, still.headers.get("location"), still.headers.get("preference-applied")]).toEqual([
    202,
    location,
    "wait=5",
  ]);
  // The description's link goes by it: a body has what the message's own kind tells meanwhile.
  expect(still.headers.get("capstan-message")).toBe(at.headers.get("capstan-message"));

  const waiting = ask("GET", location);
  await settled();
  work.resolve("done");
  expect([(await waiting).status, (await waiting).body]).toEqual([200, "done"]);
});

test("who says nothing waits half a minute", async () => {
  const work = Promise.withResolvers<string>();
  const { ask, time } = await restDoor([jobs(() => work.promise)]);
  let answered = false;
  const asked = ask("POST", "/v1/job/run").finally(() => {
    answered = true;
  });
  await settled();
  time.advance(29_999);
  await settled();
  expect(answered).toBe(false);
  time.advance(1);
  expect((await asked).status).toBe(202);
  work.resolve("done");
});

test("a held message is pending, and is told so", async () => {
  const { ask, send } = await restDoor([things]);
  const held = await ask("POST", "/v1/thing/make", { body: { name: "waits" }, headers: { prefer: "wait=0" } });
  const id = held.headers.get("capstan-message");
  expect([held.status, held.body]).toEqual([202, { message: id, held: "approval", pending: true }]);
  expect(await send("message.list")).toBeArray();
});

test("a repeat under a key gets the first's answer; another message under it is refused", async () => {
  const { ask, history } = await restDoor([things]);
  const headers = { "idempotency-key": '"once"' };
  const first = await ask("POST", "/v1/thing/make", { body: { name: "a" }, headers });
  const again = await ask("POST", "/v1/thing/make", { body: { name: "a" }, headers: { "idempotency-key": "once" } });
  expect([again.status, again.body]).toEqual([200, first.body]);
  expect(again.headers.get("capstan-message")).toBe(first.headers.get("capstan-message"));
  const other = await ask("POST", "/v1/thing/make", { body: { name: "b" }, headers });
  expect([other.status, other.body.code]).toEqual([409, "KEY_REUSED"]);
  expect(
    (await ask("POST", "/v1/thing/make", { body: { name: "b" }, headers: { ...headers, authorization: "Bearer bob" } }))
      .status,
  ).toBe(200);
  expect((await history()).filter((one) => one === "thing.make done")).toHaveLength(2);
});

test("a request's id and place in a trace are its message's, and the id is told back", async () => {
  const { ask, log } = await restDoor([things]);
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const headers = { "x-request-id": "order-7", traceparent };
  const made = await ask("POST", "/v1/thing/make", { body: { name: "a" }, headers });
  expect(made.headers.get("x-request-id")).toBe("order-7");
  const bare = await ask("POST", "/v1/thing/make", { body: { name: "a" }, headers: { traceparent: "nonsense" } });
  const given = bare.headers.get("x-request-id") as string;
  expect([bare.status, given]).toEqual([200, expect.stringMatching(/^r-/)]);
  const texts = (await log.read(1, { limit: 100 })).map(({ text }) => text).join("\n");
  for (const one of ["order-7", traceparent, given]) expect(texts).toContain(one);
  expect(texts).not.toContain("nonsense");
});

test("what is no fault of ours says nothing of the inside, and is reported", async () => {
  const { ask, reported } = await restDoor([things]);
  const failed = await ask("GET", "/v1/thing/fail");
  expect([failed.status, failed.body.code]).toEqual([500, "INTERNAL"]);
  expect(JSON.stringify(failed.body)).not.toContain("secret");
  expect(String(reported[0])).toContain("a secret of the inside");
});

test("messages that take a callback are offered elsewhere, and internal ones nowhere", async () => {
  const { ask } = await restDoor([things]);
  const live = await ask("GET", "/v1/thing/follow?to=me");
  expect([live.status, live.body.code]).toEqual([404, "MESSAGE_UNKNOWN"]);
  expect(live.body.detail).toContain("/rpc");
  const internal = await ask("POST", "/v1/thing/forget", { body: {} });
  expect([internal.status, internal.body.code]).toEqual([403, "MESSAGE_INTERNAL"]);
  const { paths } = (await ask("GET", "/openapi.json")).body;
  expect(Object.keys(paths)).toContain("/v1/thing/make");
  expect(Object.keys(paths)).not.toContain("/v1/thing/follow");
  expect(Object.keys(paths)).not.toContain("/v1/thing/forget");
});

test("a node that stops takes nothing new, and says when to try again", async () => {
  const { ask, state } = await restDoor([things]);
  state.stopping = true;
  const refused = await ask("POST", "/v1/thing/make", { body: { name: "a" } });
  expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([503, "STOPPING", "5"]);
});

test("a credential that cannot be looked up is no wrong credential", async () => {
  const unavailable = fault("LOG_UNAVAILABLE", "the log could not be written");
  const { ask } = await restDoor([things], { authenticate: async () => unavailable });
  const refused = await ask("POST", "/v1/thing/make", { body: { name: "a" } });
  expect([refused.status, refused.body.code, refused.headers.has("www-authenticate")]).toEqual([
    503,
    "LOG_UNAVAILABLE",
    false,
  ]);
  const misfit = new FaultError(fault("MESSAGE_INVALID", "authorization: must be at most 200 characters")).toFault();
  const { ask: asks } = await restDoor([things], { authenticate: async () => misfit });
  expect((await asks("GET", "/v1/thing/list")).body).toMatchObject({ status: 401, code: "CREDENTIAL_INVALID" });
});

test("a grant has only so much under way at once, and gets it back", async () => {
  const work = Promise.withResolvers<string>();
  const { ask } = await restDoor([jobs(() => work.promise)], {
    limits: { callsInFlight: 2, frameBytes: 1000, inboundBytes: 2000 },
  });
  const running = [ask("POST", "/v1/job/run", { body: {} }), ask("POST", "/v1/job/run", { body: {} })];
  await settled();
  const over = await ask("GET", "/v1/message/list");
  expect([over.status, over.body.code, over.headers.get("retry-after")]).toEqual([429, "SESSION_BUDGET", "1"]);
  work.resolve("done");
  expect((await Promise.all(running)).map(({ status }) => status)).toEqual([200, 200]);
  expect((await ask("GET", "/v1/message/list")).status).toBe(200);
});
