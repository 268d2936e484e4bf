// /events as a client meets it: over real sockets, resumed after it was cut, refused where it must be, ended with its grant and
// with the node.

import { afterEach, expect, test } from "bun:test";
import { connect as connectSocket } from "node:net";
import { TestLog } from "../wire/node.ts";
import { type Doors, startDoors, stopDoors } from "./door-node.ts";
import { openEvents, type ServerEvent } from "./event-reader.ts";

afterEach(stopDoors);

const dataOf = (events: readonly ServerEvent[]) => events.map(({ data }) => (data as { data: unknown }).data);

async function greeting(
  options?: Parameters<typeof startDoors>[0],
): Promise<Doors & { secret: string; events: string; granted: string }> {
  const node = await startDoors(options);
  await node.action("greet");
  const { secret, grant } = await node.grant();
  return { ...node, secret, granted: grant, events: `${node.url}/events?topic=action.greet` };
}

const refusal = async (url: string, init: RequestInit) => {
  const response = await fetch(url, init);
  const { code, status, detail } = (await response.json()) as { code: string; status: number; detail: string };
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.status).toBe(status);
  return { code, status, detail, headers: response.headers };
};
const bearer = (secret: string, more: Record<string, string> = {}) => ({
  headers: { authorization: `Bearer ${secret}`, ...more },
});

test("what is published arrives, with its cursor, its topic and itself", async () => {
  const { events, secret, publish } = await greeting();
  const stream = await openEvents(events, { secret });
  expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
  expect(stream.response.headers.get("cache-control")).toBe("no-store");
  // Its first bytes say where it begins, before anything is published.
  await publish({ to: "Ada\r\n\r\nevent: fake" });
  const event = (await stream.next()) as ServerEvent;
  expect(event).toMatchObject({
    type: "action.greet",
    data: { data: { to: "Ada\r\n\r\nevent: fake" }, topic: "action.greet" },
  });
  expect(event.id).toBe((event.data as { cursor: string }).cursor);
  await stream.close();
});

test("history and then live, cut at any moment and resumed: each once, in order", async () => {
  const { url, secret, publish, action } = await greeting();
  await action("other");
  const events = `${url}/events?topic=action.greet&from=start`;
  const COUNT = 300;
  for (let i = 0; i < COUNT / 2; i++) await publish(i);
  const got: unknown[] = [];
  let lastEventId: string | undefined;
  let published = COUNT / 2;
  while (got.length < COUNT) {
    const stream = await openEvents(events, { secret, ...(lastEventId === undefined ? {} : { lastEventId }) });
    for (const at = got.length; got.length < at + 37 && got.length < COUNT; ) {
      if (got.length === published)
        for (const end = published + 10; published < end; published++) await publish(published);
      if (got.length % 20 === 0) await publish("x", "other");
      got.push(...dataOf(await stream.take(1)));
    }
    lastEventId = stream.lastEventId();
    await stream.close();
  }
  expect(got).toEqual(Array.from({ length: COUNT }, (_, i) => i));
});

test("a stream that was cut before anything arrived resumes without a gap: its first word is where it began", async () => {
  const { events, secret, publish } = await greeting();
  const first = await openEvents(events, { secret });
  await publish("while it is read");
  await first.next();
  const lastEventId = first.lastEventId();
  await first.close();
  await publish("while nobody reads");
  const second = await openEvents(events, { secret, lastEventId });
  expect(dataOf(await second.take(1))).toEqual(["while nobody reads"]);
  await second.close();
});

test("a silent stream is kept alive, and its cursor moves with the log", async () => {
  const { events, secret, publish, action, time, orchestrator } = await greeting();
  await action("other");
  const stream = await openEvents(events, { secret });
  const nothing = stream.next();
  await publish(1, "other");
  const head = orchestrator.committer.tip;
  // It waits for what comes; nothing does, and it says that it lives.
  const armed = time.armed;
  expect(armed).toBeGreaterThanOrEqual(0);
  while (!stream.lastEventId().startsWith(`${head}.`)) {
    time.advance(15_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await publish("at last");
  expect(await nothing).toMatchObject({ data: { data: "at last" } });
  await stream.close();
});

test("a prefix is followed, and a subscription from its own cursor", async () => {
  const { url, secret, publish, action, ask } = await greeting();
  await action("books/sold");
  const { id } = await ask<{ id: string }>("subscription", "create", { topic: "action.greet" });
  await publish("for greet");
  await publish("for books", "books/sold");
  const all = await openEvents(`${url}/events?topic=action.*&from=start`, { secret });
  expect((await all.take(2)).map(({ type }) => type)).toEqual(["action.greet", "action.books/sold"]);
  await all.close();
  const mine = await openEvents(`${url}/events?subscription=${id}`, { secret });
  expect(dataOf(await mine.take(1))).toEqual(["for greet"]);
  await mine.close();
});

test("CloudEvents where they are asked for", async () => {
  const { url, secret, publish, orchestrator } = await greeting();
  await publish({ hello: "Ada" });
  const stream = await openEvents(`${url}/events?topic=action.greet&from=start`, {
    secret,
    headers: { accept: "text/event-stream, application/cloudevents+json" },
  });
  const event = (await stream.next()) as ServerEvent;
  expect(event.data).toMatchObject({
    ...{ specversion: "1.0", type: "action.greet", subject: "greet", data: { hello: "Ada" } },
    ...{ source: `/nodes/${orchestrator.node.id}`, cursor: event.id, datacontenttype: "application/json" },
  });
  await stream.close();
});

test("before it begins, what is wrong has a status", async () => {
  const { url, events, secret, grant } = await greeting();
  expect(await refusal(events, {})).toMatchObject({ code: "UNAUTHENTICATED", status: 401 });
  expect((await refusal(events, bearer("wrong"))).headers.get("www-authenticate")).toStartWith("Bearer");
  expect(await refusal(`${url}/events?topic=action.greet&token=hush`, bearer(secret))).toMatchObject({
    code: "MESSAGE_INVALID",
  });
  expect(await refusal(`${url}/events?topic=action.gret`, bearer(secret))).toMatchObject({
    code: "TOPIC_UNKNOWN",
    status: 404,
  });
  expect(await refusal(`${url}/events?topic=nonsense`, bearer(secret))).toMatchObject({ code: "MESSAGE_INVALID" });
  expect(await refusal(`${url}/events?subscription=s-0000000000000000`, bearer(secret))).toMatchObject({
    code: "SUBSCRIPTION_UNKNOWN",
    status: 404,
  });
  const { secret: narrow } = await grant({ allow: ["action.list"], read: ["*"] });
  expect(await refusal(events, bearer(narrow))).toMatchObject({ code: "REFUSED", status: 403 });
  expect(await refusal(events, { method: "POST", ...bearer(secret) })).toMatchObject({
    code: "METHOD_NOT_ALLOWED",
    status: 405,
  });
});

const HOSTILE: readonly (readonly [said: string, code: string])[] = [
  ["1", "CURSOR_INVALID"],
  ["-1.l-1", "CURSOR_INVALID"],
  ["1e9.l-1", "CURSOR_INVALID"],
  ["9".repeat(70), "CURSOR_INVALID"],
  ["9".repeat(5000), "MESSAGE_INVALID"],
  ["now", "CURSOR_INVALID"],
  ["1.l-another", "CURSOR_FOREIGN"],
  ["\u009b31m", "CURSOR_INVALID"],
  ["1.l-1; DROP TABLE entry", "CURSOR_INVALID"],
  ["__proto__", "CURSOR_INVALID"],
];
for (const [said, code] of HOSTILE) {
  test(`Last-Event-ID: ${JSON.stringify(said.slice(0, 40))} is ${code}, and nothing is streamed`, async () => {
    const { events, secret } = await greeting();
    const refused = await refusal(events, bearer(secret, { "last-event-id": said }));
    expect(refused.code).toBe(code);
    expect(refused.status).toBeWithin(400, 500);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(refused.detail).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });
}

test("a cursor of this log's future is told as one", async () => {
  const { events, secret, orchestrator } = await greeting();
  const lastEventId = `999999.${orchestrator.log.id}`;
  expect(await refusal(events, bearer(secret, { "last-event-id": lastEventId }))).toMatchObject({
    code: "CURSOR_FUTURE",
  });
});

test("a revoked grant ends it: the problem is the last that it says, and nothing published later is in it", async () => {
  const { events, secret, publish, ask, granted } = await greeting();
  const stream = await openEvents(events, { secret });
  await publish("before");
  expect(dataOf(await stream.take(1))).toEqual(["before"]);
  await ask("grant", "revoke", { grant: granted });
  await publish("after");
  const last = await stream.next();
  expect(last).toMatchObject({
    type: "error",
    data: { status: expect.any(Number), code: expect.stringMatching(/^GRANT_/) },
  });
  expect(await stream.next()).toBeUndefined();
  expect((await refusal(events, bearer(secret))).status).toBe(401);
});

test("a grant that is revoked while nothing is published ends the stream with the next sign of life", async () => {
  const { events, secret, ask, granted, time } = await greeting();
  const stream = await openEvents(events, { secret });
  const last = stream.next();
  await ask("grant", "revoke", { grant: granted });
  let ended: ServerEvent | undefined;
  void last.then((event) => {
    ended = event;
  });
  while (ended === undefined) {
    time.advance(15_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(ended).toMatchObject({ type: "error", data: { code: expect.stringMatching(/^GRANT_/) } });
});

test("what a disk that fails undoes is never sent, and what takes its place in the log is", async () => {
  const log = new TestLog();
  const { events, secret, publish } = await greeting({ log });
  const stream = await openEvents(events, { secret });
  await publish("before");
  log.full = true;
  await expect(publish("undone")).rejects.toMatchObject({ code: "LOG_UNAVAILABLE" });
  log.full = false;
  await publish("after");
  expect(dataOf(await stream.take(2))).toEqual(["before", "after"]);
  const lastEventId = stream.lastEventId();
  await stream.close();
  await publish("later");
  const again = await openEvents(events, { secret, lastEventId });
  expect(dataOf(await again.take(1))).toEqual(["later"]);
  await again.close();
});

test("a cursor from before what was compacted away is told as gone, with where to begin", async () => {
  const { events, secret, publish, ask, time, orchestrator } = await greeting();
  for (let i = 0; i < 20; i++) await publish(i);
  time.advance(48 * 3_600_000);
  await publish("late");
  const { first } = await ask<{ first: number }>("log", "compact", {});
  expect(first).toBeGreaterThan(2);
  const lastEventId = `1.${orchestrator.log.id}`;
  const refused = await refusal(events, bearer(secret, { "last-event-id": lastEventId }));
  expect(refused).toMatchObject({ code: "CURSOR_GONE", status: 410 });
});

test("a page of an admitted origin may ask, and is told what it may send", async () => {
  const node = await startDoors({ allowOrigins: ["https://pages.example"] });
  await node.action("greet");
  const { secret } = await node.grant();
  const events = `${node.url}/events?topic=action.greet`;
  const origin = "https://pages.example";
  const asked = await fetch(events, { method: "OPTIONS", headers: { origin, "access-control-request-method": "GET" } });
  expect([asked.status, asked.headers.get("access-control-allow-origin")]).toEqual([204, origin]);
  expect(asked.headers.get("access-control-allow-headers")).toContain("last-event-id");
  const stream = await openEvents(events, { secret, headers: { origin } });
  expect(stream.response.headers.get("access-control-allow-origin")).toBe(origin);
  await stream.close();
  const foreign = await fetch(events, {
    headers: { origin: "https://elsewhere.example", authorization: `Bearer ${secret}` },
  });
  expect(foreign.status).toBe(403);
});

test("the node's stop ends every stream with a word, and waits for none", async () => {
  const { events, secret, stop, publish } = await greeting();
  const streams = await Promise.all([0, 1, 2].map(() => openEvents(events, { secret })));
  await publish("one");
  for (const stream of streams) await stream.take(1);
  const stopped = stop();
  for (const stream of streams)
    expect(await stream.next()).toMatchObject({ type: "error", data: { code: "STOPPING" } });
  await stopped;
});

test("a reader who does not read is not read for beyond what its socket takes, and delays nobody", async () => {
  const { url, secret, publish, orchestrator } = await greeting();
  const { port } = new URL(url);
  const slow = connectSocket(Number(port), "127.0.0.1");
  await new Promise((resolve) => slow.once("connect", resolve));
  slow.pause();
  slow.write(
    `GET /events?topic=action.greet HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${secret}\r\n\r\n`,
  );
  const quick = await openEvents(`${url}/events?topic=action.greet`, { secret });
  const large = "x".repeat(100_000);
  for (let i = 0; i < 200; i++) await publish(`${i} ${large}`);
  expect((await quick.take(200)).map(({ data }) => Number.parseInt((data as { data: string }).data, 10))).toEqual(
    Array.from({ length: 200 }, (_, i) => i),
  );
  await quick.close();
  const reads = () =>
    orchestrator.metrics.read().messages.find(({ name }) => name === "subscription.read")?.verdicts.done ?? 0;
  // How much a socket takes is the machine's; once it is full, nothing more is read however much is published.
  let count = 200;
  for (let idle = 0; idle < 9 && count < 500; count++) {
    const before = reads();
    await publish(`${count} ${large}`);
    idle = reads() === before ? idle + 1 : 0;
  }
  expect(count).toBeLessThan(500);
  await publish(`${count} last`);
  // What it then reads is all of it: what did not fit was not dropped, but read later.
  let text = "";
  const all = new Promise<void>((resolve) => {
    slow.on("data", (chunk) => {
      text += chunk;
      if (text.includes(`"data":"${count} last`)) resolve();
    });
  });
  slow.resume();
  await all;
  slow.destroy();
  expect([...text.matchAll(/"data":"(\d+) /g)].map(([, n]) => Number(n))).toEqual(
    Array.from({ length: count + 1 }, (_, i) => i),
  );
});

test("one principal has so many streams, and another has its own; one that ends makes room", async () => {
  const { events, secret, grant } = await greeting();
  const streams = await Promise.all(Array.from({ length: 100 }, () => openEvents(events, { secret })));
  expect(await refusal(events, bearer(secret))).toMatchObject({ code: "STREAMS_EXCEEDED", status: 429 });
  const other = await openEvents(events, { secret: (await grant()).secret });
  expect(other.response.status).toBe(200);
  // All at once: they come back at once as well, though what was read for them has not ended.
  await Promise.all(streams.map((stream) => stream.close()));
  let response: Response | undefined;
  while (response?.status !== 200) {
    await response?.body?.cancel();
    response = await fetch(events, bearer(secret));
  }
  await response.body?.cancel();
  await other.close();
});
