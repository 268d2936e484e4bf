// Code that a publication of another node reaches: it has its own narrow grant, whoever published, and what it asks for leads back to
// where that came from. Loops over several nodes end as those of one do.

import { describe, expect, test } from "bun:test";
import { decodeEntry } from "@capstan/orchestrator";
import type { Call } from "../../executor/protocol.ts";
import { faultFrom } from "../../hub.fixture.ts";
import { away, settled } from "../publisher.fixture.ts";
import { bridged, GREET, type Island, nextLife, startIsland, two } from "./islands.fixture.ts";

async function headersOf({ runtime }: Island) {
  const entries = await runtime.reader.entries(1, { limit: 1000 });
  return entries.map(decodeEntry).map(({ header, seq }) => ({ ...header, seq }));
}

describe("a receiver that a foreign publication reaches", () => {
  test("runs under its own narrow grant: what it may not is refused, and its dead letter leads to the import", async () => {
    const { a, b } = await two();
    await b.action("note");
    await b.action("wipe");
    // The node's operator may everything, and registers a receiver that may one thing.
    const tries = async ({ capstan, input }: Call) => {
      await capstan.perform("note", input);
      await capstan.perform("wipe", input);
    };
    await b.receiver("tries", tries, { may: ["action.perform:note"], attempts: 3 });
    const { id: subscription } = await b.app.subscription.create({ topic: GREET, receiver: "tries" });
    await settled();
    await b.pull();
    await a.app.action.perform({ name: "greet", input: "over there" }, { correlation: "c-7" });
    await b.pull();
    await settled(40);

    const headers = await headersOf(b);
    const imported = headers.filter(({ message }) => message === "subscription.import").at(-1);
    const asked = headers.filter(({ cause }) => cause === imported?.id);
    // What it was let do and what it was refused are asked in its registrant's name, because of the import, once each.
    expect(asked.map(({ message, verdict, principal }) => [message, verdict, principal])).toEqual([
      ["action.perform", "done", "app"],
      ["action.perform", "refused", "app"],
      ["subscription.fail", "done", "node:n-b"],
    ]);
    expect(await b.letters()).toMatchObject([
      { name: "tries", code: "REFUSED", about: `${subscription}/${imported?.seq}` },
    ]);
    const [letter] = await b.letters();
    expect(await b.app.deadLetter.show({ id: letter?.id as string })).toMatchObject({
      ...{ owing: imported?.id, principal: "app", error: { code: "REFUSED" } },
    });
    // From there its origin and the neighbour are read.
    const explained = JSON.stringify(await b.app.log.explain({ id: asked[1]?.id as string }));
    expect(explained).toContain(imported?.id as string);
    const { body } = (await b.app.log.show({ entry: imported?.seq as number })) as { body?: unknown };
    const [there] = (await a.app.subscription.read({ topic: GREET, after: "start" })).items as {
      id: string;
      cursor: string;
    }[];
    expect((body as { data: object }).data).toMatchObject({
      ...{ topic: GREET, origin: "n-a", from: { peer: "n-a", node: "n-a" }, cursor: there?.cursor },
      publication: { id: there?.id, principal: "app", data: "over there" },
    });
    // It can be handed over once more, and fails as it did.
    await b.app.deadLetter.redrive({ id: letter?.id as string });
    await settled(40);
    expect([b.given("tries"), (await b.letters()).map(({ code }) => code)]).toEqual([
      ["over there", "over there"],
      ["REFUSED"],
    ]);
    const [again] = await b.letters();
    expect(await b.app.deadLetter.show({ id: again?.id as string })).toMatchObject({ owing: imported?.id });
  });

  test("has the far message's correlation and trace in what it asks for, and one cause more", async () => {
    const { a, b } = await two();
    await b.action("note");
    await b.receiver("notes", ({ capstan, input }) => capstan.perform("note", input), { may: ["action.perform:note"] });
    await b.app.subscription.create({ topic: GREET, receiver: "notes" });
    await settled();
    await b.pull();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await a.app.action.perform({ name: "greet", input: 1 }, { correlation: "c-7", traceparent });
    await b.pull();
    await settled(40);
    const performed = (await headersOf(b)).findLast(({ message }) => message === "action.perform");
    const entry = decodeEntry((await b.runtime.reader.entries(performed?.seq as number, { limit: 1 }))[0] as never);
    const body = (await b.runtime.reader.part(entry, "b")) as object;
    expect(body).toMatchObject({ correlation: "c-7", traceparent, hops: 2 });
  });

  test("has the same key for every attempt, and another for every publication", async () => {
    const { a, b } = await two();
    let failures = 2;
    const fails = () => {
      if (failures-- > 0) throw new Error("away");
    };
    await b.receiver("mail", fails, { attempts: 5, backoff: 10 });
    await b.app.subscription.create({ topic: GREET, receiver: "mail" });
    await settled();
    await b.pull();
    await a.performAll(1, 2);
    await b.pull();
    for (let i = 0; i < 5; i++) {
      await settled();
      b.clock.advance(100);
    }
    await settled();
    expect(b.given("mail")).toEqual([1, 1, 1, 2]);
    expect(new Set(b.handed.map(({ key }) => key)).size).toBe(2);
  });
});

/** Two nodes whose receivers perform, for what the other publishes, what the other receives. */
async function pingPong(times: number, fanOut = 1000) {
  const islands: Island[] = [];
  for (const [id, name] of [
    ["n-a", "ping"],
    ["n-b", "pong"],
  ] as const) {
    const island = await startIsland(id, { deliveries: { fanOut } });
    await island.action(name);
    const answers = async ({ capstan, input }: Call) => {
      for (let i = 0; i < times; i++) await capstan.perform(name, (input as number) + 1);
    };
    await island.receiver("answers", answers, { may: [`action.perform:${name}`] });
    islands.push(island);
  }
  const [a, b] = islands as [Island, Island];
  await bridged(a, b, "action.ping");
  await bridged(b, a, "action.pong");
  await b.app.subscription.create({ topic: "action.ping", receiver: "answers" });
  await a.app.subscription.create({ topic: "action.pong", receiver: "answers" });
  await settled();
  await Promise.all([a.pull(), b.pull()]);
  /** Until nothing comes any more. */
  const goOn = async (most = 400): Promise<void> => {
    for (let quiet = 0, rounds = 0; quiet < 3; rounds++) {
      if (rounds > most) throw new Error("it goes on for ever");
      const came = (await b.pull()) + (await a.pull());
      await settled(8);
      quiet = came === 0 ? quiet + 1 : 0;
    }
  };
  return { a, b, goOn };
}

describe("two nodes that answer each other for ever", () => {
  test("end sixteen causes deep: what is deeper is missed, with an alert, and the next is imported", async () => {
    const { a, b, goOn } = await pingPong(1);
    await a.perform(0, "ping");
    await goOn();
    // ping 0 is no cause deep, its import one, pong two, and so on.
    const deepest = (await headersOf(a)).concat(await headersOf(b)).filter(({ message }) => message === "alert.raised");
    expect(deepest).toHaveLength(1);
    expect([a.given("answers"), b.given("answers")]).toEqual([
      [1, 3, 5, 7],
      [0, 2, 4, 6],
    ]);
    expect(b.rowOf("action.ping")?.missed).toMatchObject({ why: "loop", times: 1 });
    expect([await a.letters(), await b.letters()]).toEqual([[], []]);
    // Another message is another matter.
    await a.perform(100, "ping");
    await goOn();
    expect(b.given("answers")).toContain(100);
  });

  test("and ever more of it are stopped at the limit of how wide, counted by the first of all", async () => {
    const { a, b, goOn } = await pingPong(3, 20);
    await a.perform(0, "ping");
    await goOn();
    const codes = new Set([...(await a.letters()), ...(await b.letters())].map(({ code }) => code));
    expect([...codes]).toEqual(["FANOUT_EXCEEDED"]);
    const alerts = await Promise.all([a, b].map(({ app }) => app.log.list({ message: "alert.raised" })));
    expect(alerts.map(({ items }) => items.length)).toEqual([1, 1]);
    // Three for the first, and on each node twenty beyond that.
    const performed = [...(await headersOf(a)), ...(await headersOf(b))].filter(
      ({ message, verdict, principal }) => message === "action.perform" && verdict === "done" && principal === "app",
    );
    expect(performed.length).toBe(1 + 3 + 20 + 20);
    // What is not of it goes on.
    await a.perform(1000, "ping");
    await goOn();
    expect(b.given("answers")).toContain(1000);
  });

  test("are still one loop to both after one of them began anew", async () => {
    const { a, b } = await pingPong(1);
    await a.perform(0, "ping");
    await b.pull();
    await settled(8);
    const again = await nextLife(b);
    const { items } = await again.topics.read(
      { topic: "action.pong", origin: "n-b", after: a.rowOf("action.pong")?.cursor, limit: 9, wait: 0 },
      new AbortController().signal,
    );
    const [there] = (await a.app.subscription.read({ topic: "action.ping", after: "start" })).items as { id: string }[];
    expect(items).toMatchObject([{ data: 1, hops: 2, root: there?.id }]);
  });
});

test("what came of a publication on a second node is known on a third as of the first, and as deep as it is", async () => {
  const { a, b } = await two();
  const c = await startIsland("n-c");
  await b.action("note");
  await bridged(b, c, "action.note");
  await b.receiver("notes", ({ capstan, input }) => capstan.perform("note", input), { may: ["action.perform:note"] });
  await b.app.subscription.create({ topic: GREET, receiver: "notes" });
  await c.app.subscription.create({ topic: "action.note" });
  await settled();
  await Promise.all([b.pull(), c.pull()]);
  await a.perform("from a");
  await b.pull();
  await settled(20);
  await c.pull();
  const [first] = (await a.app.subscription.read({ topic: GREET, after: "start" })).items as { id: string }[];
  const [last] = (await c.app.subscription.read({ topic: "action.note", after: "start" })).items;
  expect(last).toMatchObject({ data: "from a", principal: "app", origin: { node: "n-b" } });
  const [imported] = (await headersOf(c)).filter(({ message }) => message === "subscription.import").slice(-1);
  const { body } = (await c.app.log.show({ entry: imported?.seq as number })) as { body?: unknown };
  expect(body).toMatchObject({ hops: 3, data: { publication: { root: first?.id } } });
});

test("what a node says came of a publication of ours is counted apart from what did", async () => {
  const a = await startIsland("n-a");
  await a.action();
  const b = await startIsland("n-b", { deliveries: { fanOut: 3 } });
  await bridged(a, b, GREET);
  for (const name of ["local", "note", "done"]) await b.action(name);
  let failures = 1;
  const receivers = {
    first: ["action.local", ({ capstan, input }: Call) => capstan.perform("note", input)],
    second: [
      "action.note",
      ({ capstan, input }: Call) => {
        if (failures-- > 0) throw away();
        return capstan.perform("done", input);
      },
    ],
    liars: [GREET, ({ capstan, input }: Call) => capstan.perform("done", input)],
  } as const;
  for (const [name, [topic, receive]] of Object.entries(receivers)) {
    await b.receiver(name, receive, { may: ["action.perform:*"], attempts: 2, backoff: 1000 });
    await b.app.subscription.create({ topic, receiver: name });
  }
  await settled();
  await b.pull();
  await b.perform("ours", "local");
  await settled(20);
  const [ours] = (await b.app.subscription.read({ topic: "action.local", after: "start" })).items as { id: string }[];
  await a.performAll(1, 5);
  await b.pull((items) => items.map((one) => ({ ...one, hops: 1, root: ours?.id })));
  await settled(20);
  b.clock.advance(1000);
  await settled(20);
  expect((await b.letters()).map(({ name, code }) => [name, code])).toEqual([
    ["liars", "FANOUT_EXCEEDED"],
    ["liars", "FANOUT_EXCEEDED"],
  ]);
  const { items } = await b.app.subscription.read({ topic: "action.done", after: "start" });
  expect(items.map((one) => (one as { data: unknown }).data)).toContain("ours");
});

test("a receiver's registrant who may no more is handed nothing from elsewhere either", async () => {
  const { a, b } = await two();
  const made = await b.app.grant.create({ principal: "eve", allow: ["*"] });
  const eve = b.hub.scopeFor({
    call: async (route, data, options) => b.hub.hub.submit(route, data, made, options),
  });
  b.receives.set("mail", () => undefined);
  await eve.receiver.register({ name: "mail", protocol: "code" });
  const { id } = await eve.subscription.create({ topic: GREET, receiver: "mail" });
  await settled();
  await b.pull();
  await b.app.grant.revoke({ grant: made.grant });
  await settled();
  await a.perform(1);
  await b.pull();
  await settled();
  expect([b.given("mail"), (await b.show(id)).state]).toEqual([[], "stopped"]);
  expect(await faultFrom(eve.subscription.read({ topic: GREET }))).toMatchObject({ code: expect.any(String) });
});
