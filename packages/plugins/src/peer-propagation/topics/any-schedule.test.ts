// A topic that is imported by two relays and straight, and whatever may happen to it: answers that are lost, late or refused, sessions that
// end, an origin that is compacted or restored, a disk that fails, a node that stops or dies; then all is well again. What was published
// arrives once and in order, or is said to be missed.

import { expect, test } from "bun:test";
import { FaultError, type Log, memoryLog } from "@capstan/orchestrator";
import { altered, reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { Clock } from "../../hub.fixture.ts";
import { cursorAt, cursorSince, entryOfCursor } from "../../publisher/cursor.ts";
import type { TopicPage } from "../../publisher/elsewhere/topics.ts";
import { FewLines } from "../few-lines.ts";
import { type Asked, FarNeighbour, ORIGIN, TOPIC } from "./far-origin.fixture.ts";
import { importing } from "./importing.fixture.ts";
import { TopicRelay } from "./topic-relay.ts";
import { Ways } from "./ways.ts";

/** Among them those that found something; `SCHEDULES=2500 bun test topics/any-schedule` runs so many. */
const SCHEDULES = process.env.SCHEDULES === undefined ? [1, 2, 3, 6, 214, 768] : upTo(Number(process.env.SCHEDULES));
const STEPS = 60;

type Chance = (below: number) => number;

/** Numerical Recipes' generator: a schedule is its seed. */
function chanceOf(seed: number): Chance {
  let state = Math.imul(seed, 2_654_435_761);
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

async function turns(count = 2): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Its log: numbers that were published, each in an entry, and other entries between them. */
class Origin {
  first = 1;
  head = 10;
  published = 0;
  /** Numbers that nobody can have any more, or that were taken back. */
  readonly gone = new Set<number>();
  readonly takenBack = new Set<number>();
  #items: { readonly entry: number; readonly number: number }[] = [];
  readonly #proofs = { log: "l-origin", restorations: [] as { epoch: number; size: number }[] };
  readonly #waiting = new Set<() => void>();

  constructor(readonly clock: Clock) {}

  get place(): string {
    return cursorAt(this.head, this.#proofs);
  }

  publish(count: number): void {
    for (let i = 0; i < count; i++) this.#items.push({ entry: ++this.head, number: ++this.published });
    this.wake();
  }

  compact(to: number): void {
    this.first = Math.max(this.first, to);
    this.#keep(({ entry }) => entry >= this.first, this.gone);
  }

  restore(size: number): void {
    this.#proofs.restorations.push({ epoch: 3 + 2 * this.#proofs.restorations.length, size });
    this.head = size;
    this.#keep(({ entry }) => entry <= size, this.takenBack);
  }

  #keep(kept: (one: { readonly entry: number }) => boolean, others: Set<number>): void {
    for (const one of this.#items) if (!kept(one)) others.add(one.number);
    this.#items = this.#items.filter(kept);
    this.wake();
  }

  wake(): void {
    for (const go of [...this.#waiting]) go();
  }

  async read({ after, wait }: Asked): Promise<TopicPage> {
    const until = this.clock.now() + wait;
    if (after === undefined) return { items: [], next: cursorSince(this.head, this.#proofs) };
    for (;;) {
      const from = entryOfCursor(after, { revision: this.head, first: this.first, proofs: this.#proofs });
      if (typeof from === "object") throw new FaultError(from);
      const behind = this.#items.filter(({ entry }) => entry > from).slice(0, 3);
      const items = behind.map(({ entry, number }) => {
        const said = { id: `m-${number}`, at: 1, data: number, action: "tick", hops: 0 };
        return { topic: TOPIC, cursor: cursorAt(entry, this.#proofs), ...said };
      });
      const [last] = items.slice(-1);
      if (last !== undefined || this.clock.now() >= until) return { items, next: last?.cursor ?? this.place };
      await new Promise<void>((resolve) => {
        const go = (): void => {
          stop();
          this.#waiting.delete(go);
          resolve();
        };
        const stop = this.clock.after(until - this.clock.now(), go);
        this.#waiting.add(go);
      });
    }
  }
}

/** A node of which each life begins with what the one before had written. */
class Importer {
  full = false;
  here!: Awaited<ReturnType<typeof importing>>;
  #log: Log = memoryLog();
  #life = 0;

  constructor(
    readonly neighbours: Readonly<Record<string, FarNeighbour>>,
    readonly clock: Clock,
  ) {}

  async start(): Promise<void> {
    const life = ++this.#life;
    const stored = this.#log;
    const log = altered(stored, {
      append: (expectedHead, entries) => {
        if (life !== this.#life) return new Promise(() => {});
        if (this.full) throw new Error("ENOSPC");
        return stored.append(expectedHead, entries);
      },
    });
    this.#log = reopened(stored);
    this.here = await importing(this.neighbours, { log, clock: this.clock, rate: 1e9 });
  }

  async has(): Promise<number[]> {
    const found: number[] = [];
    for (let after = "start"; ; ) {
      const { items, next } = await this.here.app.subscription.read({ topic: TOPIC, after, limit: 256 });
      if (items.length === 0) return found;
      found.push(...items.map((one) => (one as { data: number }).data));
      after = next;
    }
  }
}

function neighboursOf(
  { origin, clock, lies }: { origin: Origin; clock: Clock; lies: boolean },
  chance: () => number,
): Record<string, FarNeighbour> {
  const flaky = (serve: (asked: Asked) => Promise<TopicPage>) => async (asked: Asked) => {
    const what = chance();
    if (what < 6) throw new Error("the session ended");
    if (what < 10) throw Object.assign(new Error("no way"), { code: "TOPIC_UNREACHABLE" });
    if (what < 13) return { items: [], next: "nowhere" };
    if (what < 16) throw Object.assign(new Error("busy"), { code: "TOPIC_READS_EXCEEDED" });
    const page = await serve(asked);
    if (what < 22) throw new Error("the session ended");
    if (what < 30) await new Promise<void>((resolve) => clock.after(100 * what, resolve));
    return page;
  };
  const direct = (name: string) =>
    new FarNeighbour(
      name,
      flaky((asked) => origin.read(asked)),
    );
  const relayed = (name: string): FarNeighbour => {
    const line = (): void => {};
    const runtime = { timers: clock, now: clock.now, log: { debug: line, info: line, warn: line, error: line } };
    const up = direct(ORIGIN);
    const peers = { pathsOf: () => [{ peer: ORIGIN, origin: ORIGIN }], neighbour: () => up, rateOf: () => undefined };
    const ways = new Ways({ peers, runtime, lines: new FewLines(runtime), patience: 1_000 });
    const relay = new TopicRelay({ ways, runtime });
    const { signal } = new AbortController();
    const serve = async (asked: Asked): Promise<TopicPage> => {
      const { items, next } = await relay.read({ ...asked, origin: ORIGIN, via: ["n-here"] }, signal);
      return { items, next };
    };
    return new FarNeighbour(name, flaky(serve));
  };
  const ways = { m1: relayed("m1"), m2: relayed("m2"), d: direct("d") };
  if (!lies) return ways;
  const codes = ["CURSOR_GONE", "CURSOR_FUTURE", "CURSOR_FOREIGN"] as const;
  const liar = new FarNeighbour("liar", async (asked) => {
    const what = chance();
    if (asked.after === undefined || what > 60) return origin.read(asked);
    throw Object.assign(new Error("a lie"), {
      code: codes[what % 3],
      details: { kept: "5.l-origin", first: origin.place },
    });
  });
  return { liar, ...ways };
}

/** @param lies whether one of them says what is not so of cursors: then more may be said to be missed than is */
async function run(seed: number, lies: boolean): Promise<void> {
  const chance = chanceOf(seed);
  const clock = new Clock();
  const origin = new Origin(clock);
  let calm = false;
  const neighbours = neighboursOf({ origin, clock, lies }, () => (calm ? 100 : chance(100)));
  const node = new Importer(neighbours, clock);
  await node.start();
  await node.here.app.subscription.create({ topic: TOPIC });
  for (; node.here.row() === undefined; await turns()) clock.advance(500);
  for (let step = 0; step < STEPS; step++) {
    const what = chance(100);
    if (what < 45) origin.publish(1 + chance(6));
    else if (what < 55) origin.head += 1 + chance(20);
    else if (what < 57) origin.compact(origin.head - chance(15));
    else if (what < 61) origin.restore(Math.max(origin.first, origin.head - chance(20)));
    else if (what < 67) {
      await node.here.hub.stop();
      await node.start();
    } else if (what < 70) node.full = true;
    else if (what < 74) await node.start();
    else if (what < 85) {
      const [peer, one] = Object.entries(neighbours).at(-1 - chance(3)) as [string, FarNeighbour];
      one.ended = !one.ended;
      node.here.over.lost({ name: one.name, node: peer });
    }
    if (chance(10) < 7) clock.advance(chance(4_000));
    await turns();
    if (chance(10) < 7) node.full = false;
  }
  calm = true;
  node.full = false;
  for (const one of Object.values(neighbours)) one.ended = false;
  origin.publish(1);
  for (let i = 0; i < 300 && node.here.row()?.cursor !== origin.place; i++) {
    clock.advance(1_000);
    await turns();
  }
  const { cursor, missed } = node.here.row() ?? {};
  expect(cursor).toBe(origin.place);
  const has = await node.has();
  expect(has).toEqual([...new Set(has)].sort((one, other) => one - other));
  const unsaid = upTo(origin.published).filter(
    (number) =>
      !has.includes(number) && !origin.takenBack.has(number) && !(missed && (lies || origin.gone.has(number))),
  );
  expect(unsaid).toEqual([]);
  await node.here.hub.stop();
}

test("what was published arrives once and in order, or is said to be missed, whatever happens", async () => {
  for (const seed of SCHEDULES) {
    await run(seed, seed % 4 === 0).catch((thrown: Error) => {
      throw new Error(`schedule ${seed}: ${thrown.message}`);
    });
  }
});
