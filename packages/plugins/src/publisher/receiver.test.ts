// Receivers: what is registered, what they are handed, and what they may ask for.

import { describe, expect, test } from "bun:test";
import type { Call } from "../executor/protocol.ts";
import { faultFrom, granted } from "../hub.fixture.ts";
import { settled, startPublisher } from "./publisher.fixture.ts";

describe("a receiver", () => {
  test("is registered with a protocol and a configuration, by name and revision", async () => {
    const { app } = await startPublisher();
    const said = { name: "mail", protocol: "code", attempts: 3 };
    expect(await app.receiver.register(said)).toEqual({ name: "mail", revision: 1 });
    expect(await faultFrom(app.receiver.register(said))).toMatchObject({ code: "RECEIVER_EXISTS" });
    const may = ["action.perform:log"];
    expect(await app.receiver.update({ name: "mail", may })).toEqual({ name: "mail", revision: 2 });
    const stale = app.receiver.update({ name: "mail", revision: 1 });
    expect(await faultFrom(stale)).toMatchObject({ code: "REVISION_CONFLICT" });
    expect(await app.receiver.show({ name: "mail" })).toMatchObject({
      ...{ name: "mail", revision: 2, protocol: "code", attempts: 3, may, subscriptions: [] },
      registrant: { principal: "app", grant: "node" },
    });
    expect((await app.receiver.list()).items).toMatchObject([{ name: "mail", revision: 2, protocol: "code" }]);
    expect(await app.receiver.remove({ name: "mail" })).toEqual({ name: "mail", revision: 2 });
    expect(await faultFrom(app.receiver.show({ name: "mial" }))).toMatchObject({ code: "RECEIVER_UNKNOWN" });
  });

  test.each([
    [{ protocol: "cod" }, "PROTOCOL_UNKNOWN"],
    [{ protocol: "code", configuration: { x: 1 } }, "CONFIG_INVALID"],
    [{ protocol: "code", input: { type: "nonsense" } }, "SCHEMA_INVALID"],
    [{ protocol: "code", attempts: 0 }, "MESSAGE_INVALID"],
    [{ protocol: "code", output: {} }, "MESSAGE_INVALID"],
  ])("as %p is refused as %s", async (said, code) => {
    const { app } = await startPublisher();
    expect(await faultFrom(app.receiver.register({ name: "mail", ...said } as never))).toMatchObject({ code });
  });

  test("is listed to whom its namespace may be read by", async () => {
    const { hub, receiver } = await startPublisher();
    await receiver("a/mail");
    await receiver("b/mail");
    const { scope } = await granted(hub, { principal: "bob", allow: ["receiver"], read: ["b"] });
    expect((await scope.receiver.list()).items).toMatchObject([{ name: "b/mail" }]);
    expect(await faultFrom(scope.receiver.show({ name: "a/mail" }))).toMatchObject({ code: "NAMESPACE_REFUSED" });
  });
});

describe("an update", () => {
  test("leaves what it does not say, and takes away what it says is null", async () => {
    const { app } = await startPublisher();
    const transform = { input: "$.text" };
    await app.receiver.register({ name: "mail", protocol: "code", transform, attempts: 3, input: { type: "object" } });
    await app.receiver.update({ name: "mail", timeout: 7 });
    const shown = await app.receiver.show({ name: "mail" });
    expect(shown).toMatchObject({ transform, attempts: 3, timeout: 7, input: { type: "object" } });
    await app.receiver.update({ name: "mail", transform: null });
    expect(await app.receiver.show({ name: "mail" })).not.toHaveProperty("transform");
  });

  test("by somebody else lends its code nothing: what it may has to be said anew", async () => {
    const { hub } = await startPublisher();
    const bob = await granted(hub, { principal: "bob", allow: ["receiver"] });
    const ada = await granted(hub, { principal: "ada", allow: ["*"] });
    await bob.scope.receiver.register({ name: "mail", protocol: "code", may: ["*"] });
    const update = ada.scope.receiver.update({ name: "mail", timeout: 7 });
    expect(await faultFrom(update)).toMatchObject({ code: "MAY_UNSAID", details: { may: ["*"] } });
    await ada.scope.receiver.update({ name: "mail", timeout: 7, may: [] });
    expect(await ada.scope.receiver.show({ name: "mail" })).toMatchObject({
      may: [],
      registrant: { principal: "ada" },
    });
  });
});

describe("what a receiver is handed", () => {
  test("is each publication of its topic, in order, with where it stands and a key of its own", async () => {
    const { app, action, receiver, performAll, given, handed } = await startPublisher();
    await action();
    await receiver("mail");
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await performAll(1, 30);
    await settled();
    expect(given("mail")).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
    const [first, second] = handed;
    expect(first?.publication).toMatchObject({ topic: "action.greet", subscription: id, id: expect.any(String) });
    expect(first?.attempt).toBe(1);
    expect(first?.key).not.toBe(second?.key as string);
  });

  test("begins where its subscription does", async () => {
    const { app, action, receiver, performAll, given } = await startPublisher();
    await action();
    await performAll(1, 2);
    await receiver("all");
    await receiver("new");
    await app.subscription.create({ topic: "action.*", receiver: "all", from: "start" });
    await app.subscription.create({ topic: "action.*", receiver: "new" });
    await performAll(3, 3);
    await settled();
    expect([given("all"), given("new")]).toEqual([[1, 2, 3], [3]]);
  });

  test("that does not fit its schema is a dead letter, and it is not run", async () => {
    const { app, action, receiver, perform, given, letters } = await startPublisher();
    await action();
    await receiver("mail", undefined, { input: { type: "integer" }, attempts: 5 });
    await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform("x");
    await perform(2);
    await settled();
    expect(given("mail")).toEqual([2]);
    expect(await letters()).toMatchObject([{ name: "mail", code: "INPUT_INVALID" }]);
  });

  test("stops where it is once its subscription's holder may no more, and goes on in another's name", async () => {
    const { hub, app, action, receiver, perform, given, show } = await startPublisher();
    await action();
    await receiver("mail");
    const { id: grant, scope } = await granted(hub, { principal: "bob", allow: ["subscription"] });
    const { id } = await scope.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    await app.grant.revoke({ grant });
    await perform(2);
    await settled();
    expect(given("mail")).toEqual([1]);
    expect(await show(id)).toMatchObject({ state: "stopped", why: { code: "GRANT_REVOKED" }, lag: 2 });
    await app.subscription.resume({ id });
    await settled();
    expect(given("mail")).toEqual([1, 2]);
    expect(await show(id)).toMatchObject({ state: "active", lag: 0 });
  });

  test("stops where it is once its registrant may register it no more, and goes on with another's", async () => {
    const { hub, app, action, perform, given, show } = await startPublisher();
    await action();
    const { id: grant, scope } = await granted(hub, { principal: "bob", allow: ["receiver"] });
    await scope.receiver.register({ name: "mail", protocol: "code" });
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    await app.grant.revoke({ grant });
    await perform(2);
    await settled();
    expect(given("mail")).toEqual([1]);
    expect(await show(id)).toMatchObject({ state: "stopped", why: { code: "GRANT_REVOKED" } });
    await app.receiver.update({ name: "mail", timeout: 5000 });
    await settled();
    expect(given("mail")).toEqual([1, 2]);
    expect(await show(id)).toMatchObject({ state: "active", lag: 0 });
  });

  test("waits while it is not there, and goes on with it as it is then", async () => {
    const { app, action, receiver, performAll, given, show } = await startPublisher();
    await action();
    await receiver("mail");
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await app.receiver.remove({ name: "mail" });
    await performAll(1, 2);
    await settled();
    expect(await show(id)).toMatchObject({ state: "stopped", why: { code: "RECEIVER_UNKNOWN" } });
    await app.receiver.register({ name: "mail", protocol: "code" });
    await settled();
    expect(given("mail")).toEqual([1, 2]);
    expect(await show(id)).toMatchObject({ state: "active" });
  });

  test("is nothing more once its subscription is deleted", async () => {
    const { app, action, receiver, perform, given } = await startPublisher();
    await action();
    await receiver("mail");
    const { id } = await app.subscription.create({ topic: "action.greet", receiver: "mail" });
    await perform(1);
    await settled();
    await app.subscription.delete({ id });
    await perform(2);
    await settled();
    expect(given("mail")).toEqual([1]);
  });
});

describe("what a receiver asks for", () => {
  test("is nothing by default; and by `may` what its registrant may, with the publication as its cause", async () => {
    const { app, action, receiver, letters } = await startPublisher();
    await action("greet");
    await action("note");
    const asks = ({ capstan, input }: Call) => capstan.perform("note", { noted: input });
    await receiver("none", asks);
    await receiver("some", asks, { may: ["action.perform:note"] });
    await app.subscription.create({ topic: "action.greet", receiver: "none" });
    await app.subscription.create({ topic: "action.greet", receiver: "some" });
    await app.action.perform({ name: "greet", input: 1 }, { correlation: "order 7" });
    await settled(30);
    expect(await letters()).toMatchObject([{ name: "none", code: "REFUSED" }]);
    const published = async (topic: string) =>
      (await app.subscription.read({ topic, after: "start" })).items as { readonly id: string }[];
    const [note] = await published("action.note");
    expect(note).toMatchObject({ data: { noted: 1 }, principal: "app", correlation: "order 7" });
    const [greeting] = await published("action.greet");
    expect(await app.log.explain({ id: note?.id as string })).toMatchObject({
      because: [{ message: "action.perform", id: greeting?.id }],
    });
  });

  test("is not more than its registrant may, whatever `may` says", async () => {
    const { hub, app, action, receives, perform, letters } = await startPublisher();
    await action("greet");
    await action("note");
    receives.set("bobs", ({ capstan }) => capstan.perform("note", 1));
    const allow = ["receiver", "subscription", "action.perform:greet"];
    const { scope } = await granted(hub, { principal: "bob", allow });
    await scope.receiver.register({ name: "bobs", protocol: "code", may: ["*"] });
    await scope.subscription.create({ topic: "action.greet", receiver: "bobs" });
    await perform(1);
    await settled(30);
    expect(await letters()).toMatchObject([{ name: "bobs", code: "REFUSED" }]);
    expect((await app.subscription.read({ topic: "action.note", after: "start" })).items).toEqual([]);
  });
});
