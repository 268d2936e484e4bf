// A receiver that fails: what is tried again and when, what is given up, and how a dead letter of it is handed over once more.

import { describe, expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import type { Protocol } from "../executor/protocol.ts";
import { Clock, faultFrom, granted, protocol } from "../hub.fixture.ts";
import { away, settled, startPublisher } from "./publisher.fixture.ts";

const fails = () => {
  throw away();
};

describe("a receiver that fails", () => {
  test("is tried again, as often as was said, and nothing overtakes", async () => {
    const { app, action, receiver, performAll, given, clock, show } = await startPublisher();
    await action();
    let failures = 2;
    const twice = () => {
      if (failures-- > 0) throw away();
    };
    await receiver("mail", twice, { attempts: 3, backoff: 100 });
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await performAll(1, 2);
    await settled();
    expect(given("mail")).toEqual([1]);
    expect(await show(id)).toMatchObject({ failing: { attempt: 1, error: { code: "ACTION_FAILED" } } });
    clock.advance(100);
    await settled();
    expect(given("mail")).toEqual([1, 1]);
    clock.advance(199);
    await settled();
    expect(given("mail")).toEqual([1, 1]);
    clock.advance(1);
    await settled();
    expect(given("mail")).toEqual([1, 1, 1, 2]);
    expect(await show(id)).not.toHaveProperty("failing");
  });

  test("for good is a dead letter with an alert, and the next is delivered", async () => {
    const { app, action, receiver, performAll, given, letters } = await startPublisher();
    await action();
    await receiver("mail", ({ input }) => {
      if (input === 1) throw new Error("no such address");
    });
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await performAll(1, 2);
    await settled();
    expect(given("mail")).toEqual([1, 2]);
    const [letter] = await letters();
    expect(letter).toMatchObject({ name: "mail", about: `${id}/5`, code: "ACTION_FAILED" });
    expect(await app.deadLetter.show({ id: letter?.id as string })).toMatchObject({
      ...{ kind: "delivery", attempts: 1, principal: "app", error: { message: "mail: no such address" } },
      redrive: { resource: "subscription", action: "redeliver", data: { id, entry: 5 } },
    });
    expect((await app.log.list({ message: "alert.raised" })).items).toHaveLength(1);
  });

  test("is told of with how many dead letters there are of each subscription, as long as they are open, over restarts", async () => {
    const { app, action, receiver, performAll, letters, show, again } = await startPublisher();
    await action();
    await receiver("mail", fails);
    await receiver("print");
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    const { id: fine } = await app.subscription.create({ topic: "action.greet", receiver: "print" });
    const { id: cursor } = await app.subscription.create({ topic: "action.greet" });
    await performAll(1, 3);
    await settled();
    expect(await show(id)).toMatchObject({ state: "active", deadLetters: 3 });
    expect(await show(fine)).toMatchObject({ deadLetters: 0 });
    expect(await show(cursor)).not.toHaveProperty("deadLetters");
    await app.deadLetter.discard({ id: (await letters())[0]?.id as string, reason: "given up" });
    const { items } = (await app.subscription.list({})) as { items: readonly { id: string; deadLetters?: number }[] };
    expect(Object.fromEntries(items.map((item) => [item.id, item.deadLetters]))).toEqual({
      ...{ [id]: 2, [fine]: 0, [cursor]: undefined },
    });
    const next = await again();
    const read: string[] = [];
    const { rows } = next.hub.reader;
    next.hub.reader.rows = (table) => {
      read.push(table.name);
      return rows.call(next.hub.reader, table) as never;
    };
    expect([await next.show(id), await next.show(fine)]).toMatchObject([{ deadLetters: 2 }, { deadLetters: 0 }]);
    await next.app.subscription.list({});
    // There may be a hundred thousand letters.
    expect(read).toContain("subscription");
    expect(read).not.toContain("deadLetterAbout");
  });

  test("in a way that trying again does not help against is not tried again", async () => {
    const { app, action, receiver, perform, given, letters } = await startPublisher();
    await action();
    const final = () => {
      throw new FaultError(fault("GRANT_REVOKED", "no more"));
    };
    await receiver("mail", final, { attempts: 9 });
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    expect(given("mail")).toEqual([1]);
    expect(await letters()).toMatchObject([{ code: "GRANT_REVOKED" }]);
  });

  test("with a fault of its protocol's own is tried again as that one's table says", async () => {
    let sent = 0;
    const post: Protocol = {
      ...protocol("post", () => {
        sent++;
        throw new FaultError(fault("POST_REFUSED", "not taken here"));
      }),
      faults: { POST_REFUSED: { status: 502, retryable: false, text: "The post office does not take it." } },
    };
    const { app, action, perform, letters } = await startPublisher({ protocols: [post] });
    await action();
    await app.receiver.register({ name: "mail", protocol: "post", attempts: 9 });
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    expect(sent).toBe(1);
    expect(await letters()).toMatchObject([{ code: "POST_REFUSED" }]);
  });

  test("by hanging is ended at its time, and delays nobody else", async () => {
    const { app, action, receiver, performAll, given, letters, clock, handed } = await startPublisher();
    await action();
    await receiver("hangs", () => new Promise(() => {}), { timeout: 1000 });
    await receiver("mail");
    await app.subscription.create({ topic: "action.greet", receiver: "hangs" });
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await performAll(1, 3);
    await settled();
    expect([given("hangs"), given("mail")]).toEqual([[1], [1, 2, 3]]);
    const signal = handed.find(({ task }) => task.name === "hangs")?.signal;
    clock.advance(1000);
    await settled();
    expect(signal?.aborted).toBe(true);
    expect(await letters()).toMatchObject([{ name: "hangs", code: "DEADLINE_EXCEEDED" }]);
    expect(given("hangs")).toEqual([1, 2]);
  });

  test("is tried with what it was mended to at once, and not after its wait", async () => {
    const { app, action, receiver, perform, receives, given } = await startPublisher();
    await action();
    await receiver("mail", fails, { attempts: 5, backoff: 3_600_000 });
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    receives.set("mail", () => undefined);
    await app.receiver.update({ name: "mail" });
    await settled();
    expect(given("mail")).toEqual([1, 1]);
    await perform(2);
    await settled();
    expect(given("mail")).toEqual([1, 1, 2]);
  });

  test("is not held against by a circuit that is open: it waits for that, and loses no attempt", async () => {
    const time = new Clock();
    const { app, action, receiver, perform, given, clock, letters, show } = await startPublisher({
      clock: time,
      executor: { now: time.now },
    });
    await action();
    const breaker = { failures: 1, cooldown: 500 };
    await receiver("mail", fails, { attempts: 3, backoff: 100, breaker });
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    clock.advance(100);
    await settled();
    expect([given("mail"), await letters()]).toEqual([[1], []]);
    expect(await show(id)).toMatchObject({ failing: { attempt: 2, error: { code: "CIRCUIT_OPEN" } } });
    for (let i = 0; i < 8; i++) {
      clock.advance(500);
      await settled();
    }
    expect([given("mail"), await letters()]).toMatchObject([[1, 1, 1], [{ code: "ACTION_FAILED" }]]);
  });

  test("with what another's circuit refused has run, and is given up in the end; so is what says that a node stops", async () => {
    const { app, action, receiver, perform, given, clock, letters } = await startPublisher();
    await action();
    for (const code of ["CIRCUIT_OPEN", "STOPPING"]) {
      const refused = () => {
        throw new FaultError(fault(code, "not now"));
      };
      const name = code.toLowerCase();
      await receiver(name, refused, { attempts: 2, backoff: 500, breaker: { failures: 9, cooldown: 500 } });
      await app.subscription.create({ topic: "action.greet", receiver: name });
    }
    await perform(1);
    for (let i = 0; i < 40; i++) {
      await settled(4);
      clock.advance(500);
    }
    await settled();
    expect([given("circuit_open"), given("stopping")]).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect((await letters()).map(({ code }) => code).sort()).toEqual(["CIRCUIT_OPEN", "STOPPING"]);
  });

  test("by many at a time that hang does not keep the others waiting for long", async () => {
    const { app, action, receiver, perform, given, clock } = await startPublisher({ deliveries: { concurrency: 2 } });
    await action();
    for (let i = 0; i < 6; i++) {
      await receiver(`hangs${i}`, () => new Promise(() => {}));
      await app.subscription.create({ topic: "action.greet", receiver: `hangs${i}` });
    }
    await receiver("mail", async () => undefined);
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    for (let i = 0; i < 4; i++) {
      await settled(4);
      clock.advance(250);
    }
    await settled();
    expect(given("mail")).toEqual([1]);
  });
});

describe("a dead letter of a delivery", () => {
  async function failed() {
    const started = await startPublisher();
    const { app, action, receiver, perform, letters } = started;
    await action();
    await receiver("mail", fails);
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform("a");
    await settled();
    const [letter] = await letters();
    return { ...started, subscription: id, letter: letter as NonNullable<typeof letter> };
  }

  test("is redriven: handed over once more, and gone", async () => {
    const { app, receives, letter, given, letters } = await failed();
    receives.set("mail", () => undefined);
    const redriven = await app.deadLetter.redrive({ id: letter.id });
    expect(redriven).toMatchObject({ id: letter.id, message: expect.any(String) });
    await settled();
    expect(given("mail")).toEqual(["a", "a"]);
    expect(await letters()).toEqual([]);
    expect(await app.deadLetter.show({ id: letter.id })).toMatchObject({ state: "redriven" });
  });

  test("that fails again is one again, which names the earlier", async () => {
    const { app, letter, letters } = await failed();
    await app.deadLetter.redrive({ id: letter.id });
    await settled(20);
    const [again] = await letters();
    expect(again?.id).not.toBe(letter.id);
    const shown = await app.deadLetter.show({ id: again?.id as string });
    expect(shown).toMatchObject({ earlier: letter.id, name: "mail", principal: "app" });
  });

  test("is handed over by hand too, by whom the receiver may be changed by, who is told what came of it", async () => {
    const { hub, app, receives, subscription: id, letters, letter } = await failed();
    const ask = { id, entry: Number(letter.about.split("/")[1]) };
    const none = app.subscription.redeliver({ id, entry: 1 });
    expect(await faultFrom(none)).toMatchObject({ code: "DELIVERY_UNKNOWN" });
    const { scope } = await granted(hub, { principal: "bob", allow: ["subscription"], write: ["bob"] });
    expect(await faultFrom(scope.subscription.redeliver(ask))).toMatchObject({ code: "SUBSCRIPTION_UNKNOWN" });
    expect(await faultFrom(app.subscription.redeliver(ask))).toMatchObject({ code: "ACTION_FAILED" });
    receives.set("mail", () => undefined);
    expect(await app.subscription.redeliver(ask)).toEqual(ask);
    expect(await letters()).toEqual([]);
    expect(await faultFrom(app.subscription.redeliver(ask))).toMatchObject({ code: "DELIVERY_UNKNOWN" });
  });

  test("is handed over by nobody, and to nobody, who may not read its topic any more", async () => {
    const { hub, app, action, receiver, perform, given, letters } = await startPublisher();
    await action();
    await receiver("mail", fails);
    const ann = await granted(hub, { principal: "ann", allow: ["subscription"] });
    const { id } = await ann.scope.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform("a");
    await settled();
    const [letter] = await letters();
    const redriven = (scope: typeof app) => scope.deadLetter.redrive({ id: letter?.id as string });
    const { scope } = await granted(hub, { principal: "bob", allow: ["deadLetter", "subscription.redeliver"] });
    await redriven(scope).catch(() => {});
    await settled();
    expect([given("mail"), (await letters()).length]).toEqual([["a"], 1]);
    const ask = { id, entry: Number(letter?.about.split("/")[1]) };
    expect(await faultFrom(scope.subscription.redeliver(ask))).toMatchObject({ code: "REFUSED" });
    await app.grant.revoke({ grant: ann.id });
    await settled();
    await redriven(app).catch(() => {});
    await settled(20);
    expect([given("mail"), await letters()]).toMatchObject([["a"], [{ name: "mail", code: "GRANT_REVOKED" }]]);
  });
});
