// Loops that grow: receivers whose messages lead to publications, which receivers are handed. How deep one goes the kernel
// bounds; how wide is counted here, by the publication that a receiver was handed first. In memory: a restart counts anew.

import { entryOf, type Fault, fault, type Reader } from "@capstan/orchestrator";
import type { Published } from "./publication.ts";

const MOST_REMEMBERED = 10_000;

interface Root {
  asked: number;
  told: boolean;
}

export class FanOut {
  readonly #reader: Reader;
  readonly #most: number;
  readonly #roots = new Map<string, string>();
  readonly #counts = new Map<string, Root>();

  /** @param most messages that receivers may ask for because of one, beyond those of whom it reached first */
  constructor(reader: Reader, most: number) {
    this.#reader = reader;
    this.#most = most;
  }

  /** A receiver asks for something because of this. Answers why it may not. */
  async ask({ publication, cause, hops }: Published): Promise<Fault | undefined> {
    const root = hops === 0 ? publication.id : await this.#rootOf(publication.id, cause);
    remember(this.#roots, root, root);
    // What came of no receiver is no loop: it reaches as many as subscribed.
    if (root === publication.id) return undefined;
    const known = this.#counts.get(root) ?? { asked: 0, told: false };
    if (known.asked >= this.#most) {
      const text = `receivers asked for ${this.#most} messages because of ${root}, and for more; a loop?`;
      return fault("FANOUT_EXCEEDED", text, { root });
    }
    known.asked++;
    remember(this.#counts, root, known);
    return undefined;
  }

  /** Whether the first failure for this reason, of all that came of the same message, was told of before. */
  alerted({ publication }: Published): boolean {
    const known = this.#counts.get(this.#roots.get(publication.id) ?? "");
    if (known === undefined) return false;
    const { told } = known;
    known.told = true;
    return told;
  }

  /** The first before it that led a receiver to ask for something; itself where it is the first. */
  async #rootOf(id: string, cause: string | undefined): Promise<string> {
    const passed: string[] = [];
    let at: string | undefined = id;
    for (let next = cause; at !== undefined; next = undefined) {
      const known = this.#roots.get(at);
      if (known !== undefined) {
        for (const one of passed) remember(this.#roots, one, known);
        return known;
      }
      passed.push(at);
      at = next ?? (at === id ? undefined : (await entryOf(this.#reader, at))?.header.cause);
    }
    return id;
  }
}

/** Of many only the latest. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST_REMEMBERED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
