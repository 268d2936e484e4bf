// A receiver is anybody's code: what it throws, alters or holds on to is its own, and neither the node's nor its neighbours'.

import { describe, expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import { settled, startPublisher } from "./publisher.fixture.ts";

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
let deep: unknown = 1;
for (let i = 0; i < 300; i++) deep = { deep };

describe("a receiver that ends with", () => {
  const odd: Record<string, () => unknown> = {
    "details that are no JSON": () => new FaultError(fault("ACTION_FAILED", "x", { big: 1n })),
    "cyclic details": () => new FaultError(fault("ACTION_FAILED", "x", cyclic)),
    "details that are too deep": () => new FaultError(fault("ACTION_FAILED", "x", deep)),
    "a text that is too long": () => new FaultError(fault("ACTION_FAILED", "x".repeat(20_000_000))),
    "a code that is none": () => new FaultError({ code: 7, message: "x" } as never),
    "details that the log has no key for": () => new FaultError(fault("A_FAULT", "x", JSON.parse('{"__proto__":1}'))),
  };
  for (const [what, made] of Object.entries(odd)) {
    test(`${what} is a dead letter, and the next is delivered`, async () => {
      const { app, action, receiver, performAll, given, letters } = await startPublisher();
      await action();
      await receiver("mail", ({ input }) => {
        if (input === 1) throw made();
      });
      await app.subscription.create({ topic: "action.greet", receiver: "mail" });
      await performAll(1, 2);
      await settled();
      expect([given("mail"), (await letters()).map(({ name }) => name)]).toEqual([[1, 2], ["mail"]]);
    });
  }
});

test("what a receiver alters of what it was handed is altered for nobody", async () => {
  const { app, action, receiver, perform } = await startPublisher();
  await action();
  const seen: unknown[] = [];
  await receiver("alters", ({ input }) => {
    (input as { inner: { text: string } }).inner.text = "altered";
  });
  await receiver("mail", ({ input }) => void seen.push(structuredClone(input)));
  await app.subscription.create({ topic: "action.greet", receiver: "alters" });
  await app.subscription.create({ topic: "action.greet", receiver: "mail" });
  await perform({ inner: { text: "hello" } });
  await settled();
  const { items } = await app.subscription.read({ topic: "action.greet", after: "start" });
  expect([seen, items]).toMatchObject([[{ inner: { text: "hello" } }], [{ data: { inner: { text: "hello" } } }]]);
});

test("deliveries that looked at their signal leave no listener behind", async () => {
  const { app, action, receiver, performAll, given } = await startPublisher();
  await action();
  const listening = new Map<EventTarget, number>();
  const { addEventListener, removeEventListener } = AbortSignal.prototype;
  const counting = (by: number, inner: (...given: never[]) => void) =>
    function (this: EventTarget, ...args: never[]) {
      listening.set(this, (listening.get(this) ?? 0) + by);
      inner.apply(this, args);
    };
  AbortSignal.prototype.addEventListener = counting(1, addEventListener as never) as never;
  AbortSignal.prototype.removeEventListener = counting(-1, removeEventListener as never) as never;
  try {
    const looks = (signal: AbortSignal) => signal.aborted;
    await receiver("later", async ({ signal }) => looks(signal));
    await receiver("at-once", ({ signal }) => looks(signal));
    await receiver("fails", ({ signal }) => {
      throw new Error(String(looks(signal)));
    });
    for (const name of ["later", "at-once", "fails"]) {
      await app.subscription.create({ topic: "action.greet", receiver: name });
    }
    await performAll(1, 5);
    await settled(40);
  } finally {
    Object.assign(AbortSignal.prototype, { addEventListener, removeEventListener });
  }
  expect(["later", "at-once", "fails"].map((name) => given(name).length)).toEqual([5, 5, 5]);
  expect([...listening.values()].filter((left) => left > 0)).toEqual([]);
});
