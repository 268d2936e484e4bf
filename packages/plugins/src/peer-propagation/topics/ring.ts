// The latest publications of a topic, in order and bounded: readers that are not further behind are served from here.

import type { TopicPage } from "../../publisher/elsewhere/topics.ts";
import { entryIn, isOneHistory, logIn } from "./far-cursor.ts";
import type { FarPage, Sized } from "./far-page.ts";
import { MOST_CHARACTERS } from "./topic-messages.ts";

/** The most publications: two pages, one being delivered and one that came meanwhile. */
const MOST_KEPT = 512;
const MOST_KEPT_CHARACTERS = 2 * MOST_CHARACTERS;

export class Ring {
  readonly log: string;
  /** It has everything after this cursor up to `next`. */
  #from: number;
  #next: string;
  #items: (Sized & { readonly entry: number })[] = [];
  #size = 0;

  /** @param at the cursor from which on it will get everything */
  constructor(at: string) {
    this.log = logIn(at);
    this.#from = entryIn(at);
    this.#next = at;
  }

  get next(): string {
    return this.#next;
  }

  /** Its size in UTF-16 code units. */
  get size(): number {
    return this.#size;
  }

  /** Adds a page that was read after `next`. */
  append(page: FarPage): void {
    for (const sized of page.items) {
      this.#items.push({ ...sized, entry: entryIn(sized.one.cursor) });
      this.#size += sized.size;
    }
    this.#next = page.next;
    // The latest page is kept whole, because somebody waits for it.
    while (
      this.#items.length > page.items.length &&
      (this.#items.length > MOST_KEPT || this.#size > MOST_KEPT_CHARACTERS)
    )
      this.#forgetFirst();
  }

  /** Puts an older page, read after `after`, in front, if it reaches what is here and there is room, so that others need not read it again. */
  precede(after: string, page: FarPage): void {
    if (!isOneHistory(page.next, this.#next) || entryIn(after) >= this.#from || entryIn(page.next) < this.#from) return;
    const items = page.items
      .map((sized) => ({ ...sized, entry: entryIn(sized.one.cursor) }))
      .filter(({ entry }) => entry <= this.#from);
    const size = items.reduce((sum, one) => sum + one.size, this.#size);
    if (items.length + this.#items.length > MOST_KEPT || size > MOST_KEPT_CHARACTERS) return;
    this.#items.unshift(...items);
    this.#size = size;
    this.#from = entryIn(after);
  }

  /** Drops everything. */
  empty(): void {
    this.#items = [];
    this.#size = 0;
    this.#from = entryIn(this.#next);
  }

  /** Whether it has everything after a cursor. Across a restore only the origin can tell. */
  reaches(after: string): boolean {
    return isOneHistory(after, this.#next) && entryIn(after) >= this.#from;
  }

  /** A page after a cursor that it reaches. */
  after(after: string, limit: number): TopicPage & { readonly size: number } {
    const entry = entryIn(after);
    let first = this.#items.length;
    while (first > 0 && (this.#items[first - 1] as { entry: number }).entry > entry) first--;
    const items = [];
    let room = MOST_CHARACTERS;
    for (let i = first; i < this.#items.length && items.length < limit; i++) {
      const { one, size } = this.#items[i] as Sized;
      if (items.length > 0 && size > room) break;
      items.push(one);
      room -= size;
    }
    const size = MOST_CHARACTERS - room;
    const last = items.at(-1);
    if (last !== undefined && first + items.length < this.#items.length) return { items, next: last.cursor, size };
    return { items, next: entryIn(this.#next) > entry ? this.#next : after, size };
  }

  #forgetFirst(): void {
    const gone = this.#items.shift();
    if (gone === undefined) return;
    this.#size -= gone.size;
    this.#from = gone.entry;
  }
}
