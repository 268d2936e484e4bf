// Topics of other nodes as callers meet them: subscribed to, followed, read, suggested and shown like our own, under the same grants.

import { describe, expect, test } from "bun:test";
import { decodeEntry, rehearse, serve } from "@capstan/orchestrator";
import { auth } from "../auth/auth.ts";
import { credentialDigest } from "../auth/credential.ts";
import { deadLetter } from "../dead-letter/dead-letter.ts";
import { executor } from "../executor/executor.ts";
import { echo, faultFrom, granted } from "../hub.fixture.ts";
import { ledger } from "../ledger/ledger.ts";
import { registry } from "../registry/registry.ts";
import { GREET, type Island, nextLife, startIsland, two } from "./elsewhere/islands.fixture.ts";
import { settled } from "./publisher.fixture.ts";
import { publisher } from "./publisher.ts";

const elsewhere = async ({ app }: Island, id: string) =>
  ((await app.subscription.show({ id })) as { elsewhere?: object[] }).elsewhere;

describe("a topic that another node publishes", () => {
  test("is known while there is a way, and afterwards for as long as it is imported", async () => {
    const { a, b } = await two();
    const { app } = b;
    for (const ask of [
      () => app.subscription.create({ topic: GREET }),
      () => app.subscription.read({ topic: GREET }),
      () => b.follow({ topic: GREET }),
    ]) {
      await ask();
    }
    await settled();
    await b.pull();
    await b.learn(undefined, GREET);
    await app.subscription.read({ topic: GREET });
    await b.note("release", { topics: [GREET, "action.unheard"] });
    expect(await faultFrom(app.subscription.read({ topic: GREET }))).toMatchObject({ code: "TOPIC_UNKNOWN" });
    // What is subscribed to is still read by its id.
    const { items } = await app.subscription.list({ topic: GREET });
    await app.subscription.read({ id: (items[0] as { id: string }).id });
    expect(a.id).toBe("n-a");
  });

  test("is suggested to those who may read it, by every message", async () => {
    const { a, b } = await two();
    await b.learn(a, "action.secret/plans");
    const { scope } = await granted(b.hub, {
      ...{ principal: "eve", allow: ["subscription.create", "subscription.read", "subscription.follow"] },
      read: ["default"],
    } as never);
    const suggested = 'nothing is published under "action.gret"; did you mean "action.greet"?';
    for (const app of [b.app, scope]) {
      expect((await faultFrom(app.subscription.create({ topic: "action.gret" }))).message).toBe(suggested);
      expect((await faultFrom(app.subscription.read({ topic: "action.gret" }))).message).toBe(suggested);
    }
    const secret = { topic: "action.secret/plan" };
    expect((await faultFrom(b.app.subscription.create(secret))).message).toContain('"action.secret/plans"');
    expect((await faultFrom(b.app.subscription.read(secret))).message).toContain('"action.secret/plans"');
    for (const ask of [scope.subscription.create(secret), scope.subscription.read(secret)]) {
      expect((await faultFrom(ask)).message).not.toContain("plans");
    }
  });

  test("is recorded by who subscribes as the way that was read, and of one that is nowhere not all that there are", async () => {
    const { a, b } = await two();
    await b.learn(a, ...Array.from({ length: 200 }, (_, i) => `action.many-${i}`));
    await b.app.subscription.create({ topic: GREET });
    await faultFrom(b.app.subscription.create({ topic: "action.manny-7" }));
    const entries = (await b.runtime.reader.entries(1, { limit: 100 })).map(decodeEntry);
    const [created, refused] = entries.filter(({ header }) => header.message === "subscription.create");
    const facts = async (entry: unknown) => JSON.stringify(await b.runtime.reader.part(entry as never, "f"));
    expect(await facts(created)).toContain('"topicElsewhere","action.greet",{"by":"ferry"');
    expect(await facts(refused)).toContain('"subscription.near":"action.many-7"');
    expect((await facts(refused)).length).toBeLessThan(400);
  });

  test("needs the same grants as one of this node", async () => {
    const { b } = await two();
    const { scope } = await granted(b.hub, { principal: "eve", allow: ["subscription.create", "receiver"] });
    expect(await faultFrom(scope.subscription.create({ topic: GREET }))).toMatchObject({ code: "REFUSED" });
  });
});

describe("the name of an action that is here", () => {
  test("is meant from its registration on, in the same entry; what was imported before stays", async () => {
    const { a, b } = await two();
    const followed = await b.follow({ topic: GREET });
    await settled();
    await b.pull();
    await a.perform("theirs");
    await b.pull();
    const after = b.rowOf(GREET)?.cursor;
    await b.action();
    expect(b.rowOf(GREET)).toBeUndefined();
    await settled();
    expect(b.wanted()).toEqual([]);
    // What was on its way is passed over.
    await a.perform("too late");
    const { items } = await a.topics.read(
      { topic: GREET, origin: "n-a", after, limit: 9, wait: 0 },
      new AbortController().signal,
    );
    await b.take(a, items, after);
    await b.perform("ours");
    await settled();
    expect(followed.got()).toEqual(["theirs", "ours"]);
    expect(b.rowOf(GREET)).toBeUndefined();
  });

  test("gone again, is the other node's again, from then on", async () => {
    const { a, b } = await two();
    await b.action();
    const followed = await b.follow({ topic: GREET });
    await settled();
    expect(b.wanted()).toEqual([]);
    await b.app.action.remove({ name: "greet" });
    await settled();
    expect(b.wanted()).toEqual([GREET]);
    await a.perform("before");
    await b.pull();
    await a.perform("theirs");
    await b.pull();
    await settled();
    expect(followed.got()).toEqual(["theirs"]);
  });
});

describe("subscription.show", () => {
  test("says of each topic elsewhere whether it arrives, from whom and by which way, how far, and since when not", async () => {
    const { a, b } = await two();
    const { id } = await b.app.subscription.create({ topic: GREET });
    await settled();
    const way = { topic: GREET, origin: "n-a", via: "n-a" };
    expect(await elsewhere(b, id)).toEqual([
      { ...way, state: "beginning", why: "nobody reads there yet", path: ["n-a"] },
    ]);
    await b.pull();
    b.states.set(GREET, { reading: true, via: "n-a", since: 7 });
    b.clock.advance(1000);
    const at = b.clock.now();
    await a.perform(1);
    await b.pull();
    const { cursor } = b.rowOf(GREET) as { cursor: string };
    expect(await elsewhere(b, id)).toEqual([{ ...way, state: "arriving", since: 7, path: ["n-a"], cursor, at }]);
    b.states.set(GREET, { reading: false, why: "the session ended", since: 8 });
    await b.learn(undefined, GREET);
    expect(await elsewhere(b, id)).toEqual([
      { ...way, state: "waiting", why: "the session ended", since: 8, cursor, at },
    ]);
    b.states.clear();
    expect(await elsewhere(b, id)).toMatchObject([{ state: "waiting", why: "no way leads there now" }]);
    await b.action();
    expect(await elsewhere(b, id)).toBeUndefined();
  });

  test("of a pattern shows those that the caller may read", async () => {
    const { a, b } = await two();
    await b.learn(a, "action.books/new", "action.zoo");
    await b.action("here");
    const { id } = await b.app.subscription.create({ topic: "action.*" });
    await settled();
    const topics = async (app: Island["app"]) =>
      ((await app.subscription.show({ id })) as { elsewhere: { topic: string }[] }).elsewhere.map(({ topic }) => topic);
    expect(await topics(b.app)).toEqual(["action.books/new", GREET, "action.zoo"]);
    const { scope } = await granted(b.hub, {
      ...{ principal: "eve", allow: ["subscription.show"], read: ["default"] },
    } as never);
    expect(await topics(scope)).toEqual([GREET, "action.zoo"]);
  });

  test("of a subscription whose topic is all of this node says nothing of others", async () => {
    const b = await startIsland("n-b");
    await b.action();
    const exact = await b.app.subscription.create({ topic: GREET });
    const pattern = await b.app.subscription.create({ topic: "action.*" });
    expect([await elsewhere(b, exact.id), await elsewhere(b, pattern.id)]).toEqual([undefined, undefined]);
  });
});

test("ways are noted a bounded number at a time; what another noted, and what is no topic, is left alone", async () => {
  const { b } = await two();
  const way = { peer: "p", node: "n-p", path: [], origin: "n-p" };
  const many = Array.from({ length: 257 }, (_, i) => ({ topic: `action.a${i}`, way }));
  expect(await faultFrom(b.topics.reach("other", many))).toMatchObject({ code: "MESSAGE_INVALID" });
  await b.topics.reach("other", [
    { topic: GREET, way: null },
    { topic: "action.*", way },
    { topic: "greet", way },
    { topic: "action.x\ny", way },
    { topic: "action.fine", way },
  ]);
  expect([...b.runtime.reader.rows(b.topics.table)].map(([topic, { by }]) => [topic, by])).toEqual([
    [GREET, "ferry"],
    ["action.fine", "other"],
  ]);
});

test("after a restart the ways are learned again, and who subscribed is where they were", async () => {
  const { a, b } = await two();
  const { id } = await b.app.subscription.create({ topic: GREET });
  await settled();
  await b.pull();
  await a.perform(1);
  await b.pull();
  const { cursor } = b.rowOf(GREET) as { cursor: string };
  await b.hub.stop();
  await a.perform(2);
  const next = await nextLife(b);
  expect(next.rowOf(GREET)?.cursor).toBe(cursor);
  next.listen();
  await settled();
  await next.pull();
  const { items } = await next.app.subscription.read({ id });
  expect(items.map((one) => (one as { data: unknown }).data)).toEqual([1, 2]);
});

test("what was decided of other nodes' topics is decided the same again: of ways as they were, and of no clock", async () => {
  const { a, b } = await two();
  await b.learn(a, "action.many");
  await b.app.subscription.create({ topic: GREET });
  await faultFrom(b.app.subscription.create({ topic: "action.manny" }));
  await settled();
  await b.pull();
  await a.performAll(1, 3);
  await b.pull((items) => items.map((one, i) => (i === 1 ? { ...one, hops: 99 } : one)));
  await b.learn(undefined, GREET);
  await b.action();
  await b.note("release", { topics: [GREET] });
  const plugins = [auth(), registry(), deadLetter(), executor({ protocols: [echo] }), publisher(), ledger()];
  const { messages, differ, undecidable } = await rehearse({ log: b.log, plugins });
  expect({ differ, undecidable, some: messages > 8 }).toEqual({ differ: 0, undecidable: 0, some: true });
});

test("a stream of events goes on where it was, by this node's cursor, and names the origin", async () => {
  const { a, b } = await two();
  const credential = "a-credential-that-the-reader-made";
  await b.app.grant.create({
    principal: "eve",
    allow: ["subscription.read"],
    credential: credentialDigest(credential),
  });
  const { url, stop } = serve(b.hub, { listen: "127.0.0.1:0" });
  try {
    /** As far as `count` events, from the last that arrived. */
    const events = async (count: number, resumes?: string) => {
      const headers = { authorization: `Bearer ${credential}`, ...(resumes && { "last-event-id": resumes }) };
      const response = await fetch(`${url}/events?topic=${GREET}&format=cloudevents`, { headers });
      expect(response.status).toBe(200);
      let text = "";
      for await (const chunk of response.body as ReadableStream<Uint8Array>) {
        text += Buffer.from(chunk).toString();
        if (text.split("data:").length > count && text.endsWith("\n\n")) break;
      }
      const data = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json as string) as object);
      return { data, last: [...text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] };
    };
    const { last: opened } = await events(0);
    await settled();
    expect(b.wanted()).toEqual([GREET]);
    await b.pull();
    // Nobody reads here meanwhile.
    await a.performAll(1, 2);
    await b.pull();
    const first = await events(2, opened);
    expect(first.data).toMatchObject([
      { data: 1, source: "/nodes/n-a", type: GREET, principal: "app" },
      { data: 2, source: "/nodes/n-a" },
    ]);
    await a.perform(3);
    await b.pull();
    expect((await events(1, first.last)).data).toMatchObject([{ data: 3 }]);
  } finally {
    await stop();
  }
});
