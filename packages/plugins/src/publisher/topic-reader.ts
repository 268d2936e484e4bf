// Reads the publications of one topic from a position in the log: scans on from there, delivers what it finds, and rests at the head until
// something comes. It holds at most one batch in memory.

import type { Authority, Awaitable, Fault } from "@capstan/orchestrator";
import type { Feed } from "./feed.ts";
import type { History } from "./history.ts";
import type { Published } from "./publication.ts";
import type { RunQueue } from "./run-queue.ts";
import { MOST_AT_ONCE } from "./schema.ts";
import { nameIn } from "./topic.ts";

/** The most UTF-16 code units of a batch, not counting its first publication. */
const MOST_IN_A_BATCH = 1024 * 1024;

export interface TopicReaderParts {
  readonly topic: string;
  readonly history: History;
  readonly feed: Feed;
  readonly queue: RunQueue;
  /** The authorities it reads under; asked before each batch. */
  authority(): readonly Authority[] | Fault;
  /** Why nobody can read on from an entry; `undefined` where that is possible. */
  gone(entry: number): Fault | undefined;
  /** Called when it may not read any more. The reader has ended. */
  refused(fault: Fault): void;
  /**
   * Delivers a batch that is complete up to entry `to`. Answers up to which entry the reader shall count as done; `undefined` ends it.
   */
  deliver(items: readonly Published[], to: number): Awaitable<number | undefined>;
  /** Called when reading failed, for example because the log is damaged. The reader has ended. */
  broke(thrown: unknown): void;
}

type State = "resting" | "queued" | "busy" | "ended";

export class TopicReader {
  readonly #parts: TopicReaderParts;
  #position: number;
  #state: State = "queued";
  #leave: () => void;

  /** @param position it reads what comes after this entry */
  constructor(parts: TopicReaderParts, position: number) {
    this.#parts = parts;
    this.#position = position;
    this.#leave = parts.feed.join(this);
    parts.queue.add(() => this.#step());
  }

  get topic(): string {
    return this.#parts.topic;
  }

  get ended(): boolean {
    return this.#state === "ended";
  }

  /** Everything up to this entry was delivered, or is not of its topic. */
  get position(): number {
    return this.#state === "resting" ? Math.max(this.#position, this.#parts.feed.position) : this.#position;
  }

  /** Something of its topic was published in this entry. */
  wake(entry: number): void {
    if (this.#state !== "resting") return;
    this.#position = Math.max(this.#position, entry - 1);
    this.#queue();
  }

  /** Rights may have changed: they are asked now, so that a reader without rights ends at once, not at the next publication. */
  recheck(): void {
    if (this.#state === "ended") return;
    const authority = this.#parts.authority();
    if ("code" in authority) this.#refused(authority);
  }

  end(): void {
    if (this.#state === "ended") return;
    this.#position = this.position;
    this.#state = "ended";
    this.#leave();
  }

  #queue(): void {
    this.#state = "queued";
    this.#parts.queue.add(() => this.#step());
  }

  #refused(fault: Fault): void {
    this.end();
    this.#parts.refused(fault);
  }

  #step(): void {
    if (this.#state !== "queued") return;
    this.#state = "busy";
    const { topic, history } = this.#parts;
    const may = this.#parts.gone(this.#position) ?? this.#parts.authority();
    if ("code" in may) {
      this.#refused(may as Fault);
      return;
    }
    const wanted = (one: Published): boolean =>
      (may as readonly Authority[]).every((each) => each.reads(nameIn(one.topic)));
    try {
      const page = history.scan(this.#position, topic, wanted, MOST_AT_ONCE, MOST_IN_A_BATCH);
      if (page instanceof Promise) page.then((one) => this.#handOn(one.items, one.to)).catch(this.#broke);
      else this.#handOn(page.items, page.to);
    } catch (thrown) {
      this.#broke(thrown);
    }
  }

  #handOn(items: readonly Published[], to: number): void {
    if (this.ended) return;
    if (items.length === 0) {
      this.#went(to);
      return;
    }
    const delivered = this.#parts.deliver(items, to);
    if (delivered instanceof Promise) delivered.then((reached) => this.#went(reached), this.#broke);
    else this.#went(delivered);
  }

  #went(to: number | undefined): void {
    if (to === undefined || this.ended) return;
    this.#position = to;
    // The feed wakes for entries after its own position only.
    if (to >= this.#parts.feed.position) this.#state = "resting";
    else this.#queue();
  }

  readonly #broke = (thrown: unknown): void => {
    if (this.ended) return;
    this.end();
    this.#parts.broke(thrown);
  };
}
