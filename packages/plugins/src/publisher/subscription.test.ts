// Subscriptions: what there may be one to, where it begins, who may have it, and what is told of it.

import { describe, expect, test } from "bun:test";
import { faultFrom, granted, startHub } from "../hub.fixture.ts";
import { settled, startPublisher } from "./publisher.fixture.ts";

const entryOf = (cursor: string) => Number(cursor.split(".")[0]);

describe("a publication", () => {
  test("is the entry of what was performed, with its topic, place, principal and correlation", async () => {
    const { app, action, log } = await startPublisher();
    await action();
    await app.action.perform({ name: "greet", input: { a: 1 } }, { correlation: "order 7" });
    const { items, next, head } = await app.subscription.read({ topic: "action.greet", after: "start" });
    expect(items).toEqual([
      {
        ...{ topic: "action.greet", cursor: `3.${log.id}`, id: expect.stringMatching(/^m-/), at: expect.any(Number) },
        ...{ data: { a: 1 }, action: "greet", principal: "app", correlation: "order 7" },
      },
    ]);
    expect([next, head]).toEqual([`3.${log.id}`, `3.${log.id}`]);
  });

  test("is the entry of the completion where that is one of its own, on behalf of who performed", async () => {
    const { hub, app, action, log } = await startPublisher();
    await action("greet", { idempotent: false });
    const { scope } = await granted(hub, { principal: "bob", allow: ["action.perform"] });
    await scope.action.perform({ name: "greet", input: 1 }, { correlation: "c" });
    const { items } = await app.subscription.read({ topic: "action.greet", after: "start" });
    expect(items).toMatchObject([{ data: 1, principal: "bob", correlation: "c", cursor: `5.${log.id}` }]);
  });

  test("is made of what does not fit in an entry too", async () => {
    const { app, action } = await startPublisher();
    const large = "x".repeat(100_000);
    await action("greet");
    await app.action.perform({ name: "greet", input: large });
    await app.action.publish({ name: "greet", output: large });
    const { items } = await app.subscription.read({ topic: "action.greet", after: "start" });
    expect((items as { data: string }[]).map(({ data }) => data.length)).toEqual([100_000, 100_000]);
  });

  test("is not made of what failed, was refused, or was performed with publication none", async () => {
    const { app, action } = await startPublisher();
    await action("greet", { input: { type: "integer" }, output: { maximum: 5 } });
    await app.action.perform({ name: "greet", input: 9 }).catch(() => {});
    await app.action.perform({ name: "greet", input: "x" }).catch(() => {});
    await app.action.perform({ name: "greet", input: 1, publication: "none" });
    expect((await app.subscription.read({ topic: "action.greet", after: "start" })).items).toEqual([]);
  });

  test("only is all that is made of an output: the caller is not told it", async () => {
    const { app, action } = await startPublisher();
    await action();
    expect(await app.action.perform({ name: "greet", input: 1, publication: "only" })).toEqual({
      execution: expect.any(String),
    });
    expect((await app.subscription.read({ topic: "action.greet", after: "start" })).items).toMatchObject([{ data: 1 }]);
  });

  test("can be made without performing, of what fits the action's schema", async () => {
    const { app, action } = await startPublisher();
    await action("greet", { output: { type: "integer" } });
    expect(await app.action.publish({ name: "greet", output: 4 })).toMatchObject({ topic: "action.greet" });
    expect(await faultFrom(app.action.publish({ name: "greet", output: "x" }))).toMatchObject({
      ...{ code: "OUTPUT_INVALID", message: "greet: its output: must be integer" },
    });
    expect(await faultFrom(app.action.publish({ name: "gret", output: 4 }))).toMatchObject({ code: "ACTION_UNKNOWN" });
    expect((await app.subscription.read({ topic: "action.greet", after: "start" })).items).toMatchObject([{ data: 4 }]);
  });

  test("of which the data was redacted is published no more", async () => {
    const { app, action, perform } = await startPublisher();
    await action();
    await perform("secret");
    await perform("open");
    expect((await app.subscription.read({ topic: "action.greet", after: "start" })).items).toHaveLength(2);
    await app.applyAction({
      resource: "log",
      action: "redact",
      data: { entry: 3, parts: ["body", "trace"], reason: "asked" },
    });
    await settled();
    const { items } = await app.subscription.read({ topic: "action.greet", after: "start" });
    expect(items).toMatchObject([{ data: "open" }]);
  });
});

describe("what there may be a subscription to", () => {
  test("is a topic that there is: the nearest that the caller may read is named", async () => {
    const { hub, app, action } = await startPublisher();
    await action("greet");
    await action("secret/gret");
    // Names are compared, not what all topics begin with.
    const far = await faultFrom(app.subscription.create({ topic: "action.nope" }));
    expect(far.message).toBe('nothing is published under "action.nope"; a topic is action.<name>, or a prefix with *');
    const slip = await faultFrom(app.subscription.create({ topic: "acton.greet" }));
    expect(slip.message).toBe('nothing is published under "acton.greet"; did you mean "action.greet"?');
    const fault = await faultFrom(app.subscription.create({ topic: "action.gret" }));
    expect(fault).toMatchObject({
      ...{ code: "TOPIC_UNKNOWN", message: 'nothing is published under "action.gret"; did you mean "action.greet"?' },
    });
    const { scope } = await granted(hub, { principal: "bob", allow: ["subscription"], read: ["default"] });
    expect((await faultFrom(scope.subscription.follow({ topic: "action.secret/gret", callback: "x" }))).message).toBe(
      'nothing is published under "action.secret/gret"; a topic is action.<name>, or a prefix with *',
    );
  });

  test.each(["greet", "action.", "action.*x", "Action.greet", "action.gr eet", "*", "action.\u202e"])(
    "is not %p",
    async (topic) => {
      const { app } = await startHub();
      expect(await faultFrom(app.subscription.create({ topic }))).toMatchObject({ code: "MESSAGE_INVALID" });
    },
  );

  test("by a pattern shows what the grant may read of", async () => {
    const { hub, app, action, perform } = await startPublisher();
    await action("greet");
    await action("books/add");
    await perform(1);
    await perform(2, "books/add");
    const { scope } = await granted(hub, { principal: "bob", allow: ["subscription"], read: ["books"] });
    const read = { topic: "action.*", after: "start" };
    expect((await scope.subscription.read(read)).items).toMatchObject([{ data: 2 }]);
    expect((await app.subscription.read(read)).items).toMatchObject([{ data: 1 }, { data: 2 }]);
    expect((await app.subscription.read({ ...read, topic: "action.books/*" })).items).toMatchObject([{ data: 2 }]);
    expect(await faultFrom(scope.subscription.create({ topic: "action.greet" }))).toMatchObject({
      code: "NAMESPACE_REFUSED",
    });
  });

  test("needs a right on the topic, beside the message's own", async () => {
    const { hub, action } = await startPublisher();
    await action();
    const { scope } = await granted(hub, { principal: "bob", allow: ["subscription.create"] });
    const fault = await faultFrom(scope.subscription.create({ topic: "action.greet" }));
    expect(fault).toMatchObject({
      code: "REFUSED",
      message: expect.stringContaining("subscription.read:action.greet"),
    });
  });

  test("with a receiver needs one that there is, and that the caller may have a say in", async () => {
    const { hub, app, action, receiver } = await startPublisher();
    await action();
    await receiver("mail");
    expect(await faultFrom(app.subscription.create({ topic: "action.greet", receiver: "mial" }))).toMatchObject({
      ...{ code: "RECEIVER_UNKNOWN", message: 'there is no receiver "mial"; did you mean "mail"?' },
    });
    const { scope } = await granted(hub, { principal: "bob", allow: ["subscription"], write: ["bob"] });
    const fault = await faultFrom(scope.subscription.create({ topic: "action.greet", receiver: "mail" }));
    expect(fault.code).toBe("RECEIVER_UNKNOWN");
  });
});

describe("a subscription", () => {
  test("begins now, at the start, or at a cursor", async () => {
    const { app, action, performAll } = await startPublisher();
    await action();
    await performAll(1, 3);
    const data = async (id: string) =>
      ((await app.subscription.read({ id })).items as { data: unknown }[]).map((one) => one.data);
    const { items } = await app.subscription.read({ topic: "action.greet", after: "start" });
    const [first] = items as { cursor: string }[];
    const now = await app.subscription.create({ topic: "action.greet" });
    const start = await app.subscription.create({ topic: "action.greet", from: "start" });
    const after = await app.subscription.create({ topic: "action.greet", from: first?.cursor as string });
    await performAll(4, 4);
    expect([await data(now.id), await data(start.id), await data(after.id)]).toEqual([[4], [1, 2, 3, 4], [2, 3, 4]]);
    expect(entryOf(now.cursor)).toBe(6);
  });

  test("of a name is one of its holder's", async () => {
    const { hub, app, action } = await startPublisher();
    await action();
    const first = await app.subscription.create({ topic: "action.greet", name: "mine" });
    expect(await faultFrom(app.subscription.create({ topic: "action.*", name: "mine" }))).toMatchObject({
      ...{ code: "SUBSCRIPTION_EXISTS", message: `app has a subscription "mine" of action.greet: ${first.id}` },
    });
    const { scope } = await granted(hub, { principal: "bob", allow: ["subscription"] });
    expect(await scope.subscription.create({ topic: "action.*", name: "mine" })).toMatchObject({
      id: expect.any(String),
    });
  });

  test("gets further by what its holder acknowledges, and never back", async () => {
    const { app, action, performAll, log } = await startPublisher();
    await action();
    const { id, cursor } = await app.subscription.create({ topic: "action.greet" });
    await performAll(1, 2);
    const page = await app.subscription.read({ id, limit: 1 });
    expect(await app.subscription.acknowledge({ id, cursor: page.next })).toEqual({ id, cursor: page.next });
    expect((await app.subscription.read({ id })).items).toMatchObject([{ data: 2 }]);
    expect(await app.subscription.acknowledge({ id, cursor })).toEqual({ id, cursor: page.next });
    expect(await app.subscription.read({ id, after: cursor, limit: 1 })).toMatchObject({ items: [{ data: 1 }] });
    expect(page.next).toBe(`4.${log.id}`);
  });

  test.each([
    ["nonsense", "CURSOR_INVALID"],
    ["1", "CURSOR_INVALID"],
    ["-1.l-ABC", "CURSOR_INVALID"],
    ["1.l-ABC", "CURSOR_FOREIGN"],
    ["1.l-ABC\n", "CURSOR_INVALID"],
  ])("at %p is refused as %s, by every message that takes a cursor", async (cursor, code) => {
    const { app, action } = await startPublisher();
    await action();
    const { id } = await app.subscription.create({ topic: "action.greet" });
    const topic = "action.greet";
    expect(await faultFrom(app.subscription.create({ topic, from: cursor }))).toMatchObject({ code });
    expect(await faultFrom(app.subscription.read({ topic, after: cursor }))).toMatchObject({ code });
    expect(await faultFrom(app.subscription.acknowledge({ id, cursor }))).toMatchObject({ code });
    const callback = (() => undefined) as never;
    expect(await faultFrom(app.subscription.follow({ topic, from: cursor, callback }))).toMatchObject({ code });
  });

  test("that is none is told what may be said", async () => {
    const { app, action } = await startPublisher();
    await action();
    const message = '"begin" is no cursor; one is `start`, `now`, or <entry>.<log>, as subscription.read answers it';
    for (const asked of [
      app.subscription.create({ topic: "action.greet", from: "begin" }),
      app.subscription.read({ topic: "action.greet", after: "begin" }),
    ])
      expect(await faultFrom(asked)).toMatchObject({ code: "CURSOR_INVALID", message });
  });

  test("in the log's future is refused, and says how far that is", async () => {
    const { app, action, log } = await startPublisher();
    await action();
    expect(await faultFrom(app.subscription.read({ topic: "action.greet", after: `99.${log.id}` }))).toMatchObject({
      ...{ code: "CURSOR_FUTURE", details: { head: `2.${log.id}` } },
    });
  });

  test("holds compaction up where it is, and one before what is kept is refused", async () => {
    const { app, hub, clock, action, performAll } = await startPublisher();
    await action();
    const { id, cursor } = await app.subscription.create({ topic: "action.greet" });
    await performAll(1, 30);
    clock.advance(48 * 3_600_000);
    const compact = () => app.applyAction({ resource: "log", action: "compact", data: { before: 20 } });
    await compact();
    expect(hub.reader.first).toBeLessThanOrEqual(entryOf(cursor) + 1);
    expect((await app.subscription.read({ id })).items).toHaveLength(30);
    await app.subscription.delete({ id });
    await compact();
    expect(hub.reader.first).toBe(20);
    expect(await faultFrom(app.subscription.read({ topic: "action.greet", after: cursor }))).toMatchObject({
      ...{ code: "CURSOR_GONE", details: { first: `19.${cursor.split(".")[1]}` } },
    });
    expect((await app.subscription.read({ topic: "action.greet", after: "start" })).items).toHaveLength(14);
  });

  test("is listed and shown to whom its topic may be, and ended by them", async () => {
    const { hub, app, action } = await startPublisher();
    await action("greet");
    await action("books/add");
    const one = await app.subscription.create({ topic: "action.greet" });
    const other = await app.subscription.create({ topic: "action.books/add", name: "b" });
    const { scope } = await granted(hub, {
      principal: "bob",
      allow: ["subscription"],
      read: ["books"],
      write: ["books"],
    });
    expect((await scope.subscription.list()).items).toMatchObject([
      { id: other.id, name: "b", state: "active", principal: "app" },
    ]);
    for (const ask of ["show", "delete", "resume", "read"] as const) {
      expect(await faultFrom(scope.subscription[ask]({ id: one.id }))).toMatchObject({ code: "SUBSCRIPTION_UNKNOWN" });
    }
    expect(await scope.subscription.delete({ id: other.id })).toEqual({ id: other.id });
    expect((await app.subscription.list({ limit: 1 })).items).toHaveLength(1);
    expect(await faultFrom(app.subscription.show({ id: other.id }))).toMatchObject({ code: "SUBSCRIPTION_UNKNOWN" });
  });

  test("is listed by pages, by topic and by receiver", async () => {
    const { app, action, receiver } = await startPublisher();
    await action();
    await receiver("mail");
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push((await app.subscription.create({ topic: "action.greet" })).id);
    const mailed = await app.subscription.create({ topic: "action.*", receiver: "mail" });
    const page = await app.subscription.list({ limit: 4 });
    const rest = await app.subscription.list({ limit: 4, after: page.next as string });
    expect([...page.items, ...rest.items].map((one) => (one as { id: string }).id)).toEqual([...ids, mailed.id]);
    expect((await app.subscription.list({ receiver: "mail" })).items).toMatchObject([{ id: mailed.id }]);
    expect((await app.subscription.list({ topic: "action.greet" })).items).toHaveLength(5);
  });
});

describe("reading", () => {
  test("goes page by page, and ends at the head", async () => {
    const { app, action, performAll } = await startPublisher();
    await action();
    await performAll(1, 7);
    const seen: unknown[] = [];
    for (let after = "start"; ; ) {
      const { items, next, head } = await app.subscription.read({ topic: "action.greet", after, limit: 3 });
      seen.push(...(items as { data: unknown }[]).map(({ data }) => data));
      after = next;
      if (next === head) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test("waits for what is not there yet, for as long as was said", async () => {
    const { app, clock, action, perform } = await startPublisher();
    await action();
    const waiting = app.subscription.read({ topic: "action.greet", wait: 1000 });
    await settled(2);
    await perform(1);
    expect((await waiting).items).toMatchObject([{ data: 1 }]);
    const nothing = app.subscription.read({ topic: "action.greet", wait: 1000 });
    await settled(2);
    await action("other");
    clock.advance(1000);
    const { items, next, head } = await nothing;
    expect([items, next]).toEqual([[], head]);
  });

  test("by whoever may no more, as they wait, is refused", async () => {
    const { hub, app, action, perform } = await startPublisher();
    await action();
    const { id, scope } = await granted(hub, { principal: "bob", allow: ["subscription"] });
    const waiting = faultFrom(scope.subscription.read({ topic: "action.greet", wait: 60_000 }));
    await settled(2);
    await app.grant.revoke({ grant: id });
    await perform(1);
    expect(await waiting).toMatchObject({ code: "GRANT_REVOKED" });
  });

  test("ends as the node does", async () => {
    const { hub, app, action } = await startPublisher();
    await action();
    const waiting = faultFrom(app.subscription.read({ topic: "action.greet", wait: 60_000 }));
    await settled(2);
    await hub.stop();
    expect(await waiting).toMatchObject({ code: "STOPPING" });
  });

  test("takes either an id or a topic", async () => {
    const { app, action } = await startPublisher();
    await action();
    const { id } = await app.subscription.create({ topic: "action.greet" });
    for (const which of [{}, { id, topic: "action.greet" }]) {
      expect(await faultFrom(app.subscription.read(which))).toMatchObject({ code: "MESSAGE_INVALID" });
    }
  });

  test("looks through thousands of entries that publish nothing", async () => {
    const { app, action, perform } = await startPublisher();
    await action();
    const silent = { name: "greet", publication: "none" } as const;
    for (let i = 0; i < 3; i++) await Promise.all(Array.from({ length: 1000 }, () => app.action.perform(silent)));
    await perform(1);
    const { items } = await app.subscription.read({ topic: "action.greet", after: "start" });
    expect(items).toMatchObject([{ data: 1 }]);
  });
});
