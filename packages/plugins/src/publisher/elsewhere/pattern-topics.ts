// Topics of other nodes that are wanted only because a pattern covers them: limited for each peer, because peers can announce any number.

import type { Logger } from "@capstan/orchestrator";

/** The most for one peer: each imported topic adds entries to this node's log. */
const MOST_BY_PATTERN = 1000;

export class PatternTopics {
  readonly #log: Logger;
  readonly #room: () => void;
  /** By topic, the peer through which it was first reached. */
  readonly #by = new Map<string, string>();
  /** By peer, how many topics. */
  readonly #counts = new Map<string, number>();
  /** Peers beyond the limit, and those of them that were logged. */
  readonly #past = new Set<string>();
  readonly #told = new Set<string>();

  /** @param room called when there is room again for a topic that was left out */
  constructor(log: Logger, room: () => void) {
    this.#log = log;
    this.#room = room;
  }

  /** Adds or removes a topic; answers whether it is wanted. @param by the peer through which it is reached; `undefined` where no pattern covers it */
  cover(topic: string, by: string | undefined): boolean {
    const before = this.#by.get(topic);
    if (before !== undefined && by === undefined) this.#uncover(topic, before);
    // It keeps its place also if another peer leads to it now.
    if (before !== undefined || by === undefined) return by !== undefined;
    const count = this.#counts.get(by) ?? 0;
    if (count >= MOST_BY_PATTERN) {
      this.#leftOut(topic, by);
      return false;
    }
    this.#by.set(topic, by);
    this.#counts.set(by, count + 1);
    return true;
  }

  clear(): void {
    for (const kept of [this.#by, this.#counts, this.#past, this.#told]) kept.clear();
  }

  #uncover(topic: string, by: string): void {
    this.#by.delete(topic);
    const count = (this.#counts.get(by) ?? 0) - 1;
    if (count > 0) this.#counts.set(by, count);
    else this.#counts.delete(by);
    if (this.#past.delete(by)) this.#room();
  }

  #leftOut(topic: string, peer: string): void {
    this.#past.add(peer);
    if (this.#told.has(peer)) return;
    this.#told.add(peer);
    const text = `patterns cover more than ${MOST_BY_PATTERN} topics that a peer leads to; what is past that is not imported: subscribe to it by name`;
    this.#log.warn({ topic, peer }, text);
  }
}
