// Receivers that perform what they receive: how deep it goes is bounded by the kernel, how wide by the publisher.

import { describe, expect, test } from "bun:test";
import type { Call } from "../executor/protocol.ts";
import { protocol } from "../hub.fixture.ts";
import { settled, startPublisher } from "./publisher.fixture.ts";

describe("a receiver that performs its own action", () => {
  test("is stopped sixteen causes deep, with a dead letter and an alert", async () => {
    const { app, action, receiver, perform, given, letters } = await startPublisher();
    await action();
    const loops = ({ capstan, input }: Call) => capstan.perform("greet", (input as number) + 1);
    await receiver("loops", loops, { may: ["action.perform:greet"], attempts: 5 });
    await app.subscription.create({ topic: "action.greet", receiver: "loops" });
    await perform(0);
    await settled(200);
    expect(given("loops")).toEqual(Array.from({ length: 17 }, (_, i) => i));
    expect(await letters()).toMatchObject([{ name: "loops", code: "HOPS_EXCEEDED" }]);
    expect((await app.log.list({ message: "alert.raised" })).items).toHaveLength(1);
  });
});

describe("two receivers that each perform two", () => {
  test("are stopped at the limit: what more they were handed are dead letters, with one alert", async () => {
    const { app, action, receiver, perform, letters, given } = await startPublisher({ deliveries: { fanOut: 50 } });
    await action();
    const doubles = async ({ capstan }: Call) => {
      await capstan.perform("greet", 1);
      await capstan.perform("greet", 2);
    };
    for (const name of ["one", "two"]) {
      await receiver(name, doubles, { may: ["action.perform:greet"] });
      await app.subscription.create({ topic: "action.greet", receiver: name });
    }
    await perform(0);
    await settled(600);
    // Four are asked for because of the first, which is no loop yet; fifty because of those.
    expect((await app.subscription.read({ topic: "action.greet", after: "start", limit: 256 })).items).toHaveLength(55);
    expect([given("one").length, given("two").length]).toEqual([55, 55]);
    const codes = new Set((await letters()).map(({ code }) => code));
    expect([...codes]).toEqual(["FANOUT_EXCEEDED"]);
    expect((await app.log.list({ message: "alert.raised" })).items).toHaveLength(1);
    // What comes of another message is not held against it.
    await perform("other", "greet");
    await settled(5);
    expect(given("one").at(55)).toBe("other");
  });
});

test("many receivers of one publication are no loop, however many ask for something", async () => {
  const { app, action, receiver, perform, letters } = await startPublisher({ deliveries: { fanOut: 10 } });
  await action("greet");
  await action("note");
  await receiver("notes", ({ capstan }) => capstan.perform("note", 1), { may: ["action.perform:note"] });
  for (let i = 0; i < 30; i++) await app.subscription.create({ topic: "action.greet", receiver: "notes" });
  await perform(1);
  await settled(60);
  expect(await letters()).toEqual([]);
  expect((await app.subscription.read({ topic: "action.note", after: "start" })).items).toHaveLength(30);
});

test("what an action performs many times is no loop, though a receiver asks for something because of each", async () => {
  const many = protocol("many", async ({ capstan }) => {
    for (let i = 0; i < 30; i++) await capstan.perform("greet", i);
  });
  const started = await startPublisher({ protocols: [many], deliveries: { fanOut: 10 } });
  const { app, action, receiver, letters, given } = started;
  await action("greet");
  await action("note");
  await app.action.register({ name: "import", protocol: "many", may: ["action.perform:greet"] });
  await receiver("notes", ({ capstan }) => capstan.perform("note", 1), { may: ["action.perform:note"] });
  await app.subscription.create({ topic: "action.greet", receiver: "notes" });
  await app.action.perform({ name: "import" });
  await settled(200);
  expect([given("notes").length, await letters()]).toEqual([30, []]);
});
