// Which topics of other nodes are read there: those that somebody here wants, for as long as they do, and a while longer.

import { describe, expect, test } from "bun:test";
import { table } from "@capstan/orchestrator";
import { Clock, granted, scopeOf } from "../../hub.fixture.ts";
import { liveScope, settled } from "../publisher.fixture.ts";
import { type Island, nextLife, startIsland } from "./islands.fixture.ts";
import { topicElsewhereTable } from "./topics.ts";
import { Wanted } from "./wanted.ts";

const GREET = "action.greet";
const TEN_MINUTES = 600_000;
const way = { peer: "p", node: "n-p", path: ["n-p"], origin: "n-p" };

async function listening(...topics: readonly string[]) {
  const b = await startIsland("n-b");
  await b.topics.reach(
    "ferry",
    topics.map((topic) => ({ topic, way })),
  );
  b.listen();
  return b;
}

async function wantedBy({ wanted }: Pick<Island, "wanted">) {
  await settled();
  return wanted();
}

async function passes({ clock }: Island, ms: number) {
  clock.advance(ms);
  await settled();
}

describe("a topic elsewhere is wanted", () => {
  test("while somebody has a subscription to it, durable ones for ever", async () => {
    const b = await listening(GREET, "action.other");
    expect(b.wanted()).toEqual([]);
    const one = await b.app.subscription.create({ topic: GREET });
    const two = await b.app.subscription.create({ topic: GREET });
    expect(await wantedBy(b)).toEqual([GREET]);
    await b.app.subscription.delete({ id: one.id });
    await passes(b, 10 * TEN_MINUTES);
    expect(b.wanted()).toEqual([GREET]);
    await b.app.subscription.delete({ id: two.id });
    expect(await wantedBy(b)).toEqual([]);
    // Each is another set than the one before.
    expect(b.sets.map((set) => [...set])).toEqual([[], [GREET], []]);
  });

  test("with a receiver that is gone, or a holder who may no more: they go on from where they stopped", async () => {
    const b = await listening(GREET);
    await b.receiver("mail");
    const eve = await b.app.grant.create({ principal: "eve", allow: ["*"] });
    await scopeOf(b.hub, eve).subscription.create({ topic: GREET, receiver: "mail" });
    await b.app.receiver.remove({ name: "mail" });
    await b.app.grant.revoke({ grant: eve.grant });
    expect(await wantedBy(b)).toEqual([GREET]);
  });

  test("while a callback follows it, and ten minutes after the last one left", async () => {
    const b = await listening(GREET);
    const scopes = [1, 2].map(() => liveScope(b.hub, { principal: "app", grant: "node" }));
    let answers = true;
    const answer = () => {
      if (!answers) throw new Error("gone");
    };
    for (const scope of scopes) await b.follow({ topic: GREET }, scope as never, answer);
    expect(await wantedBy(b)).toEqual([GREET]);
    await passes(b, 2 * TEN_MINUTES);
    expect(b.wanted()).toEqual([GREET]);
    // They fail on the next, and are let go.
    await b.note("import", { topic: GREET, origin: "n-p", from: { peer: "p", node: "n-p" }, cursor: "1.l-p" });
    answers = false;
    const publication = { id: "m-1", at: 1, data: 1 };
    const next = { after: "1.l-p", cursor: "2.l-p", publication };
    await b.note("import", { topic: GREET, origin: "n-p", from: { peer: "p", node: "n-p" }, ...next });
    await settled();
    await passes(b, TEN_MINUTES - 1);
    expect(b.wanted()).toEqual([GREET]);
    await passes(b, 1);
    expect(b.wanted()).toEqual([]);
  });

  test("while somebody reads it page after page, with a wait or without, and ten minutes after", async () => {
    const b = await listening(GREET);
    const { next } = await b.app.subscription.read({ topic: GREET });
    expect(await wantedBy(b)).toEqual([GREET]);
    await passes(b, TEN_MINUTES - 1);
    const waits = b.app.subscription.read({ topic: GREET, after: next, wait: 1000 });
    await passes(b, 1000);
    await waits;
    await passes(b, TEN_MINUTES - 1001);
    expect(b.wanted()).toEqual([GREET]);
    await passes(b, 1);
    expect(b.wanted()).toEqual([]);
  });

  test("as long as is said, where that is said", async () => {
    const b = await startIsland("n-b", { deliveries: { linger: 1000 } });
    await b.topics.reach("ferry", [{ topic: GREET, way }]);
    b.listen();
    await b.app.subscription.read({ topic: GREET });
    expect(await wantedBy(b)).toEqual([GREET]);
    await passes(b, 1000);
    expect(b.wanted()).toEqual([]);
  });

  test("though no way leads there for now, where it was imported: its place is kept", async () => {
    const b = await listening(GREET, "action.never");
    await b.app.subscription.create({ topic: "action.*" });
    await settled();
    await b.note("import", { topic: GREET, origin: "n-p", from: { peer: "p", node: "n-p" }, cursor: "1.l-p" });
    await b.learn(undefined, GREET, "action.never");
    expect(await wantedBy(b)).toEqual([GREET]);
  });

  test("after a restart, by whoever followed it before, for ten minutes", async () => {
    const b = await listening(GREET);
    await b.app.subscription.read({ topic: GREET });
    await b.note("import", { topic: GREET, origin: "n-p", from: { peer: "p", node: "n-p" }, cursor: "1.l-p" });
    await b.hub.stop();
    const next = await nextLife(b);
    next.listen();
    expect(next.wanted()).toEqual([GREET]);
    await passes(next, TEN_MINUTES);
    expect(next.wanted()).toEqual([]);
  });

  test("no more once it is here, though nobody follows or subscribes any more", async () => {
    const b = await listening(GREET);
    await b.app.subscription.read({ topic: GREET });
    expect(await wantedBy(b)).toEqual([GREET]);
    await b.action();
    expect(await wantedBy(b)).toEqual([]);
  });

  test("not where it is here", async () => {
    const b = await listening(GREET);
    await b.action();
    await b.app.subscription.create({ topic: GREET });
    expect(await wantedBy(b)).toEqual([]);
    await b.app.action.remove({ name: "greet" });
    expect(await wantedBy(b)).toEqual([GREET]);
    await b.action();
    expect(await wantedBy(b)).toEqual([]);
  });
});

describe("of a pattern", () => {
  test("those are wanted that it covers, as ways come and go", async () => {
    const b = await listening(GREET, "action.books/new");
    await b.app.subscription.create({ topic: "action.books/*" });
    expect(await wantedBy(b)).toEqual(["action.books/new"]);
    await b.topics.reach("ferry", [
      { topic: "action.books/old", way },
      { topic: "action.zoo", way },
    ]);
    expect(await wantedBy(b)).toEqual(["action.books/new", "action.books/old"]);
    await b.topics.reach("ferry", [{ topic: "action.books/new", way: null }]);
    expect(await wantedBy(b)).toEqual(["action.books/old"]);
  });

  test("only those that its holder may read, as of now", async () => {
    const b = await listening(GREET, "action.books/new");
    const narrow = { principal: "eve", allow: ["subscription.create", "subscription.read"], read: ["default"] };
    const { id, scope } = await granted(b.hub, narrow as never);
    await scope.subscription.create({ topic: "action.*" });
    expect(await wantedBy(b)).toEqual([GREET]);
    await b.app.grant.revoke({ grant: id });
    expect(await wantedBy(b)).toEqual([]);
  });

  test("and of whoever has it go on, once they do", async () => {
    const b = await listening(GREET, "action.books/new");
    const narrow = { principal: "eve", allow: ["subscription.create", "subscription.read"], read: ["default"] };
    const { scope } = await granted(b.hub, narrow as never);
    const { id } = await scope.subscription.create({ topic: "action.*" });
    expect(await wantedBy(b)).toEqual([GREET]);
    await b.app.subscription.resume({ id });
    expect(await wantedBy(b)).toEqual(["action.books/new", GREET]);
  });

  test("who looks once without waiting has none of it fetched, and who waits has", async () => {
    const b = await listening(GREET);
    await b.app.subscription.read({ topic: "action.*", after: "start" });
    expect(await wantedBy(b)).toEqual([]);
    const waits = b.app.subscription.read({ topic: "action.*", wait: 10 });
    expect(await wantedBy(b)).toEqual([GREET]);
    await passes(b, 10);
    await waits;
    expect(b.wanted()).toEqual([GREET]);
    await passes(b, TEN_MINUTES);
    expect(b.wanted()).toEqual([]);
  });

  test("a thousand at most: what is past that is not imported, but by its name", async () => {
    const b = await startIsland("n-b");
    const all = Array.from({ length: 1100 }, (_, i) => `action.t${String(i).padStart(4, "0")}`);
    for (let from = 0; from < all.length; from += 256) {
      await b.topics.reach(
        "ferry",
        all.slice(from, from + 256).map((topic) => ({ topic, way })),
      );
    }
    b.listen();
    const { id } = await b.app.subscription.create({ topic: "action.*" });
    expect(await wantedBy(b)).toEqual(all.slice(0, 1000));
    const last = all.at(-1) as string;
    const exact = await b.app.subscription.create({ topic: last });
    expect(await wantedBy(b)).toEqual([...all.slice(0, 1000), last]);
    const shown = await b.app.subscription.show({ id: exact.id });
    expect(shown).toMatchObject({ elsewhere: [{ topic: last, state: "beginning" }] });
    const past = await b.app.subscription.create({ topic: "action.t105*" });
    expect(await b.app.subscription.show({ id: past.id })).toMatchObject({
      elsewhere: Array.from({ length: 10 }, () => ({ state: "past" })) as never,
    });
    await b.app.subscription.delete({ id });
    expect((await wantedBy(b)).length).toBe(11);
  });
});

describe("nobody is in the way of others", () => {
  const named = (count: number, prefix = "t") => Array.from({ length: count }, (_, i) => `action.${prefix}${i}`);

  async function reached(b: Island, topics: readonly string[], by = way) {
    for (let from = 0; from < topics.length; from += 256) {
      await b.topics.reach(
        "ferry",
        topics.slice(from, from + 256).map((topic) => ({ topic, way: by })),
      );
    }
  }

  test("a peer that leads to more than a thousand takes the place of no other peer's, and what goes makes room", async () => {
    const b = await startIsland("n-b");
    await reached(b, named(1100));
    await reached(b, [GREET], { ...way, peer: "q", node: "n-q" });
    b.listen();
    await b.app.subscription.create({ topic: "action.*" });
    expect((await wantedBy(b)).length).toBe(1001);
    expect(b.wanted()).toContain(GREET);
    expect(b.wanted()).not.toContain("action.t1050");
    await b.learn(undefined, ...named(100));
    expect((await wantedBy(b)).length).toBe(1001);
    expect(b.wanted()).toContain("action.t1050");
  });

  /** Ways to so many topics, and turns that are taken one by one. */
  function wanting(topics: readonly string[]) {
    const rows = new Map(topics.map((topic) => [topic, way]));
    const turns: (() => void)[] = [];
    let looked = 0;
    let set: ReadonlySet<string> = new Set();
    const is = (table: unknown) => table === topicElsewhereTable;
    const wanted = new Wanted({
      reader: {
        get: (table, key) => (is(table) && ++looked ? (rows.get(key) as never) : undefined),
        rows: (table) => (is(table) ? (rows as never) : []),
      },
      actions: table("actions"),
      ...{ timers: new Clock(), now: () => 0, linger: 1000, held: () => [], log: { warn() {} } as never },
      authority: () => ({ reads: () => true }) as never,
      defer: (turn) => void turns.push(turn),
    });
    wanted.follow((now) => {
      set = now;
    });
    /** How much each turn looked at. */
    const taken = (): number[] => {
      const each: number[] = [];
      for (let turn = turns.shift(); turn !== undefined; turn = turns.shift()) {
        looked = 0;
        turn();
        each.push(looked);
      }
      return each;
    };
    return { wanted, taken, set: () => set };
  }

  test("many patterns over many topics are looked at a part at a time, and once", () => {
    const { wanted, taken, set } = wanting(named(5000));
    for (let i = 0; i < 900; i++) wanted.passes(`action.t${i}*`, { principal: "app", grant: "g" });
    const turns = taken();
    expect(Math.max(...turns)).toBeLessThanOrEqual(500);
    expect(turns.reduce((sum, one) => sum + one, 0)).toBeLessThan(6000);
    expect(set().size).toBe(1000);
  });

  test("who makes up patterns by the thousand pushes out nobody who may be back", () => {
    const { wanted, taken, set } = wanting([GREET]);
    wanted.passes(GREET, { principal: "eve", grant: "h" });
    for (let i = 0; i < 11_000; i++) wanted.passes(`action.x${i}*`, { principal: "app", grant: "g" });
    taken();
    expect([...set()]).toEqual([GREET]);
  });
});

describe("where nobody reads elsewhere", () => {
  test("nothing is kept, and no timer is set, of who reads and follows", async () => {
    const b = await startIsland("n-b");
    await b.action();
    await b.follow({ topic: GREET });
    for (let i = 0; i < 50; i++) await b.app.subscription.read({ topic: GREET });
    await settled();
    expect(b.clock.set).toBe(0);
  });

  test("any more, it is as if nobody ever had", async () => {
    const b = await startIsland("n-b");
    await b.topics.reach("ferry", [{ topic: GREET, way }]);
    const sets: string[][] = [];
    const stop = b.topics.follow((topics) => sets.push([...topics]));
    await b.app.subscription.read({ topic: GREET });
    await settled();
    stop();
    expect(b.clock.set).toBe(0);
    await b.app.subscription.create({ topic: GREET });
    await settled();
    expect(sets).toEqual([[], [GREET]]);
    // Who begins later is told of those who are there.
    b.listen();
    expect(b.wanted()).toEqual([GREET]);
  });

  test("and one who fails to hear it keeps it from nobody", async () => {
    const b = await startIsland("n-b");
    await b.topics.reach("ferry", [{ topic: GREET, way }]);
    let told = 0;
    b.topics.follow(() => {
      if (told++ > 0) throw new Error("no");
    });
    b.listen();
    await b.app.subscription.create({ topic: GREET });
    expect(await wantedBy(b)).toEqual([GREET]);
  });
});
