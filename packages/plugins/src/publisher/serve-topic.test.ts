// A topic of this node, as other nodes read it.

import { describe, expect, test } from "bun:test";
import { faultFrom } from "../hub.fixture.ts";
import { bridged, type Island, startIsland } from "./elsewhere/islands.fixture.ts";
import { settled } from "./publisher.fixture.ts";
import { RunQueue } from "./run-queue.ts";

const GREET = "action.greet";
const idle = () => new AbortController().signal;

const read = (island: Island, asked: object = {}, signal = idle()) =>
  island.topics.read({ topic: GREET, origin: island.id, limit: 100, wait: 0, ...asked }, signal);

async function one() {
  const a = await startIsland("n-a");
  await a.action();
  const { next } = await read(a);
  return { a, next };
}

describe("reading a topic for another node", () => {
  test("begins now, and then gives all that comes, in order and by pages", async () => {
    const { a, next } = await one();
    await a.action("other");
    await a.performAll(1, 5);
    await a.perform("x", "other");
    const first = await read(a, { after: next, limit: 2 });
    const second = await read(a, { after: first.next });
    expect([first, second].map(({ items }) => items.map(({ data }) => data))).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
    expect((await read(a)).items).toEqual([]);
    expect(second.items[0]).toEqual({
      ...{ topic: GREET, cursor: expect.stringMatching(/^\d+\.l-/) as never, id: expect.any(String) as never },
      ...{ at: a.clock.now(), data: 3, action: "greet", principal: "app", hops: 0 },
    });
    expect(await read(a, { after: second.next })).toEqual({ items: [], next: second.next });
  });

  test("waits for what is not there yet, as long as it is asked to", async () => {
    const { a, next } = await one();
    let over = false;
    const waiting = read(a, { after: next, wait: 1000 }).finally(() => {
      over = true;
    });
    await settled();
    expect(over).toBe(false);
    await a.perform(1);
    expect((await waiting).items).toMatchObject([{ data: 1 }]);
    const late = read(a, { after: (await waiting).next, wait: 1000 });
    await settled();
    a.clock.advance(1000);
    expect((await late).items).toEqual([]);
  });

  test("ends with whoever asks, and with the node", async () => {
    const { a, next } = await one();
    const asking = new AbortController();
    const left = read(a, { after: next, wait: 60_000 }, asking.signal);
    await settled();
    asking.abort();
    expect((await left).items).toEqual([]);
    const stopped = faultFrom(read(a, { after: next, wait: 60_000 }));
    await settled();
    const stopping = a.hub.stop();
    expect(await stopped).toMatchObject({ code: "STOPPING" });
    await stopping;
    expect(await faultFrom(read(a))).toMatchObject({ code: "STOPPING" });
  });

  test("looks through the log in turns, whoever asks for how much; and no further for who is gone", async () => {
    const { a, next } = await one();
    await a.action("other");
    await a.performAll(1, 600, "other");
    await settled();
    let now = 0;
    const deferred: (() => void)[] = [];
    // Each turn takes all of a slice.
    const queue = new RunQueue(
      (callback) => void deferred.push(callback),
      () => (now += 5),
    );
    const asked = { topic: GREET, origin: "n-a", limit: 1, wait: 0 };
    const gone = new AbortController();
    let answered = 0;
    const reads = [gone.signal, idle(), idle()].map((signal, i) =>
      a.topics.read({ ...asked, after: next, limit: 1 + i }, signal, queue).finally(() => answered++),
    );
    gone.abort();
    const turns: number[] = [];
    for (; deferred.length > 0; await settled(2)) {
      deferred.shift()?.();
      turns.push(answered);
    }
    // One in a turn at most.
    expect(turns.every((count, i) => count <= i)).toBe(true);
    const [left, ...others] = await Promise.all(reads);
    const head = `${a.runtime.durable}.${a.runtime.reader.proofs.log}`;
    expect(others).toEqual([
      { items: [], next: head },
      { items: [], next: head },
    ]);
    expect(left?.next).not.toBe(head);
  });

  test("is refused where it is of what is not here, of another node, or by a cursor that is none", async () => {
    const { a } = await one();
    await a.performAll(1, 30);
    await a.app.applyAction({ resource: "log", action: "compact", data: { before: 20 } });
    const { log } = a.runtime.reader.proofs;
    const refused: [string, object][] = [
      ["TOPIC_UNKNOWN", { topic: "action.greeet" }],
      ["TOPIC_UNKNOWN", { topic: "action.*" }],
      ["CURSOR_FOREIGN", { origin: "n-b" }],
      ["CURSOR_FOREIGN", { after: "1.l-other" }],
      ["CURSOR_FUTURE", { after: `9999.${log}` }],
      ["CURSOR_INVALID", { after: "start" }],
      ["CURSOR_GONE", { after: `1.${log}` }],
    ];
    for (const [code, asked] of refused) expect(await faultFrom(read(a, asked))).toMatchObject({ code });
  });

  test("gives nothing that was imported: whoever wants that is led to its origin", async () => {
    const { a } = await one();
    const b = await startIsland("n-b");
    await bridged(a, b, GREET);
    await b.app.subscription.create({ topic: GREET });
    await settled();
    await b.pull();
    const { next } = b.rowOf(GREET) === undefined ? { next: "" } : { next: `1.${b.runtime.reader.proofs.log}` };
    await a.performAll(1, 2);
    await b.pull();
    expect(await faultFrom(read(b, { after: next }))).toMatchObject({ code: "TOPIC_UNKNOWN" });
    // From when it is here too, what is published here is.
    await b.action();
    await b.perform("ours");
    expect((await read(b, { after: next })).items).toMatchObject([{ data: "ours" }]);
  });
});
