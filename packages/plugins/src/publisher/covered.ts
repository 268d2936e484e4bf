// Topics of other nodes that are wanted for a pattern's sake alone: so many by each peer, since who announces them makes them up.

import type { Logger } from "@capstan/orchestrator";

/** Each that is imported fills this log. */
const MOST_BY_PATTERN = 1000;

export class Covered {
  readonly #log: Logger;
  readonly #room: () => void;
  /** By topic: the peer that led there first. */
  readonly #by = new Map<string, string>();
  /** Of each peer, how many. */
  readonly #counts = new Map<string, number>();
  /** Peers that lead to more than may be, and those of which that was told. */
  readonly #past = new Set<string>();
  readonly #told = new Set<string>();

  /** @param room called back where there is room for one that was left out */
  constructor(log: Logger, room: () => void) {
    this.#log = log;
    this.#room = room;
  }

  /** Answers whether a topic is wanted. @param by the peer that leads there; `undefined` where no pattern covers it */
  cover(topic: string, by: string | undefined): boolean {
    const before = this.#by.get(topic);
    if (before !== undefined && by === undefined) this.#uncover(topic, before);
    // By whomever it comes now: it does not lose its place for that.
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
