// A topic of another node, as those see it who wait here: the importer of this node, and peers that are led through it. One reader
// asks upstream for all of them, from where the last page ended, and only while somebody waits.

import { FaultError, fault, type PluginRuntime } from "@capstan/orchestrator";
import type { TopicPage } from "../../publisher/elsewhere.ts";
import type { Places } from "../../publisher/places.ts";
import type { PeerName } from "../forward/far-answer.ts";
import { entryIn, logIn } from "./far-cursor.ts";
import { Ring } from "./ring.ts";
import { MOST_IN_A_PAGE } from "./topic-messages.ts";
import { type Asking, type Found, isOfTheCursor, type Ways } from "./ways.ts";

/** What one asking upstream waits: whoever is asked has something to remember for as long. */
const WAIT_MS = 20_000;
/** Who says sooner than half of that that there is nothing is asked again after a pause, then twice as long, up to the most. */
const PAUSE_MS = { first: 50, most: 2_000 };
/** A page without publications got somewhere where it is so many entries further: its origin looks through a part of its log at a time. */
const FURTHER = 1_000;
/** And so often in one reading; then whoever waits is told how far it came. */
const MOST_TIMES = 64;
/** What nobody has asked for so long is read anew: meanwhile it fell behind, and whoever comes back is not. */
const IDLE_MS = 30_000;

export interface Reading extends Asking {
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Whoever asks has so many readings of its own at once; the others wait. */
  readonly places?: Places | undefined;
}

export interface RelayedParts {
  readonly topic: string;
  readonly origin: string;
  readonly ways: Ways;
  readonly runtime: Pick<PluginRuntime, "timers" | "now">;
  /** What it holds changed. */
  resized(): void;
}

/** A page, and by whom it came. */
export interface Relayed extends TopicPage {
  /** UTF-16 code units of its publications, or of the page that they are the first of. */
  readonly size: number;
  readonly by: PeerName;
}

interface Waiter {
  readonly via: readonly string[];
  /** Something came, or it may look again. */
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
  /** By whom the last page came. */
  #by: PeerName | undefined;
  /** Whom the reader asks now. */
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

  /** UTF-16 code units that are kept for it. */
  get size(): number {
    return this.#ring?.size ?? 0;
  }

  get usedAt(): number {
    return this.#usedAt;
  }

  /** Whom it is read from now. */
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
    if (asking.after === undefined) return plain(await this.#parts.ways.page({ ...asking, wait: 0 }));
    const until = this.#parts.runtime.now() + asking.wait;
    let after = asking.after;
    // It stands where this node has not been yet: only the origin knows whether there is such a place.
    let ahead = true;
    for (let times = 0; ; ) {
      if (this.#ring === undefined) await this.#begin(asking);
      const ring = this.#ring as Ring | undefined;
      const left = until - this.#parts.runtime.now();
      if (ring?.reaches(after) && (!ahead || entryIn(after) <= entryIn(ring.next))) {
        const page = ring.after(after, asking.limit);
        if (page.items.length > 0 || left <= 0 || asking.signal.aborted) return { ...page, by: this.#by as PeerName };
        // Whom the reader asks may be who asks us, and both would wait for each other.
        if (this.#asked !== undefined && asking.via.includes(this.#asked.peer.node))
          return this.#onward(asking, { ...asking, after, wait: Math.ceil(left) });
        await this.#more(asking, left);
        continue;
      }
      // By itself, until it has caught up: what crosses the link now crosses it for nobody else.
      const page = await this.#onward(asking, { ...asking, after, wait: 0 });
      if (page.items.length > 0 || left <= 0 || asking.signal.aborted || ++times > MOST_TIMES) return page;
      ahead = false;
      if (!isFurther(after, page.next) && this.#ring?.reaches(page.next) !== true)
        return this.#onward(asking, { ...asking, after, wait: Math.ceil(left) });
      after = page.next;
    }
  }

  /** Ways changed: the reader asks another one, where the one that it asks leads there no more. */
  changed(): void {
    const { topic, origin, ways } = this.#parts;
    if (this.#asked !== undefined && !ways.leads(topic, origin, this.#asked.peer.node)) this.#asked.give();
  }

  /** Others need the room. */
  empty(): void {
    this.#ring?.empty();
  }

  stop(): void {
    for (const { fail } of [...this.#waiters]) fail(new FaultError(fault("STOPPING", "the node is shutting down")));
    this.#asked?.give();
  }

  /** Where the topic is now: from there on everything that comes is kept a while, for all. */
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

  /** From where whoever asks is, or beyond: what is wrong with a place that they were not at says nothing of theirs. */
  #onward({ after }: Asking, asking: Reading): Promise<Relayed> {
    const reading = this.#alone(asking);
    if (asking.after === after) return reading;
    return reading.catch((thrown: unknown) => {
      throw isOfTheCursor(thrown) ? another(this.topic, thrown) : thrown;
    });
  }

  async #alone(asking: Reading): Promise<Relayed> {
    const found = await this.#behind(asking);
    const { page } = found;
    const log = logIn(page.next);
    // Its origin has another log now.
    if (this.#ring !== undefined && this.#ring.log !== log) this.#forget();
    this.#ring?.precede(asking.after as string, page);
    this.#parts.resized();
    return plain(found);
  }

  /** Those who are behind at the same place, as all are after a restart of this node, read on from there together. */
  async #behind(asking: Reading): Promise<Found> {
    // With another limit it is another page: nobody has more cross the link than they asked for.
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

  async #inPlace({ places, signal, ...asking }: Reading): Promise<Found> {
    await places?.take();
    try {
      if (signal.aborted)
        throw new FaultError(fault("TOPIC_UNREACHABLE", `${this.topic}: whoever asked for it is gone`));
      return await this.#parts.ways.page(asking);
    } finally {
      places?.give();
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
        const [first] = this.#waiters;
        const ring = this.#ring;
        if (first === undefined || ring === undefined) break;
        const began = runtime.now();
        const asking = { topic, origin, after: ring.next, limit: MOST_IN_A_PAGE, wait: WAIT_MS, via: first.via };
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
      // Its origin has another log, or a part of it is gone: each asks for its own cursor what that means.
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
    // There is nothing to be read on from: they begin anew.
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
