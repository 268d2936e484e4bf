// A topic of another node, for all who read it here: this node's importer, and peers whose way leads through this node. One reader asks upstream for
// all of them, from the end of the last page, and only while somebody waits.

import { FaultError, fault, type PluginRuntime } from "@capstan/orchestrator";
import type { Slots } from "../../publisher/delivery/slots.ts";
import type { TopicPage } from "../../publisher/elsewhere/topics.ts";
import type { PeerName } from "../names.ts";
import { entryIn, logIn } from "./far-cursor.ts";
import { Ring } from "./ring.ts";
import { MOST_IN_A_PAGE } from "./topic-messages.ts";
import { type Asking, type Found, isOfTheCursor, type Ways } from "./ways.ts";

/** The wait of one upstream request, which the asked node must remember for so long. */
const WAIT_MS = 20_000;
/** After an answer `nothing` in less than half of that, the next request waits for this pause, doubled each time up to the most. */
const PAUSE_MS = { first: 50, most: 2_000 };
/** An empty page counts as progress where its place is so many entries further: an origin scans its log in parts. */
const FURTHER = 1_000;
/** The most empty pages in one reading; then the waiting reader is told the place reached. */
const MOST_TIMES = 64;
/** After so long without a reader the topic begins anew: it has fallen behind, and a reader who comes back has not. */
const IDLE_MS = 30_000;

export interface Reading extends Asking {
  /** Aborted to end the wait. */
  readonly signal: AbortSignal;
  /** Bounds how many upstream requests of the asking peer's own run at once. */
  readonly slots?: Slots | undefined;
}

export interface RelayedParts {
  readonly topic: string;
  readonly origin: string;
  readonly ways: Ways;
  readonly runtime: Pick<PluginRuntime, "timers" | "now">;
  /** Called when the size of what it keeps has changed. */
  resized(): void;
}

/** A page, and the peer that it came from. */
export interface Relayed extends TopicPage {
  /** The size, in UTF-16 code units, of its publications, or of the page that they begin. */
  readonly size: number;
  readonly by: PeerName;
}

interface Waiter {
  readonly via: readonly string[];
  /** Something came, or ways changed. */
  wake(): void;
  fail(thrown: unknown): void;
}

export class RelayedTopic {
  /** Readings that were of no use to anybody else: pages that crossed a link once more. */
  alone = 0;
  readonly #parts: RelayedParts;
  readonly #waiters = new Set<Waiter>();
  #ring: Ring | undefined;
  #beginning: Promise<void> | undefined;
  readonly #together = new Map<string, Promise<Found>>();
  /** The peer that the last page came from. */
  #by: PeerName | undefined;
  /** The peer that the reader is asking now. */
  #asked: { readonly peer: PeerName; readonly give: () => void } | undefined;
  #reading = false;
  /** How often in a row the reader was told that there is nothing so far. */
  #times = 0;
  #usedAt: number;

  constructor(parts: RelayedParts) {
    this.#parts = parts;
    this.#usedAt = parts.runtime.now();
  }

  get topic(): string {
    return this.#parts.topic;
  }

  /** The size of what it keeps, in UTF-16 code units. */
  get size(): number {
    return this.#ring?.size ?? 0;
  }

  get usedAt(): number {
    return this.#usedAt;
  }

  /** The peer that it is read from now. */
  get by(): PeerName | undefined {
    return this.#asked?.peer;
  }

  get idle(): boolean {
    return this.#waiters.size === 0 && !this.#reading && this.#parts.runtime.now() - this.#usedAt > IDLE_MS;
  }

  /** Publications after a cursor, or an empty page once the wait is over. @throws FaultError */
  async read(asking: Reading): Promise<Relayed> {
    if (this.idle) this.#forget();
    this.#usedAt = this.#parts.runtime.now();
    if (asking.after === undefined) return plain(await this.#inPlace({ ...asking, wait: 0 }));
    const until = this.#parts.runtime.now() + asking.wait;
    let after = asking.after;
    // The cursor is beyond what this node has seen: only the origin knows whether that place exists.
    let ahead = true;
    for (let times = 0; ; ) {
      const isAlone = this.#isLedRound(asking);
      if (this.#ring === undefined && !isAlone) await this.#begin(asking);
      const ring = this.#ring as Ring | undefined;
      const left = until - this.#parts.runtime.now();
      if (ring === undefined && isAlone)
        return this.#onward(asking, { ...asking, after, wait: Math.max(0, Math.ceil(left)) });
      if (ring?.reaches(after) && (!ahead || entryIn(after) <= entryIn(ring.next))) {
        const page = ring.after(after, asking.limit);
        if (page.items.length > 0 || left <= 0 || asking.signal.aborted) return { ...page, by: this.#by as PeerName };
        // The reader may be asking the very node that asks us: both would wait for each other.
        const isAsked = this.#asked !== undefined && asking.via.includes(this.#asked.peer.node);
        if (isAsked || isAlone) return this.#onward(asking, { ...asking, after, wait: Math.ceil(left) });
        await this.#more(asking, left);
        continue;
      }
      // Read for this reader alone until it has caught up.
      const page = await this.#onward(asking, { ...asking, after, wait: 0 });
      if (page.items.length > 0 || left <= 0 || asking.signal.aborted || ++times > MOST_TIMES) return page;
      ahead = false;
      if (!isFurther(after, page.next) && this.#ring?.reaches(page.next) !== true)
        return this.#onward(asking, { ...asking, after, wait: Math.ceil(left) });
      after = page.next;
    }
  }

  /** Ways have changed: the reader asks another peer if the present one no longer leads there. */
  changed(): void {
    const { topic, origin, ways } = this.#parts;
    if (this.#asked !== undefined && !ways.leads(topic, origin, this.#asked.peer.node)) this.#asked.give();
  }

  /** Drops what it keeps: other topics need the memory. */
  empty(): void {
    this.#ring?.empty();
  }

  stop(): void {
    for (const { fail } of [...this.#waiters]) fail(new FaultError(fault("STOPPING", "the node is shutting down")));
    this.#asked?.give();
  }

  /**
   * Whether the request came through the very node that is the best way for others. Then it must be read by another way, for this reader only. The
   * path is the asking peer's own word, and must not decide by which way others are served.
   */
  #isLedRound(asking: Asking): boolean {
    const best = asking.via.length === 0 ? undefined : this.#parts.ways.first(asking);
    return best !== undefined && asking.via.includes(best);
  }

  /** The nodes that all waiting requests came through. */
  #through(): readonly string[] {
    const [first = [], ...others] = [...this.#waiters].map(({ via }) => via);
    return first.filter((node) => others.every((via) => via.includes(node)));
  }

  /** Finds the present end of the topic: from there on pages are kept for some time, for all readers. */
  #begin({ via }: Asking): Promise<void> {
    const { topic, origin, ways } = this.#parts;
    this.#beginning ??= ways
      .page({ topic, origin, limit: 1, wait: 0, via })
      .then(({ page, by }) => {
        this.#ring ??= new Ring(page.next);
        this.#by = by;
      })
      .finally(() => {
        this.#beginning = undefined;
      });
    return this.#beginning;
  }

  /** Reads on from the asking reader's cursor, or a later place. A fault about a later place says nothing about the reader's own cursor. */
  #onward({ after }: Asking, asking: Reading): Promise<Relayed> {
    const reading = this.#alone(asking);
    if (asking.after === after) return reading;
    return reading.catch((thrown: unknown) => {
      throw isOfTheCursor(thrown) ? another(this.topic, thrown) : thrown;
    });
  }

  async #alone(asking: Reading): Promise<Relayed> {
    if (this.#isLedRound(asking)) return plain(await this.#inPlace(asking));
    const found = await this.#behind(asking);
    const { page } = found;
    const log = logIn(page.next);
    // Its origin has another log now.
    if (this.#ring !== undefined && this.#ring.log !== log) this.#forget();
    this.#ring?.precede(asking.after as string, page);
    this.#parts.resized();
    return plain(found);
  }

  /** Readers that are behind at the same place, as all are after a restart of this node, share the requests from there. */
  async #behind(asking: Reading): Promise<Found> {
    // Only with the same limit: no reader makes more cross the link than it asked for.
    const place = `${asking.after} ${asking.limit}`;
    const others = asking.wait === 0 ? this.#together.get(place) : undefined;
    const found = others && (await others.catch(() => undefined));
    if (found !== undefined) return found;
    const reading = this.#inPlace(asking);
    if (asking.wait > 0) return reading;
    this.#together.set(place, reading);
    try {
      const mine = await reading;
      if (mine.page.items.length > 0) this.alone++;
      return mine;
    } finally {
      if (this.#together.get(place) === reading) this.#together.delete(place);
    }
  }

  async #inPlace({ slots, signal, ...asking }: Reading): Promise<Found> {
    await slots?.take();
    try {
      if (signal.aborted)
        throw new FaultError(fault("TOPIC_UNREACHABLE", `${this.topic}: whoever asked for it is gone`));
      return await this.#parts.ways.page(asking);
    } finally {
      slots?.give();
    }
  }

  /** Resolves once something came, or the wait is over. */
  #more({ via, signal }: Reading, left: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = (then: () => void) => (): void => {
        stopTimer();
        signal.removeEventListener("abort", wake);
        this.#waiters.delete(waiter);
        this.#usedAt = this.#parts.runtime.now();
        then();
      };
      const wake = over(resolve);
      const waiter: Waiter = { via, wake, fail: (thrown) => over(() => reject(thrown))() };
      const stopTimer = this.#parts.runtime.timers.after(left, wake);
      signal.addEventListener("abort", wake, { once: true });
      this.#waiters.add(waiter);
      if (!this.#reading) void this.#readOn();
    });
  }

  async #readOn(): Promise<void> {
    const { topic, origin, ways, runtime, resized } = this.#parts;
    this.#reading = true;
    let pause = PAUSE_MS.first;
    try {
      for (;;) {
        const ring = this.#ring;
        if (this.#waiters.size === 0 || ring === undefined) break;
        const began = runtime.now();
        const asking = { topic, origin, after: ring.next, limit: MOST_IN_A_PAGE, wait: WAIT_MS, via: this.#through() };
        const { page, by } = await ways.page(asking, (peer, give) => {
          this.#asked = { peer, give };
          for (const { via, wake } of [...this.#waiters]) if (via.includes(peer.node)) wake();
        });
        this.#by = by;
        ring.append(page);
        resized();
        for (const { wake } of [...this.#waiters]) wake();
        const further = isFurther(asking.after, page.next) && ++this.#times < MOST_TIMES;
        const waited = runtime.now() - began >= WAIT_MS / 2;
        if (waited || page.items.length > 0) this.#times = 0;
        if (waited || page.items.length > 0 || further) {
          pause = PAUSE_MS.first;
          continue;
        }
        await new Promise<void>((resolve) => runtime.timers.after(pause, resolve));
        pause = Math.min(pause * 2, PAUSE_MS.most);
      }
    } catch (thrown) {
      // The origin has another log, or part of it is gone: each reader asks with its own cursor what that means.
      const why = isOfTheCursor(thrown) ? another(topic, thrown) : thrown;
      for (const { fail } of [...this.#waiters]) fail(why);
      if (isOfTheCursor(thrown)) this.#forget();
    } finally {
      this.#asked = undefined;
      this.#reading = false;
      if (this.#waiters.size > 0) void this.#readOn();
    }
  }

  #forget(): void {
    this.#ring = undefined;
    // There is no place to go on from: they begin anew.
    for (const { wake } of [...this.#waiters]) wake();
    this.#parts.resized();
  }
}

function isFurther(after: string, next: string): boolean {
  return entryIn(next) - entryIn(after) >= FURTHER;
}

function another(topic: string, { code }: FaultError): FaultError {
  return new FaultError(
    fault("TOPIC_UNREACHABLE", `${topic}: its origin's log is not what it was (${code}); ask again`),
  );
}

function plain({ page: { items, next }, by }: Found): Relayed {
  return { items: items.map(({ one }) => one), next, by, size: items.reduce((sum, { size }) => sum + size, 0) };
}
