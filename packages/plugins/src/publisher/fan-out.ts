// Loops that grow: receivers whose messages lead to publications, which receivers are handed. How deep one goes the kernel
// bounds; how wide is counted here, by the publication that a receiver was handed first. In memory: a restart counts anew.

import { entryOf, type Fault, fault, type Reader } from "@capstan/orchestrator";
import { IMPORT, idOfRoot, type Published, rootOfImport } from "./publication.ts";

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
  async ask(one: Published): Promise<Fault | undefined> {
    const { message, publication } = one;
    const root = one.root ?? (one.hops === 0 ? message : await this.#rootOf(message, one.cause));
    remember(this.#roots, root, root);
    if (root !== message) remember(this.#roots, message, root);
    // What came of no receiver, here or elsewhere, is no loop: it reaches as many as subscribed.
    if (idOfRoot(root) === publication.id) return undefined;
    const known = this.#counts.get(root) ?? { asked: 0, told: false };
    if (known.asked >= this.#most) {
      const first = idOfRoot(root);
      const text = `receivers asked for ${this.#most} messages because of ${first}, and for more; a loop?`;
      return fault("FANOUT_EXCEEDED", text, { root: first });
    }
    known.asked++;
    remember(this.#counts, root, known);
    return undefined;
  }

  /** Whether the first failure for this reason, of all that came of the same message, was told of before. */
  alerted({ message }: Published): boolean {
    const known = this.#counts.get(this.#roots.get(message) ?? "");
    if (known === undefined) return false;
    const { told } = known;
    known.told = true;
    return told;
  }

  /** What other nodes are told that it came of; `undefined` where no receiver is known to have asked for it. */
  async rootOf({ message, cause, hops }: Published): Promise<string | undefined> {
    if (hops === 0) return undefined;
    const root = await this.#rootOf(message, cause);
    return root === message ? undefined : idOfRoot(root);
  }

  /** The first before it that led a receiver to ask for something; itself where it is the first. */
  async #rootOf(id: string, cause: string | undefined): Promise<string> {
    const passed = [id];
    let known = this.#roots.get(id);
    for (let at = cause; known === undefined && at !== undefined; ) {
      known = this.#roots.get(at);
      if (known !== undefined) break;
      passed.push(at);
      const entry = await entryOf(this.#reader, at);
      // Only a receiver asks for something because of what another node published.
      if (entry?.header.message === IMPORT) known = await rootOfImport(entry, this.#reader);
      at = entry?.header.cause;
    }
    if (known === undefined) return id;
    for (const one of passed) remember(this.#roots, one, known);
    return known;
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
