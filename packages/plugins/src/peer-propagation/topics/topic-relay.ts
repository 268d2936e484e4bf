// Topics as they are read through this node: its own by whoever keeps them, those of other nodes by one reader each. How much of
// it there may be, altogether and a peer, is here.

import { FaultError, fault, type PluginRuntime } from "@capstan/orchestrator";
import type { TopicRead } from "../../publisher/elsewhere.ts";
import { Places } from "../../publisher/places.ts";
import { RunQueue } from "../../publisher/run-queue.ts";
import type { PeerName } from "../forward/far-answer.ts";
import { type Relayed, RelayedTopic } from "./relayed-topic.ts";
import { MOST_CHARACTERS } from "./topic-messages.ts";
import type { Asking, Ways } from "./ways.ts";

/** A quarter of the calls that a session may have open: one peer's topics leave it room for everything else. */
export const MOST_A_PEER = 1024;
/** UTF-16 code units that one peer's waits are answered with at once: a quarter of what a session may leave unread. */
const ROOM_A_PEER = 4 * MOST_CHARACTERS;
/** UTF-16 code units of publications that are kept for all topics together. */
const MOST_KEPT = 64 * 1024 * 1024;
/** Every so many topics that begin, those that nobody asks for any more are let go. */
const SWEPT_EVERY = 64;

/** Readings for one peer alone that others are asked at once: they have this node wait for as many as we have a peer wait. */
const MOST_ALONE = MOST_A_PEER / 4;

/** What is one peer's, so that however much it asks for is at its own cost. */
export interface PeerShare {
  /** Its turns to have this node's log looked through. */
  readonly queue: RunQueue;
  /** For what is asked of others for it alone. */
  readonly places: Places;
}

export interface RelayParts {
  readonly ways: Ways;
  readonly runtime: Pick<PluginRuntime, "timers" | "now">;
}

export class TopicRelay {
  readonly #parts: RelayParts;
  /** By topic and origin. */
  readonly #topics = new Map<string, RelayedTopic>();
  /** By the peer's name: what it waits for. */
  readonly #waits = new Map<string, { readonly all: Set<AbortController>; readonly share: PeerShare }>();
  #begun = 0;
  #stopped = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** Pages that were read for one alone, since this node began. */
  get alone(): number {
    let sum = 0;
    for (const { alone } of this.#topics.values()) sum += alone;
    return sum;
  }

  /** @throws FaultError TOPIC_UNREACHABLE, STOPPING, and what is of the cursor */
  read(asking: Asking, signal: AbortSignal, places?: Places): Promise<Relayed> {
    if (this.#stopped) return Promise.reject(new FaultError(fault("STOPPING", "the node is shutting down")));
    return this.#topic(asking).read({ ...asking, signal, places });
  }

  /**
   * Has a peer wait: for as long as its session is there, and not for more than one may.
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

  /** Whom a topic is read from now. */
  by({ topic, origin }: Pick<TopicRead, "topic" | "origin">): PeerName | undefined {
    return this.#topics.get(keyOf(topic, origin))?.by;
  }

  /** UTF-16 code units of an answer to one of a peer's waits: what it is owed altogether, shared by all that it waits for. */
  roomOf(peer: string): number {
    return Math.floor(Math.min(MOST_CHARACTERS, ROOM_A_PEER / (this.#waits.get(peer)?.all.size ?? 1)));
  }

  /** A peer's session ended: nobody hears what it waited for. */
  lost({ name }: PeerName): void {
    for (const wait of this.#waits.get(name)?.all ?? []) wait.abort();
    this.changed();
  }

  /** Ways changed: to all, or to these. */
  changed(topics?: ReadonlySet<string>): void {
    for (const relayed of this.#topics.values()) if (topics?.has(relayed.topic) ?? true) relayed.changed();
  }

  stop(): void {
    this.#stopped = true;
    for (const { all } of this.#waits.values()) for (const wait of all) wait.abort();
    for (const topic of this.#topics.values()) topic.stop();
  }

  #share(): PeerShare {
    return { queue: new RunQueue(), places: new Places(this.#parts.runtime.timers, MOST_ALONE) };
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

  /** What nobody asked for for longest goes first; who is behind then reads by themselves. */
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
