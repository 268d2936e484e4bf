// History, then what comes (issue 4, "Must show" 3): publications while subscribers join, leave, die and return by a seed. What each
// was handed is checked by its own book, and the receivers' by what they wrote down.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { Book } from "./book.ts";
import { type NodeProcess, openSession, type Session, startNode } from "./node-process.ts";
import { type Course, Follower, PageReader, type Subscriber, TOPIC } from "./subscriber.ts";

export interface TrialOptions {
  readonly publications: number;
  readonly seed: number;
  readonly subscribers?: number;
  readonly receivers?: number;
  readonly inFlight?: number;
}

export interface Report {
  readonly publications: number;
  readonly seconds: number;
  readonly subscribers: number;
  readonly sessions: number;
  readonly handed: number;
  readonly repeated: number;
  readonly received: number;
  /** Of the node's process, in bytes. */
  readonly memory: number;
  readonly wrong: readonly string[];
}

export async function runTrial(options: TrialOptions): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), "capstan-delivery-"));
  const node = await startNode(directory);
  try {
    return await new Trial(node, options).run();
  } finally {
    await node.end();
    rmSync(directory, { recursive: true, force: true });
  }
}

class Trial {
  readonly #node: NodeProcess;
  readonly #options: Required<TrialOptions>;
  readonly #random: SeededRandom;
  readonly #session: Session;
  #published = 0;
  #waiting: { readonly until: number; readonly resolve: () => void }[] = [];

  constructor(node: NodeProcess, options: TrialOptions) {
    this.#node = node;
    this.#options = { subscribers: 48, receivers: 4, inFlight: 64, ...options };
    this.#random = new SeededRandom(options.seed);
    this.#session = openSession(node);
  }

  async run(): Promise<Report> {
    const { publications, receivers } = this.#options;
    const { scope } = this.#session;
    await scope.action.register({ name: "tick", protocol: "echo", idempotent: true });
    await scope.action.register({ name: "tell", protocol: "tell", readOnly: true });
    const received: { readonly name: string; readonly after: number }[] = [];
    const subscribers: Subscriber[] = [];
    const running: Promise<void>[] = [];
    const startedAt = performance.now();
    const publishing = this.#publish();
    for (let i = 0; i < receivers; i++) {
      const name = `receiver-${i}`;
      await scope.receiver.register({ name, protocol: "keep" });
      received.push({ name, after: await this.#subscribed(name) });
    }
    for (let i = 0; i < this.#options.subscribers; i++) {
      const one = await this.#join(`subscriber ${i}`, i);
      subscribers.push(one);
      running.push(one.run());
      await this.#course.afterMore(this.#random.upTo(Math.ceil(publications / 200)));
    }
    await publishing;
    await Promise.all(running);
    const wrong = subscribers.flatMap(({ book }) => this.#checked(book));
    let handedToReceivers = 0;
    for (const { name, after } of received) {
      const book = await this.#received(name, after);
      handedToReceivers += book.handed;
      wrong.push(...this.#checked(book));
    }
    const memory = await this.#node.memory();
    this.#session.close();
    const sum = (of: (one: Subscriber) => number): number => subscribers.reduce((total, one) => total + of(one), 0);
    return {
      ...{ publications, memory, wrong, received: handedToReceivers, subscribers: subscribers.length },
      seconds: (performance.now() - startedAt) / 1000,
      sessions: sum(({ sessions }) => sessions),
      handed: sum(({ book }) => book.handed),
      repeated: sum(({ book }) => book.repeated),
    };
  }

  readonly #course = {
    // Known from the start: a subscriber may be handed the last one before whoever performed it is answered.
    last: () => this.#options.publications,
    afterMore: (count: number): Promise<void> => {
      const until = Math.min(this.#published + count, this.#options.publications);
      if (this.#published >= until) return Promise.resolve();
      return new Promise((resolve) => this.#waiting.push({ until, resolve }));
    },
  };

  async #publish(): Promise<void> {
    const { publications, inFlight } = this.#options;
    const session = openSession(this.#node);
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < publications) {
        await session.scope.action.perform({ name: "tick", input: { n: ++next } });
        this.#published++;
        if (this.#waiting.length === 0) continue;
        const ready = this.#waiting.filter(({ until }) => until <= this.#published);
        this.#waiting = this.#waiting.filter(({ until }) => until > this.#published);
        for (const { resolve } of ready) resolve();
      }
    };
    await Promise.all(Array.from({ length: inFlight }, one));
    session.close();
  }

  /** A receiver's subscription from the start: it is to have everything. */
  async #subscribed(receiver: string): Promise<number> {
    await this.#session.scope.subscription.create({ topic: TOPIC, receiver, from: "start" });
    return 0;
  }

  /** Some from the start, most from now on; by callback with a durable cursor, by callback with their own, or by pages. */
  async #join(name: string, i: number): Promise<Subscriber> {
    const { scope } = this.#session;
    const course: Course = {
      ...this.#course,
      address: this.#node,
      random: new SeededRandom(this.#random.upTo(2 ** 31)),
    };
    const from = this.#random.next() < 0.25 ? "start" : "now";
    const { id, cursor } = await scope.subscription.create({ topic: TOPIC, from });
    const after = from === "start" ? 0 : await this.#numberAt(cursor);
    if (i % 3 === 0) return new PageReader(name, course, { id, after });
    if (i % 3 === 1) return new Follower(name, course, { id, cursor, after });
    await scope.subscription.delete({ id });
    return new Follower(name, course, { cursor, after });
  }

  /** The number that was published last before a cursor: the next one less one, or all. */
  async #numberAt(after: string): Promise<number> {
    for (;;) {
      const { items } = await this.#session.scope.subscription.read({ topic: TOPIC, after, limit: 1, wait: 20 });
      const [first] = items as readonly { readonly data: { readonly n: number } }[];
      if (first !== undefined) return first.data.n - 1;
      const all = this.#course.last();
      if (all !== undefined) return all;
    }
  }

  async #received(name: string, after: number): Promise<Book> {
    const book = new Book(name, after);
    const { scope } = this.#session;
    const tell = async (): Promise<readonly number[]> => {
      const input = { receiver: name, from: book.handed };
      return (await scope.action.perform({ name: "tell", input })).output as readonly number[];
    };
    for (let stalls = 0; book.last < this.#options.publications && stalls < 1000; stalls++) {
      const more = await tell();
      book.batch(more);
      if (more.length > 0) stalls = 0;
    }
    book.batch(await tell());
    return book;
  }

  #checked(book: Book): readonly string[] {
    const { publications } = this.#options;
    return book.last === publications
      ? book.wrong
      : [...book.wrong, `${book.name} has ${book.last} of ${publications}`];
  }
}
