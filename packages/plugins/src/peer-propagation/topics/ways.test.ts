// Who is asked for a topic, and what becomes of one that fails: it costs its own rest, and the next is asked.

import { describe, expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import { faultFrom } from "../../hub.fixture.ts";
import { type Asked, FarNeighbour, FarOrigin, ORIGIN, settled, TOPIC, waysBy } from "./far-origin.fixture.ts";

const asking = { topic: TOPIC, origin: ORIGIN, after: "10.l-origin", limit: 4, wait: 0, via: [] };
const refusing = (code: string, details?: unknown) => () => {
  throw new FaultError(fault(code, "no", details));
};

function two(answer: (asked: Asked, nth: number) => unknown) {
  const origin = new FarOrigin();
  origin.publish(1);
  const b = new FarNeighbour("berlin", answer);
  const c = new FarNeighbour("cairo", (asked) => origin.read(asked));
  return { origin, b, c, ...waysBy({ b, c }) };
}

describe("the next is asked at once", () => {
  test.each<[string, (asked: Asked) => unknown]>([
    ["is no page", () => ({ execution: "x-1" })],
    ["is of another topic", () => ({ items: [{ topic: "action.pay" }], next: "12.l-origin" })],
    ["is refused by the export policy", refusing("ROUTE_NOT_EXPORTED")],
    ["is refused by the grant", refusing("REFUSED")],
    ["says that it waits for too many", refusing("TOPIC_READS_EXCEEDED")],
  ])("where what the first answers %s; it rests, and a line says so", async (_, answer) => {
    const { b, c, clock, lines, ways } = two(answer);
    for (let i = 0; i < 3; i++) expect((await ways.page(asking)).by).toEqual({ name: "cairo", node: "c" });
    expect([b.asked.length, c.asked.length, lines.length]).toEqual([1, 3, 1]);
    expect(lines[0]).toContain("a topic could not be read by a peer");
    clock.advance(500);
    await ways.page(asking);
    clock.advance(500);
    await ways.page(asking);
    // Twice as long each time.
    expect(b.asked.length).toBe(2);
  });

  test.each(["TOPIC_UNREACHABLE", "TOPIC_UNKNOWN", "STOPPING", "FORWARDED_BACK"])(
    "where the first says %s; nothing is wrong with it, and it is asked again soon",
    async (code) => {
      const { b, clock, lines, ways } = two(refusing(code));
      await ways.page(asking);
      clock.advance(50);
      await ways.page(asking);
      expect([b.asked.length, lines]).toEqual([2, []]);
    },
  );

  test("where the first hangs; what it says later is nobody's", async () => {
    const late = Promise.withResolvers<unknown>();
    const { b, clock, lines, ways } = two(() => late.promise);
    const page = ways.page({ ...asking, wait: 5_000 });
    await settled();
    clock.advance(5_999);
    await settled();
    clock.advance(1);
    expect((await page).by.name).toBe("cairo");
    late.resolve({ items: [], next: "99.l-origin" });
    expect((await ways.page(asking)).page.next).toBe("11.l-origin");
    expect([b.asked.length, lines.length]).toEqual([1, 1]);
  });

  test("where the session ends while it waits", async () => {
    const { b, lines, ways } = two(() => new Promise(() => {}));
    const page = ways.page({ ...asking, wait: 5_000 });
    await settled();
    b.lose();
    expect((await page).by.name).toBe("cairo");
    expect(lines).toEqual([]);
  });
});

describe.each(["CURSOR_GONE", "CURSOR_FOREIGN", "CURSOR_FUTURE"])("what is said of the cursor (%s)", (code) => {
  const details = { first: "40.l-origin" };

  test("by its origin itself is so, and nobody else is asked", async () => {
    const origin = new FarNeighbour("origin", refusing(code, details));
    const c = new FarNeighbour("cairo", () => ({ items: [], next: "10.l-origin" }));
    const { ways } = waysBy({ [ORIGIN]: origin, c });
    expect(await faultFrom(ways.page(asking))).toMatchObject({ code, details });
    expect(c.asked).toEqual([]);
  });

  test("by who is on the way is so where nobody else reads on from there, and then the first has said it", async () => {
    const b = new FarNeighbour("berlin", refusing(code, details));
    const c = new FarNeighbour("cairo", refusing("CURSOR_GONE", { first: "90.l-origin" }));
    const d = new FarNeighbour("dakar", refusing("TOPIC_UNREACHABLE"));
    const { ways, lines } = waysBy({ b, c, d });
    const { message, ...said } = await faultFrom(ways.page(asking));
    expect({ message, ...said }).toMatchObject({ code, details, message: "berlin: no" });
    expect([c.asked.length, d.asked.length, lines]).toEqual([1, 1, []]);
  });

  test("by who is on the way holds up nobody where another reads on from there; it rests, and a line says so", async () => {
    const { b, c, ways, lines } = two(refusing(code, details));
    for (let i = 0; i < 3; i++) expect((await ways.page(asking)).by).toEqual({ name: "cairo", node: "c" });
    expect([b.asked.length, c.asked.length, lines.length]).toEqual([1, 3, 1]);
    expect(lines[0]).toContain(`it said ${code} berlin: no, and cairo reads on from there`);
  });
});

test.each([
  ["TOPIC_READS_EXCEEDED", 10_000],
  ["REFUSED", 60_000],
])("who says %s for ever is asked every %p ms in the end", async (code, ms) => {
  const b = new FarNeighbour("berlin", refusing(code));
  const { clock, ways } = waysBy({ b });
  for (let i = 0; i < 10; i++) {
    await faultFrom(ways.page(asking));
    clock.advance(ms);
  }
  expect(b.asked.length).toBe(10);
  await faultFrom(ways.page(asking));
  clock.advance(ms - 1);
  await faultFrom(ways.page(asking));
  expect(b.asked.length).toBe(11);
});

test("rests of topics that nobody asks for any more are forgotten", async () => {
  const b = new FarNeighbour("berlin", refusing("REFUSED"));
  const { clock, ways } = waysBy({ b });
  for (let i = 0; i < 5_000; i++) {
    await faultFrom(ways.page({ ...asking, topic: `action.t${i}` }));
    clock.advance(10);
  }
  expect(b.asked.length).toBe(5_000);
  expect(ways.resting).toBeLessThan(2_000);
});

test("a session that is there again ends the rest", async () => {
  const { b, ways } = two(refusing("REFUSED"));
  await ways.page(asking);
  ways.forget("b");
  await ways.page(asking);
  expect(b.asked.length).toBe(2);
});

test("where all fail, it says who and why, in a line of bounded length", async () => {
  const b = new FarNeighbour("berlin", refusing("REFUSED"));
  const c = new FarNeighbour("cairo", () => ({ why: "<script>" }));
  const { ways } = waysBy({ b, c });
  const refused = await faultFrom(ways.page(asking));
  expect(refused).toMatchObject({ code: "TOPIC_UNREACHABLE" });
  expect(refused.message).toContain("berlin: REFUSED");
  expect(refused.message).toContain("cairo: what it answered is no page");
  expect(refused.message.length).toBeLessThan(1_100);
});

test("a way to another origin is none: a cursor is of one node's log", async () => {
  const b = new FarNeighbour("berlin", () => ({ items: [], next: "11.l-origin" }));
  const c = new FarNeighbour("cairo", () => ({ items: [], next: "12.l-origin" }));
  const { ways } = waysBy({ b, c }, ["n-other", ORIGIN]);
  expect((await ways.page(asking)).by.name).toBe("cairo");
  expect(b.asked).toEqual([]);
  expect(ways.originsOf(TOPIC)).toEqual(["n-other", ORIGIN]);
});

test("it never goes back where it came from", async () => {
  const { b, c, ways } = two(() => ({ items: [], next: "11.l-origin" }));
  expect((await ways.page({ ...asking, via: ["n-x", "b"] })).by.name).toBe("cairo");
  expect(await faultFrom(ways.page({ ...asking, via: ["c", "b"] }))).toMatchObject({ code: "TOPIC_UNREACHABLE" });
  expect([b.asked.length, c.asked[0]?.via]).toEqual([0, ["n-x", "b"]]);
});

test("a stub that is given back by the time that it is asked costs its way, and leaves nothing waiting", async () => {
  const { b, c, clock, ways } = two(() => {});
  b.call = () => {
    throw new Error("Attempted to use RPC stub after it has been disposed.");
  };
  expect(await ways.page(asking)).toMatchObject({ by: { name: "cairo" } });
  expect([c.asked.length, clock.set]).toEqual([1, 0]);
});

test("more than a neighbour lets wait take turns, each for as long as it was to wait; who does not wait is asked at once", async () => {
  const answers: ((page: unknown) => void)[] = [];
  const b = new FarNeighbour("berlin", ({ wait }) =>
    wait === 0 ? { items: [], next: "10.l-origin" } : new Promise((resolve) => answers.push(resolve)),
  );
  const { clock, ways } = waysBy({ b });
  const waits = (nth: number) => ways.page({ ...asking, topic: `action.t${nth}`, wait: 5_000 });
  const pages = Array.from({ length: 962 }, (_, nth) => waits(nth));
  await settled();
  expect(b.asked.length).toBe(960);
  await ways.page(asking);
  clock.advance(2_000);
  // What fails makes room as well.
  answers[0]?.({ why: "nothing" });
  answers[1]?.({ items: [], next: "10.l-origin" });
  const [first] = await Promise.allSettled(pages.slice(0, 2));
  await settled();
  expect(first?.status).toBe("rejected");
  expect(b.asked.slice(961).map(({ topic, wait }) => [topic, wait])).toEqual([
    ["action.t960", 3_000],
    ["action.t961", 3_000],
  ]);
});
