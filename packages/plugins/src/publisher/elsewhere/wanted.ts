// Which topics of other nodes somebody here wants: those that a subscription, a follower or a reader is of, or that a pattern of
// theirs covers. Nobody asks for it on a node without peers, and there it costs nothing.

import type { Authority, Logger, Principal, Reader, Table, Timers } from "@capstan/orchestrator";
import { covers, isHere, isPattern, nameIn } from "../topic.ts";
import { Lingering } from "./lingering.ts";
import { PatternTopics } from "./pattern-topics.ts";
import { importedTable, topicElsewhereTable } from "./topics.ts";
import type { Want } from "./want.ts";

export interface WantedParts {
  readonly reader: Pick<Reader, "get" | "rows">;
  readonly actions: Table;
  readonly timers: Timers;
  readonly log: Logger;
  now(): number;
  /** Milliseconds that a topic is wanted after whoever followed it left: they may be back, with a cursor of this log. */
  readonly linger: number;
  /** Everybody who is there now. */
  held(): Iterable<Want>;
  /** What somebody may read as of now. */
  authority(topic: string, as: Principal): Authority | undefined;
  defer(task: () => void): void;
}

/** Topics, and rights to them, that one turn looks at: some hundred microseconds. */
const MOST_AT_ONCE = 500;

type Told = (topics: ReadonlySet<string>) => void;

export class Wanted {
  readonly #parts: WantedParts;
  readonly #told = new Set<Told>();
  readonly #held = new Set<Want>();
  /** How many want exactly this. */
  readonly #exact = new Map<string, number>();
  /** Who wants all that begins so. */
  readonly #patterns = new Map<string, Set<Want>>();
  readonly #topics = new Set<string>();
  readonly #lingering: Lingering;
  readonly #covered: PatternTopics;
  /** What is to be looked at again. */
  readonly #changed = new Set<string>();
  #all = false;
  #walk: Iterator<string, undefined> | undefined;
  /** What they may read, for as long as there is something to be looked at. */
  readonly #may = new Map<Want, Authority | undefined>();
  #deferred = false;

  constructor(parts: WantedParts) {
    this.#parts = parts;
    this.#lingering = new Lingering({
      ...parts,
      came: (want) => this.#count(want),
      left: (want) => this.#drop(want),
    });
    this.#covered = new PatternTopics(parts.log, () => {
      this.#all = true;
    });
  }

  /** Answers how to stop that. */
  follow(told: Told): () => void {
    if (this.#told.size === 0) this.#begin();
    this.#told.add(told);
    told(new Set(this.#topics));
    return () => {
      this.#told.delete(told);
      if (this.#told.size === 0) this.stop();
    };
  }

  /** Whether anybody asks for it. */
  get active(): boolean {
    return this.#told.size > 0;
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  add(want: Want): void {
    if (this.active && !this.#held.has(want)) this.#add(want);
  }

  remove(want: Want): void {
    if (this.#held.delete(want)) this.#drop(want);
  }

  /** Somebody reads, or did until now, and may go on from there. `as` where what they want is a pattern. */
  passes(topic: string, as: Principal | undefined): void {
    if (this.active) this.#lingering.passes(topic, as);
  }

  /** There are ways to these, or no longer. */
  reached(topics: readonly string[]): void {
    if (this.active) this.#lookAt(topics);
  }

  /** Anything may be otherwise: who may read what, which actions are here. */
  recheck(): void {
    if (!this.active) return;
    this.#all = true;
    this.#may.clear();
    this.#defer();
  }

  stop(): void {
    this.#lingering.stop();
    this.#covered.clear();
    for (const kept of [this.#told, this.#held, this.#exact, this.#patterns]) kept.clear();
    for (const kept of [this.#topics, this.#changed, this.#may]) kept.clear();
    this.#all = false;
    this.#walk = undefined;
  }

  #begin(): void {
    for (const want of this.#parts.held()) this.#add(want);
    this.#lookAtAll();
    // Whoever followed it before this start may be back too.
    for (const [topic] of this.#parts.reader.rows(importedTable)) {
      if (!this.#topics.has(topic)) this.#lingering.passes(topic, undefined);
    }
    this.#lookAtAll();
  }

  #lookAtAll(): void {
    do this.#look();
    while (this.#unlooked);
  }

  #add(want: Want): void {
    this.#held.add(want);
    this.#count(want);
  }

  #count(want: Want): void {
    const { topic } = want;
    if (!isPattern(topic)) {
      this.#exact.set(topic, (this.#exact.get(topic) ?? 0) + 1);
      this.#lookAt([topic]);
      return;
    }
    const others = this.#patterns.get(topic) ?? new Set();
    this.#patterns.set(topic, others.add(want));
    this.#all = true;
    this.#defer();
  }

  #drop(want: Want): void {
    const { topic } = want;
    if (!isPattern(topic)) {
      const count = (this.#exact.get(topic) ?? 0) - 1;
      if (count > 0) this.#exact.set(topic, count);
      else this.#exact.delete(topic);
      this.#lookAt([topic]);
      return;
    }
    this.#may.delete(want);
    const others = this.#patterns.get(topic);
    if (others?.delete(want) && others.size === 0) this.#patterns.delete(topic);
    this.#lookAt([...this.#topics].filter((one) => covers(topic, one)));
  }

  #lookAt(topics: Iterable<string>): void {
    for (const topic of topics) this.#changed.add(topic);
    this.#defer();
  }

  /** What may be wanted. What is imported goes first, so that what is past the limit is not now this and now that. */
  *#everything(): Iterator<string, undefined> {
    yield* [...this.#topics];
    yield* [...this.#exact.keys()];
    if (this.#patterns.size === 0) return;
    for (const table of [importedTable, topicElsewhereTable]) {
      for (const [topic] of this.#parts.reader.rows<unknown>(table)) yield topic;
    }
  }

  #defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#parts.defer(() => {
      this.#deferred = false;
      if (!this.active) return;
      const other = this.#look();
      if (this.#unlooked) this.#defer();
      if (other) for (const told of [...this.#told]) this.#tell(told);
    });
  }

  #tell(told: Told): void {
    try {
      told(new Set(this.#topics));
    } catch (thrown) {
      this.#parts.log.error({ error: String(thrown) }, "whoever reads topics elsewhere failed to hear which");
    }
  }

  /** As much as one turn may take. Answers whether it is another set now. */
  #look(): boolean {
    let other = false;
    for (let left = MOST_AT_ONCE; left > 0; left--) {
      const topic = this.#next();
      if (topic === undefined) break;
      const by = this.#leads(topic);
      let wanted = by !== undefined && this.#exact.has(topic);
      let covered = false;
      if (by !== undefined && !wanted) {
        for (const want of this.#wantersOf(topic)) {
          left--;
          covered = this.#mayOf(want)?.reads(nameIn(topic)) ?? false;
          if (covered) break;
        }
      }
      wanted = this.#covered.cover(topic, covered ? by : undefined) || wanted;
      if (wanted !== this.#topics.has(topic)) other = true;
      if (wanted) this.#topics.add(topic);
      else this.#topics.delete(topic);
    }
    if (!this.#unlooked) this.#may.clear();
    return other;
  }

  get #unlooked(): boolean {
    return this.#all || this.#walk !== undefined || this.#changed.size > 0;
  }

  #next(): string | undefined {
    for (const topic of this.#changed) {
      this.#changed.delete(topic);
      return topic;
    }
    // Whoever has all of it looked at again and again does not have that begin again.
    if (this.#walk === undefined && this.#all) {
      this.#all = false;
      this.#walk = this.#everything();
    }
    const topic = this.#walk?.next().value;
    if (topic === undefined) this.#walk = undefined;
    return topic;
  }

  /** The peer by which a topic elsewhere comes; `undefined` where it is here, or nowhere. */
  #leads(topic: string): string | undefined {
    const { reader, actions } = this.#parts;
    const by = reader.get(topicElsewhereTable, topic)?.peer ?? reader.get(importedTable, topic)?.via;
    return by === undefined || isHere(reader, actions, topic) ? undefined : by;
  }

  /** Who wants it for a pattern's sake. */
  *#wantersOf(topic: string): Iterable<Want> {
    if (this.#patterns.size === 0) return;
    for (let end = 0; end <= topic.length; end++) yield* this.#patterns.get(`${topic.slice(0, end)}*`) ?? NOBODY;
  }

  #mayOf(want: Want): Authority | undefined {
    if (!this.#may.has(want)) this.#may.set(want, this.#parts.authority(want.topic, want.as()));
    return this.#may.get(want);
  }
}

const NOBODY: ReadonlySet<Want> = new Set();
