// All topics of other nodes that are read here or through this node, with one reader for each (relayed-topic.ts). It bounds what all of them and each
// peer may use.

import { FaultError, fault, type PluginRuntime } from "@capstan/orchestrator";
import { Slots } from "../../publisher/delivery/slots.ts";
import type { TopicRead } from "../../publisher/elsewhere/topics.ts";
import { RunQueue } from "../../publisher/run-queue.ts";
import type { PeerName } from "../names.ts";
import { type Relayed, RelayedTopic } from "./relayed-topic.ts";
import { MOST_CHARACTERS } from "./topic-messages.ts";
import type { Asking, Ways } from "./ways.ts";

/** The most waits of one peer: a quarter of a session's open calls, which leaves room for everything else. */
export const MOST_A_PEER = 1024;
/** How much one peer's waits may be answered with at once, in UTF-16 code units: a quarter of what a session may leave unread. */
const ROOM_A_PEER = 4 * MOST_CHARACTERS;
/** How much is kept for all topics together, in UTF-16 code units. */
const MOST_KEPT = 64 * 1024 * 1024;
/** After so many new topics, those that nobody reads any more are dropped. */
const SWEPT_EVERY = 64;

/** The most upstream requests at once for one peer alone. */
const MOST_ALONE = MOST_A_PEER / 4;

/** One peer's share of this node, so that it pays for what it asks. */
export interface PeerShare {
  /** Its turns for scans of this node's log. */
  readonly queue: RunQueue;
  /** Its slots for upstream requests that serve it alone. */
  readonly slots: Slots;
}

export interface RelayParts {
  readonly ways: Ways;
  readonly runtime: Pick<PluginRuntime, "timers" | "now">;
}

export class TopicRelay {
  readonly #parts: RelayParts;
  /** By topic and origin. */
  readonly #topics = new Map<string, RelayedTopic>();
  /** By peer name: its open waits. */
  readonly #waits = new Map<string, { readonly all: Set<AbortController>; readonly share: PeerShare }>();
  #begun = 0;
  #stopped = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** How many pages were read for one reader alone, since this node started. */
  get alone(): number {
    let sum = 0;
    for (const { alone } of this.#topics.values()) sum += alone;
    return sum;
  }

  /** @throws FaultError TOPIC_UNREACHABLE, STOPPING, and the faults of cursors */
  read(asking: Asking, signal: AbortSignal, slots?: Slots): Promise<Relayed> {
    if (this.#stopped) return Promise.reject(new FaultError(fault("STOPPING", "the node is shutting down")));
    return this.#topic(asking).read({ ...asking, signal, slots });
  }

  /**
   * Lets a peer wait, until its session ends, within the peer's limit.
   * @throws FaultError TOPIC_READS_EXCEEDED
   */
  async forPeer<T>(peer: string, read: (signal: AbortSignal, share: PeerShare) => Promise<T>): Promise<T> {
    const waits = this.#waits.get(peer) ?? { all: new Set(), share: this.#share() };
    const { all, share } = waits;
    if (all.size >= MOST_A_PEER)
      throw new FaultError(
        fault("TOPIC_READS_EXCEEDED", `${peer} waits for ${MOST_A_PEER} topics, and no more are taken`),
      );
    const wait = new AbortController();
    all.add(wait);
    this.#waits.set(peer, waits);
    try {
      return await read(wait.signal, share);
    } finally {
      all.delete(wait);
      if (all.size === 0 && this.#waits.get(peer) === waits) this.#waits.delete(peer);
    }
  }

  /** The peer that a topic is read from now. */
  by({ topic, origin }: Pick<TopicRead, "topic" | "origin">): PeerName | undefined {
    return this.#topics.get(keyOf(topic, origin))?.by;
  }

  /** The most UTF-16 code units of one answer to a peer: its total, divided by its open waits. */
  roomOf(peer: string): number {
    return Math.floor(Math.min(MOST_CHARACTERS, ROOM_A_PEER / (this.#waits.get(peer)?.all.size ?? 1)));
  }

  /** A peer's session has ended: its waits end. */
  lost({ name }: PeerName): void {
    for (const wait of this.#waits.get(name)?.all ?? []) wait.abort();
    this.changed();
  }

  /** Ways have changed, to these topics or to all. */
  changed(topics?: ReadonlySet<string>): void {
    for (const relayed of this.#topics.values()) if (topics?.has(relayed.topic) ?? true) relayed.changed();
  }

  stop(): void {
    this.#stopped = true;
    for (const { all } of this.#waits.values()) for (const wait of all) wait.abort();
    for (const topic of this.#topics.values()) topic.stop();
  }

  #share(): PeerShare {
    return { queue: new RunQueue(), slots: new Slots(this.#parts.runtime.timers, MOST_ALONE) };
  }

  #topic({ topic, origin }: Asking): RelayedTopic {
    const key = keyOf(topic, origin);
    let relayed = this.#topics.get(key);
    if (relayed === undefined) {
      if (++this.#begun % SWEPT_EVERY === 0) this.#sweep();
      relayed = new RelayedTopic({ ...this.#parts, topic, origin, resized: () => this.#trim() });
      this.#topics.set(key, relayed);
    }
    return relayed;
  }

  #sweep(): void {
    for (const [key, relayed] of this.#topics) if (relayed.idle) this.#topics.delete(key);
  }

  /** Drops what was not read for longest; readers that are behind then read upstream by themselves. */
  #trim(): void {
    let kept = 0;
    for (const { size } of this.#topics.values()) kept += size;
    if (kept <= MOST_KEPT) return;
    for (const relayed of [...this.#topics.values()].sort((a, b) => a.usedAt - b.usedAt)) {
      kept -= relayed.size;
      relayed.empty();
      if (kept <= MOST_KEPT / 2) return;
    }
  }
}

function keyOf(topic: string, origin: string): string {
  return `${topic} ${origin}`;
}
