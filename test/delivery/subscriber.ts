// Subscribers that join, leave, die and return, as a seed says: by callback with a cursor that the node keeps or that they keep
// themselves, or by pages. Each keeps its own book.

import type { Batch } from "@capstan/plugins";
import type { SeededRandom } from "../chaos/seeded-random.ts";
import { Book } from "./book.ts";
import { type Address, openSession, type Session } from "./node-process.ts";

export const TOPIC = "action.tick";

export interface Course {
  readonly address: Address;
  readonly random: SeededRandom;
  /** The number that will be published last. */
  last(): number;
  /** Resolves once this many more are published, or all are. */
  afterMore(count: number): Promise<void>;
}

export interface Subscriber {
  readonly book: Book;
  readonly sessions: number;
  run(): Promise<void>;
}

const numbersOf = ({ publications }: Pick<Batch, "publications">): number[] =>
  publications.map(({ data }) => (data as { readonly n: number }).n);

/** How a stay ends: it leaves with its last batch refused, or dies after one, with one under way, or with one dealt with and unanswered. */
const ENDS = ["leaves", "dies", "dies unanswered", "dies before it answers"] as const;

export class Follower implements Subscriber {
  readonly book: Book;
  sessions = 0;
  readonly #course: Course;
  /** Of a durable subscription; without one it goes by its own cursor. */
  readonly #id: string | undefined;
  #cursor: string;

  constructor(
    name: string,
    course: Course,
    start: { readonly id?: string; readonly cursor: string; readonly after: number },
  ) {
    this.book = new Book(name, start.after);
    this.#course = course;
    this.#id = start.id;
    this.#cursor = start.cursor;
  }

  async run(): Promise<void> {
    const { random, last, afterMore } = this.#course;
    while (this.book.last !== last()) {
      await this.#stay(random.upTo(12), random.pick(ENDS));
      await afterMore(random.upTo(200));
    }
  }

  /** A session of so many batches; the one in which everything is there ends politely. */
  async #stay(batches: number, end: (typeof ENDS)[number]): Promise<void> {
    this.sessions++;
    const session = openSession(this.#course.address);
    const over = Promise.withResolvers<void>();
    let left = batches;
    const callback = async (batch: Batch): Promise<void> => {
      if (batch.ended !== undefined) return over.resolve();
      if (left === 0) {
        if (end === "leaves") throw new Error("it leaves");
        // Never answered, and never to be: not in the book.
        over.resolve();
        return new Promise(() => {});
      }
      left--;
      this.book.batch(numbersOf(batch));
      this.#cursor = batch.next;
      const done = this.book.last === this.#course.last();
      if (done) left = 0;
      if (left > 0 || (!done && (end === "leaves" || end === "dies unanswered"))) return;
      if (end !== "dies before it answers") return void setImmediate(over.resolve);
      over.resolve();
      return new Promise(() => {});
    };
    const from = this.#id === undefined ? { topic: TOPIC, from: this.#cursor } : { id: this.#id };
    await session.scope.subscription.follow({ ...from, callback });
    await over.promise;
    if (end === "leaves") {
      session.close();
    } else {
      session.tear();
      // Whoever keeps the cursor with the book knows what was answered.
      if (this.#id !== undefined) this.book.torn();
    }
  }
}

/** By pages, with an acknowledgement each: what was asked for without one is asked for again. */
export class PageReader implements Subscriber {
  readonly book: Book;
  sessions = 0;
  readonly #course: Course;
  readonly #id: string;

  constructor(name: string, course: Course, start: { readonly id: string; readonly after: number }) {
    this.book = new Book(name, start.after);
    this.#course = course;
    this.#id = start.id;
  }

  async run(): Promise<void> {
    const { random, last, afterMore, address } = this.#course;
    while (this.book.last !== last()) {
      this.sessions++;
      const session = openSession(address);
      await this.#read(session, random.upTo(6), random.next() < 0.5);
      session.tear();
      this.book.torn();
      await afterMore(random.upTo(200));
    }
  }

  async #read({ scope }: Session, pages: number, forgets: boolean): Promise<void> {
    const id = this.#id;
    for (let i = 0; i < pages && this.book.last !== this.#course.last(); i++) {
      const { items, next } = await scope.subscription.read({ id, limit: 256, wait: 50 });
      if (items.length === 0) continue;
      this.book.batch(numbersOf({ publications: items as Batch["publications"] }));
      // It dies before it says that it has them.
      if (forgets && i === pages - 1) return;
      await scope.subscription.acknowledge({ id, cursor: next });
    }
  }
}
