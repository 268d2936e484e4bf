// Preparing: for nobody who would be refused, bounded, recorded, and never stale when it is used.

import { expect, test } from "bun:test";
import { FaultError, fault } from "../fault/fault.ts";
import { decodeEntry } from "../log/entry.ts";
import type { Envelope, Facts } from "../message/message.ts";
import type { Reader } from "../plugin/reader.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { admits, codeOf, plugin, settled, start, takes } from "../testing/start.fixture.ts";

/** Counted by whether it is even. */
const counters = table<number>("counter", "logged", { countedBy: (_, count) => (count % 2 === 0 ? "even" : "odd") });

/** `counter.add` prepares with the test's function, then counts up. */
async function counting(prepare: (envelope: Envelope, reader: Reader, call: number) => Promise<Facts>) {
  const seen: Facts[] = [];
  let calls = 0;
  const counter = plugin("counter", {
    needs: [authority],
    tables: [counters],
    messages: { counter: { add: takes(), bump: takes() } },
    prepare: { "counter.add": (envelope, reader) => prepare(envelope, reader, ++calls) },
    decide({ message, envelope, state }) {
      if (message.resource !== "counter") return next();
      if (message.action === "add") seen.push(envelope.facts);
      const count = (state.get(counters, "c") ?? 0) + 1;
      return next({ state: state.put(counters, "c", count), data: { count } });
    },
  });
  const node = await start([admits(new Set(["mal"])), counter]);
  return { ...node, seen, calls: () => calls };
}

test("facts are what decide sees, frozen, and part of the entry", async () => {
  const node = await counting(async () => ({ weather: { wind: 7 } }));
  await node.send("counter.add");
  expect(node.seen).toEqual([{ weather: { wind: 7 } }]);
  expect(() => Object.assign((node.seen[0] as { weather: object }).weather, { wind: 0 })).toThrow();
  const [entry] = (await node.log.read(2)).map(decodeEntry);
  expect(entry?.part("f")).toEqual({ weather: { wind: 7 } });
});

test("nothing is prepared for whom the plugins before would refuse", async () => {
  const node = await counting(async () => expect.unreachable("somebody else's I/O"));
  expect(await codeOf(node.send("counter.add", {}, { as: "mal" }))).toBe("DENIED");
  expect(node.calls()).toBe(0);
  expect(await node.history()).toEqual(["counter.add refused"]);
});

test("what it was read from has changed: it is prepared again", async () => {
  const node = await counting(async (_, reader, call) => {
    const count = reader.get(counters, "c") ?? 0;
    if (call === 1) await node.send("counter.bump");
    return { count };
  });
  expect(await node.send("counter.add")).toEqual({ count: 2 });
  expect([node.seen, node.calls()]).toEqual([[{ count: 1 }], 2]);
});

test("what was counted has changed: it is prepared again", async () => {
  const node = await counting(async (_, reader, call) => {
    const odd = reader.count(counters, "odd");
    if (call === 1) await node.send("counter.bump");
    return { odd };
  });
  expect(await node.send("counter.add")).toEqual({ count: 2 });
  expect([node.seen, node.calls()]).toEqual([[{ odd: 1 }], 2]);
});

test("two that were prepared at once are not decided on the same facts", async () => {
  const node = await counting(async (_, reader) => ({ count: reader.get(counters, "c") ?? 0 }));
  await Promise.all([node.send("counter.add"), node.send("counter.add"), node.send("counter.bump")]);
  const [first, second] = node.seen as { count: number }[];
  expect(second?.count).toBeGreaterThan(first?.count as number);
});

test("what keeps changing is refused, and an entry", async () => {
  const node = await counting(async (_, reader) => {
    const count = reader.get(counters, "c");
    await node.send("counter.bump");
    return { count };
  });
  expect(await codeOf(node.send("counter.add"))).toBe("FACTS_STALE");
  expect(node.calls()).toBe(3);
  expect((await node.history()).at(-1)).toBe("counter.add refused");
});

test("preparing has a limit", async () => {
  const node = await counting(() => new Promise(() => {}));
  const sent = codeOf(node.send("counter.add"));
  await settled();
  node.time.advance(10_000);
  expect(await sent).toBe("PREPARE_TIMEOUT");
  expect(node.time.waiting).toBe(0);
  expect(await node.history()).toEqual(["counter.add refused"]);
});

test("a fact called fault is a fact like any other", async () => {
  const node = await counting(async () => ({ fault: { code: "BLOB_GONE", message: "gone" } }));
  expect(await node.send("counter.add")).toEqual({ count: 1 });
  expect(node.seen).toMatchObject([{ fault: { code: "BLOB_GONE" } }]);
});

test.each([
  ["rejects", async () => Promise.reject(new Error("disk"))],
  [
    "throws at once",
    () => {
      throw new Error("disk");
    },
  ],
])("a prepare that %s is a bug of its plugin's, refused and recorded", async (_, prepare) => {
  const node = await counting(prepare as () => Promise<Facts>);
  expect(await codeOf(node.send("counter.add"))).toBe("INTERNAL");
  expect(await node.history()).toEqual(["counter.add refused"]);
  expect(node.errors).toHaveLength(1);
});

test("a prepare may throw a fault of its own", async () => {
  const node = await counting(async () => Promise.reject(new FaultError(fault("BLOB_GONE", "gone"))));
  expect(await codeOf(node.send("counter.add"))).toBe("BLOB_GONE");
});
