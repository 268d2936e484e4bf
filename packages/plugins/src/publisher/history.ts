// What was published, by place: the log read in blocks, each read once for everybody. A block is part of the log and never
// changes, so that it does not matter who reads it, nor whether it is history or has just come: there is no seam to get wrong.

import type { Awaitable, Reader, StoredEntry } from "@capstan/orchestrator";
import { type Published, publishedBy, topicsOf } from "./publication.ts";
import { covers } from "./topic.ts";

/** Entries of a block: what one read costs the loop at most, about a millisecond. */
const BLOCK = 256;
/** Blocks that one scan looks through at most: those that have to be read, and those that are known. */
const MOST_READ = 1;
const MOST_LOOKED_THROUGH = 64;
/** UTF-16 code units of publications that are kept, in blocks: the newest, and what somebody is reading. */
const MOST_KEPT = 16 * 1024 * 1024;

/** An entry that changes who is handed what. */
export interface Turn {
  readonly entry: number;
  readonly message: string;
  /** Id of the message. */
  readonly id: string;
}

const NO_TURNS: readonly Turn[] = Object.freeze([]);

/** An entry that publishes, or seems to. */
export interface Publishing {
  readonly entry: number;
  readonly topics: readonly string[];
}

interface Held extends Publishing {
  /** Made of the stored entry once somebody wants it: most of what is published nobody reads. */
  published: readonly Published[] | undefined;
  stored: StoredEntry | undefined;
}

interface Block {
  /** The last entry that was read into it. */
  to: number;
  readonly held: Held[];
  readonly turns: Turn[];
  size: number;
  reading: Promise<void> | undefined;
}

export interface Page {
  readonly items: readonly Published[];
  /** Everything up to this entry was looked at. */
  readonly to: number;
}

export interface HistoryParts {
  readonly reader: Reader;
  /** The last entry that may be told of. */
  durable(): number;
  /** Whether an entry of this message is a turn. */
  isTurn(message: string): boolean;
}

export class History {
  readonly #parts: HistoryParts;
  readonly #blocks = new Map<number, Block>();
  #kept = 0;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
  }

  /**
   * Publications under a topic after entry `after` that `wanted` takes: `limit` at most, and `size` code units, but for the first.
   * It looks through a bounded number of entries: `to` says how far it came. All of one entry come together.
   */
  scan(
    after: number,
    topic: string,
    wanted: (one: Published) => boolean,
    limit: number,
    size = Infinity,
  ): Awaitable<Page> {
    const items: Published[] = [];
    let room = size;
    const came = this.#walk(after, (held) => {
      if (!held.topics.some((one) => covers(topic, one))) return true;
      const found = this.#published(held).filter((one) => covers(topic, one.topic) && wanted(one));
      const [first] = found;
      if (first === undefined) return true;
      if (items.length > 0 && (items.length >= limit || room < first.size)) return false;
      for (const one of found) {
        items.push(one);
        room -= one.size;
      }
      return true;
    });
    return came instanceof Promise ? came.then((to) => ({ items, to })) : { items, to: came };
  }

  /** What seems to be published after an entry, and how far that was looked for. */
  passing(after: number): Awaitable<{ readonly items: readonly Publishing[]; readonly to: number }> {
    const items: Publishing[] = [];
    const came = this.#walk(after, (held) => items.push(held) > 0);
    return came instanceof Promise ? came.then((to) => ({ items, to })) : { items, to: came };
  }

  /** Visits what publishes after an entry until `visit` says no. Answers up to which entry it did. */
  #walk(after: number, visit: (held: Held) => boolean): Awaitable<number> {
    const state = { at: after, read: 0, blocks: 0 };
    const durable = this.#parts.durable();
    const go = (): Awaitable<number> => {
      while (state.at < durable && state.blocks < MOST_LOOKED_THROUGH && state.read < MOST_READ) {
        const number = Math.floor(state.at / BLOCK);
        const end = Math.min((number + 1) * BLOCK, durable);
        let block = this.#blocks.get(number);
        if (block === undefined || block.to < end) {
          state.read++;
          const reading = this.#extend(number, end);
          if (reading instanceof Promise) return reading.then(go);
          block = this.#blocks.get(number) as Block;
        }
        state.blocks++;
        this.#touch(number, block);
        for (let i = firstAfter(block.held, state.at); i < block.held.length; i++) {
          const held = block.held[i] as Held;
          if (held.entry > durable) break;
          if (!visit(held)) return held.entry - 1;
        }
        state.at = Math.min(block.to, end);
      }
      return state.at;
    };
    return go();
  }

  /** The turns after an entry and up to one, of what was scanned just now. */
  turns(after: number, to: number): readonly Turn[] {
    const turns: Turn[] = [];
    for (let number = Math.floor(after / BLOCK); number * BLOCK < to; number++) {
      for (const turn of this.#blocks.get(number)?.turns ?? NO_TURNS) {
        if (turn.entry > after && turn.entry <= to) turns.push(turn);
      }
    }
    return turns;
  }

  /** Of an entry that is kept somewhere: reads it, whether or not its block is known. */
  async at(entry: number): Promise<readonly Published[]> {
    const [stored] = await this.#parts.reader.entries(entry, { limit: 1 });
    return stored?.seq === entry ? publishedBy(stored, this.#parts.reader) : [];
  }

  /** What was read a while ago, as it is now; nothing where it was erased. */
  async again({ entry, topic }: Published): Promise<Published | undefined> {
    return (await this.at(entry)).find((one) => one.topic === topic);
  }

  /** Something that it may know was erased. */
  forget(): void {
    this.#blocks.clear();
    this.#kept = 0;
  }

  #extend(number: number, end: number): Awaitable<void> {
    const block = this.#blocks.get(number) ?? {
      ...{ to: number * BLOCK, held: [], turns: [], size: 0, reading: undefined },
    };
    this.#blocks.set(number, block);
    if (block.reading !== undefined) return block.reading;
    const before = block.size;
    const read = (): void => {
      block.reading = undefined;
      // It may have been forgotten meanwhile.
      if (this.#blocks.get(number) === block) this.#kept += block.size - before;
      this.#trim(number);
    };
    const reading = this.#read(block, end);
    if (!(reading instanceof Promise)) return read();
    block.reading = reading.then(read, (thrown) => {
      read();
      throw thrown;
    });
    return block.reading;
  }

  #read(block: Block, end: number): Awaitable<void> {
    const { reader } = this.#parts;
    // What was compacted away is passed over: whoever needed it was told before (topic-reader.ts).
    block.to = Math.max(block.to, Math.min(end, reader.first - 1));
    if (block.to === end) return undefined;
    const entries = reader.entries(block.to + 1, { limit: end - block.to });
    return entries instanceof Promise
      ? entries.then((stored) => this.#take(block, stored, 0, end))
      : this.#take(block, entries, 0, end);
  }

  #take(block: Block, entries: readonly StoredEntry[], from: number, end: number): Awaitable<void> {
    for (let i = from; i < entries.length; i++) {
      const stored = entries[i] as StoredEntry;
      // Decided, and not durable yet.
      if (stored.seq <= block.to || stored.seq > end) continue;
      const topics = topicsOf(stored);
      if (topics !== undefined) {
        this.#hold(block, stored, topics);
        continue;
      }
      const found = publishedBy(stored, this.#parts.reader);
      if (found instanceof Promise) {
        return found.then((published) => {
          this.#hold(block, stored, topicsIn(published), published);
          return this.#take(block, entries, i + 1, end);
        });
      }
      this.#hold(block, stored, topicsIn(found), found);
    }
    if (entries.length === 0) block.to = end;
  }

  #hold(block: Block, stored: StoredEntry, topics: readonly string[], published?: readonly Published[]): void {
    if (topics.length > 0) {
      block.held.push({ entry: stored.seq, topics, published, stored: published === undefined ? stored : undefined });
      block.size += published?.reduce((sum, { size }) => sum + size, 0) ?? stored.text.length;
    }
    const message = messageOf(stored.text);
    if (this.#parts.isTurn(message)) block.turns.push({ entry: stored.seq, message, id: idOf(stored.text) });
    block.to = stored.seq;
  }

  #published(held: Held): readonly Published[] {
    if (held.published === undefined) {
      // It is all in the entry's text, so that it is there at once.
      held.published = publishedBy(held.stored as StoredEntry, this.#parts.reader) as readonly Published[];
      held.stored = undefined;
    }
    return held.published;
  }

  #touch(number: number, block: Block): void {
    this.#blocks.delete(number);
    this.#blocks.set(number, block);
  }

  /** Forgets what nobody looked at for longest. */
  #trim(but: number): void {
    const most = 4096; // of empty blocks there may be many
    for (const [number, block] of this.#blocks) {
      if (this.#kept <= MOST_KEPT && this.#blocks.size <= most) return;
      if (number === but || block.reading !== undefined) continue;
      this.#blocks.delete(number);
      this.#kept -= block.size;
    }
  }
}

/** The index of the first that stands after an entry. */
function firstAfter(held: readonly Held[], entry: number): number {
  let low = 0;
  let high = held.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((held[middle] as Held).entry <= entry) low = middle + 1;
    else high = middle;
  }
  return low;
}

function topicsIn(published: readonly Published[]): readonly string[] {
  return published.map(({ topic }) => topic);
}

const ID = '{"id":"';
const MESSAGE = '"message":"';

/** A header begins with id and message (docs/log-format.md): parsing it whole would be most of the cost of an entry. */
function messageOf(text: string): string {
  const from = text.indexOf(MESSAGE) + MESSAGE.length;
  return text.slice(from, text.indexOf('"', from));
}

function idOf(text: string): string {
  return text.slice(ID.length, text.indexOf('"', ID.length));
}
