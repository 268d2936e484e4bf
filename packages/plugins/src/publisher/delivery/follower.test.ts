// Callbacks that follow: history and then what comes, in order, once each; and what becomes of one that is slow, fails, is
// replaced, or may no more.

import { describe, expect, test } from "bun:test";
import { faultFrom, granted } from "../../hub.fixture.ts";
import { liveScope, settled, startPublisher } from "../publisher.fixture.ts";

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("a callback that follows a topic", () => {
  test("is called with what comes, and with where to go on from", async () => {
    const { action, performAll, follow, log } = await startPublisher();
    await action();
    const { got, batches, cursor, follower } = await follow({ topic: "action.greet" });
    expect([follower, cursor]).toEqual(["f-1", `2.${log.id}`]);
    await performAll(1, 3);
    await settled();
    expect(got()).toEqual([1, 2, 3]);
    expect(batches.at(-1)?.next).toBe(`5.${log.id}`);
    expect(batches[0]?.publications[0]).toMatchObject({ topic: "action.greet", action: "greet", principal: "app" });
  });

  test("has history and then what comes without a gap or a repeat, while it comes", async () => {
    const { app, action, follow } = await startPublisher();
    await action();
    await Promise.all(numbers(1, 700).map((input) => app.action.perform({ name: "greet", input })));
    const { got } = await follow({ topic: "action.greet", from: "start" });
    // These are decided while the history of those is being read.
    await Promise.all(numbers(701, 1000).map((input) => app.action.perform({ name: "greet", input })));
    await settled(40);
    expect(got()).toEqual(numbers(1, 1000));
  });

  test("has one batch at a time, of 256 at most, and the next once it answered", async () => {
    const { action, follow, app, perform } = await startPublisher();
    await action();
    const answers: (() => void)[] = [];
    const answer = () => new Promise<void>((resolve) => answers.push(resolve));
    const { batches } = await follow({ topic: "action.greet" }, app, answer);
    await perform(1);
    await settled();
    await Promise.all(numbers(2, 600).map((input) => app.action.perform({ name: "greet", input })));
    await settled();
    expect(batches.map(({ publications }) => publications.length)).toEqual([1]);
    for (let i = 0; i < 2; i++) {
      answers[i]?.();
      await settled();
    }
    expect(batches.map(({ publications }) => publications.length)).toEqual([1, 256, 256]);
  });

  test("that is not answered in time is let go, and told so; nobody else waits for it", async () => {
    const { action, perform, follow, app, clock } = await startPublisher({ deliveries: { patience: 1000 } });
    await action();
    const hangs = await follow({ topic: "action.greet" }, app, () => new Promise(() => {}));
    const other = await follow({ topic: "action.greet" });
    await perform(1);
    await settled();
    await perform(2);
    await settled();
    expect([hangs.got(), other.got()]).toEqual([[1], [1, 2]]);
    clock.advance(1000);
    await settled();
    await perform(3);
    await settled();
    expect(hangs.ended()).toMatchObject({ code: "FOLLOWER_SLOW" });
    expect([hangs.got(), other.got()]).toEqual([[1], [1, 2, 3]]);
  });

  test("that fails is let go, with where it was", async () => {
    const { action, perform, follow, app } = await startPublisher();
    await action();
    const { batches, cursor, got } = await follow({ topic: "action.greet" }, app, () => {
      throw new Error("full");
    });
    await perform(1);
    await settled();
    await perform(2);
    await settled();
    expect(got()).toEqual([1]);
    const ended = { code: "FOLLOWER_FAILED", message: expect.stringContaining("full") };
    expect(batches.at(-1)).toMatchObject({ next: cursor, ended });
  });

  test("whose grant is revoked hears of it at once, and of nothing more", async () => {
    const { hub, app, action, perform, follow } = await startPublisher();
    await action();
    const { id } = await granted(hub, { principal: "bob", allow: ["subscription"] });
    const { got, ended } = await follow({ topic: "action.*" }, liveScope(hub, { principal: "bob", grant: id }));
    await perform(1);
    await settled();
    await app.grant.revoke({ grant: id });
    await settled();
    expect(ended()).toMatchObject({ code: "GRANT_REVOKED" });
    await perform(2);
    await settled();
    expect(got()).toEqual([1]);
  });

  test("under a grant that ends is let go with what comes after", async () => {
    const { hub, clock, action, perform, follow } = await startPublisher();
    await action();
    const { id } = await granted(hub, { principal: "bob", allow: ["subscription"], expires: clock.now() + 1000 });
    const { got, ended } = await follow({ topic: "action.*" }, liveScope(hub, { principal: "bob", grant: id }));
    clock.advance(2000);
    await perform(1);
    await settled();
    expect([got(), ended()]).toEqual([[], expect.objectContaining({ code: "GRANT_EXPIRED" })]);
  });

  test("has to be one: text is none, and nor is nothing", async () => {
    const { app, action } = await startPublisher();
    await action();
    const follow = (callback: unknown) =>
      faultFrom(app.subscription.follow({ topic: "action.greet", callback } as never));
    expect(await follow("live-7")).toMatchObject({ code: "LIVE_UNAVAILABLE" });
    expect(await follow(undefined)).toMatchObject({ code: "MESSAGE_INVALID" });
  });

  test("hears of nothing that is not durable", async () => {
    const { app, action, follow } = await startPublisher();
    await action();
    const { got } = await follow({ topic: "action.greet" });
    const performed = app.action.perform({ name: "greet", input: 1 });
    await Promise.resolve();
    expect(got()).toEqual([]);
    await performed;
    await settled();
    expect(got()).toEqual([1]);
  });
});

describe("a callback that follows a subscription", () => {
  test("begins where that is, and gets it further by answering", async () => {
    const { app, action, performAll, follow, show, clock } = await startPublisher();
    await action();
    const { id } = await app.subscription.create({ topic: "action.greet" });
    await performAll(1, 3);
    const first = await follow({ id });
    await settled();
    expect(first.got()).toEqual([1, 2, 3]);
    expect(await show(id)).toMatchObject({ followed: true, lag: 0 });
    clock.advance(50);
    await settled();
    expect((await app.subscription.read({ id })).items).toEqual([]);
  });

  test("takes over from the one before, which is told; what that had not answered comes again", async () => {
    const { app, action, perform, follow, show } = await startPublisher();
    await action();
    const { id } = await app.subscription.create({ topic: "action.greet" });
    const first = await follow({ id }, app, ({ publications }) =>
      publications.some(({ data }) => data === 2) ? new Promise(() => {}) : undefined,
    );
    await perform(1);
    await settled();
    await perform(2);
    await settled();
    const second = await follow({ id });
    await settled();
    expect(first.ended()).toMatchObject({ code: "SUBSCRIPTION_TAKEN" });
    expect([first.got(), second.got()]).toEqual([[1, 2], [2]]);
    await perform(3);
    await settled();
    expect([first.got(), second.got()]).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect(await show(id)).toMatchObject({ followed: true });
  });

  test("that fails leaves it where it was, and is shown to have left", async () => {
    const { app, action, perform, follow, show } = await startPublisher();
    await action();
    const { id, cursor } = await app.subscription.create({ topic: "action.greet" });
    await follow({ id }, app, () => Promise.reject(new Error("no")));
    await perform(1);
    await settled();
    const left = { code: "FOLLOWER_FAILED" };
    expect(await show(id)).toMatchObject({ followed: false, left, cursor, state: "active" });
    const { got } = await follow({ id });
    await settled();
    expect(got()).toEqual([1]);
  });

  test("is let go when it is deleted, and when its holder may no more", async () => {
    const { hub, app, action, follow, show } = await startPublisher();
    await action();
    const { id: grant, scope } = await granted(hub, { principal: "bob", allow: ["subscription"] });
    const { id } = await scope.subscription.create({ topic: "action.greet" });
    const other = await app.subscription.create({ topic: "action.greet" });
    const [mine, others] = [await follow({ id }, app), await follow({ id: other.id })];
    await app.grant.revoke({ grant });
    await app.subscription.delete({ id: other.id });
    await settled();
    expect([mine.ended(), others.ended()]).toMatchObject([{ code: "GRANT_REVOKED" }, { code: "SUBSCRIPTION_UNKNOWN" }]);
    expect(await show(id)).toMatchObject({ state: "stopped", why: { code: "GRANT_REVOKED" } });
    await app.subscription.resume({ id });
    expect(await show(id)).toMatchObject({ state: "active" });
  });

  test("has no other place to begin, and is not a receiver's", async () => {
    const { app, action, receiver } = await startPublisher();
    await action();
    await receiver("mail");
    const { id } = await app.subscription.create({ topic: "action.greet" });
    const { id: received, cursor } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    const callback = (() => undefined) as never;
    for (const data of [{ id, from: "start" }, { id: received }]) {
      expect(await faultFrom(app.subscription.follow({ ...data, callback }))).toMatchObject({ code: "CURSOR_INVALID" });
    }
    expect(await faultFrom(app.subscription.acknowledge({ id: received, cursor }))).toMatchObject({
      code: "CURSOR_INVALID",
    });
  });
});

test("a thousand followers have the same, and one of them that hangs changes nothing for the others", async () => {
  const { app, action, performAll, follow } = await startPublisher();
  await action();
  const hangs = (i: number) => () => (i === 7 ? new Promise(() => {}) : undefined);
  const followers = await Promise.all(numbers(1, 1000).map((i) => follow({ topic: "action.greet" }, app, hangs(i))));
  await performAll(1, 1);
  await settled(100);
  await performAll(2, 20);
  await settled(200);
  const expected = (i: number) => (i === 6 ? [1] : numbers(1, 20));
  const wrong = followers.filter(({ got }, i) => JSON.stringify(got()) !== JSON.stringify(expected(i)));
  expect(wrong).toEqual([]);
});
