// Nodes in one process that publish to each other, by a carrier of the test's: it reads there and takes in here when the test says so.

import { definePlugin, next, type PluginRuntime } from "@capstan/orchestrator";
import { reopened } from "../../dead-letter/dead-letter.fixture.ts";
import type { HubOptions } from "../../hub.fixture.ts";
import { startPublisher } from "../publisher.fixture.ts";
import { importOf } from "./arrival.ts";
import { type FarPublication, importedTable, type TopicState, type Topics, topics } from "./topics.ts";

export type Island = Awaited<ReturnType<typeof startIsland>>;

/** As much of an island as others read of it. */
interface Source {
  readonly id: string;
  readonly topics: Topics;
}

/** What the carrier does with a page on its way. */
type Meddles = (items: readonly FarPublication[]) => readonly FarPublication[];

const NO_SIGNAL = new AbortController().signal;

export async function startIsland(id: string, options: HubOptions = {}) {
  const ways = new Map<string, Source>();
  let runtime: PluginRuntime | undefined;
  let given: Topics | undefined;
  const sets: ReadonlySet<string>[] = [];
  const states = new Map<string, TopicState>();
  let stopFollowing = (): void => {};
  const ferry = definePlugin({
    name: "ferry",
    needs: [topics],
    decide: () => next(),
    run(started) {
      runtime = started;
      given = started.given(topics);
      given.carriers.set("ferry", { stateOf: (topic) => states.get(topic) });
    },
    async stop() {
      stopFollowing();
    },
  });
  const started = await startPublisher({ ...options, id, also: [ferry] });
  const carried = given as unknown as Topics;
  const own = runtime as unknown as PluginRuntime;

  const note = (action: string, data: object, origin = {}) =>
    own.note({ resource: "subscription", action, data }, origin);
  const rowOf = (topic: string) => own.reader.get(importedTable, topic);

  /** Ways to topics of another island begin, or end. */
  async function learn(from: Source | undefined, ...names: readonly string[]): Promise<void> {
    for (const topic of names) {
      if (from === undefined) ways.delete(topic);
      else ways.set(topic, from);
    }
    const way = from && { peer: from.id, node: from.id, path: [from.id], origin: from.id };
    await carried.reach(
      "ferry",
      names.map((topic) => ({ topic, way: way ?? null })),
    );
  }

  /** Begins where the topic is now, where it is not imported yet. */
  async function begin(topic: string): Promise<void> {
    const from = ways.get(topic) as Source;
    const asked = { topic, origin: from.id, limit: 100, wait: 0 };
    const { next: cursor } = await from.topics.read(asked, NO_SIGNAL);
    await note("import", { topic, origin: from.id, from: { peer: from.id, node: from.id }, cursor });
  }

  /** Takes in all that there is by now of what is wanted. Answers how much that was. */
  async function pull(meddles: Meddles = (items) => items): Promise<number> {
    let count = 0;
    for (const topic of sets.at(-1) ?? []) {
      const from = ways.get(topic);
      if (from === undefined) continue;
      if (rowOf(topic) === undefined) await begin(topic);
      for (;;) {
        const after = rowOf(topic)?.cursor as string;
        const page = await from.topics.read({ topic, origin: from.id, after, limit: 100, wait: 0 }, NO_SIGNAL);
        if (page.items.length === 0) break;
        count += page.items.length;
        await take(from, meddles(page.items), after);
      }
    }
    return count;
  }

  /** All of a page at once, each following on the one before. */
  async function take(from: Source, items: readonly FarPublication[], first: string | undefined): Promise<void> {
    let after = first;
    const noted: Promise<unknown>[] = [];
    for (const publication of items) {
      const { message, origin } = importOf({
        publication,
        ...{ origin: from.id, from: { peer: from.id, node: from.id } },
        ...(after === undefined ? {} : { after }),
      });
      noted.push(own.note(message, origin));
      after = publication.cursor;
    }
    await Promise.all(noted);
  }

  return {
    ...started,
    ...{ id, topics: carried, runtime: own, sets, states, ways, note, rowOf, learn, begin, pull, take },
    /** From now on it is told what is wanted. */
    listen(): void {
      stopFollowing = carried.follow((wanted) => sets.push(wanted));
    },
    wanted: () => [...(sets.at(-1) ?? [])].sort(),
  };
}

export const GREET = "action.greet";

/** `a` has an action, and `b` a way to its topic. */
export async function two(): Promise<{ readonly a: Island; readonly b: Island }> {
  const a = await startIsland("n-a");
  await a.action();
  const b = await startIsland("n-b");
  await bridged(a, b, GREET);
  return { a, b };
}

/** `b` imports what `a` publishes under these, once somebody wants it. */
export async function bridged(a: Source, b: Island, ...names: readonly string[]): Promise<void> {
  await b.learn(a, ...names);
  b.listen();
}

/** The same log under the next process, or what of it was kept. */
export async function nextLife(last: Island, log = last.log, options: HubOptions = {}): Promise<Island> {
  const island = await startIsland(last.id, { ...options, clock: last.clock, log: reopened(log) });
  for (const [topic, from] of last.ways) await island.learn(from, topic);
  return island;
}
