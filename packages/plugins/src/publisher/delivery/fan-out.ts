// Bounds loops that grow: receivers send messages, these are published, and receivers get the publications. The kernel bounds the depth of such
// a chain; its width is counted here, by the publication at its root. Counted in memory: a restart begins anew.

import { entryOf, type Fault, fault, type Reader } from "@capstan/orchestrator";
import { IMPORT, idOfRoot, type Published, rootOfImport } from "../publication.ts";

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

  /** @param most how many messages receivers may send because of one publication, not counting those of its first subscribers */
  constructor(reader: Reader, most: number) {
    this.#reader = reader;
    this.#most = most;
  }

  /** A receiver sends a message because of this publication. Answers why it may not; `undefined` where it may. */
  async ask(one: Published): Promise<Fault | undefined> {
    const { message, publication } = one;
    const root = one.root ?? (one.hops === 0 ? message : await this.#rootOf(message, one.cause));
    remember(this.#roots, root, root);
    if (root !== message) remember(this.#roots, message, root);
    // A publication that no receiver led to is no loop: its first subscribers do not count.
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

  /** Whether an alert for the same root was raised before. Remembers that one is raised now. */
  alerted({ message }: Published): boolean {
    const known = this.#counts.get(this.#roots.get(message) ?? "");
    if (known === undefined) return false;
    const { told } = known;
    known.told = true;
    return told;
  }

  /** The root that other nodes are told; `undefined` where no receiver led to the publication, as far as is known. */
  async rootOf({ message, cause, hops }: Published): Promise<string | undefined> {
    if (hops === 0) return undefined;
    const root = await this.#rootOf(message, cause);
    return root === message ? undefined : idOfRoot(root);
  }

  /** The first message in its chain of causes whose publication led a receiver to send something; its own id where there is none. */
  async #rootOf(id: string, cause: string | undefined): Promise<string> {
    const passed = [id];
    let known = this.#roots.get(id);
    for (let at = cause; known === undefined && at !== undefined; ) {
      known = this.#roots.get(at);
      if (known !== undefined) break;
      passed.push(at);
      const entry = await entryOf(this.#reader, at);
      // Only a receiver sends messages because of an imported publication.
      if (entry?.header.message === IMPORT) known = await rootOfImport(entry, this.#reader);
      at = entry?.header.cause;
    }
    if (known === undefined) return id;
    for (const one of passed) remember(this.#roots, one, known);
    return known;
  }
}

/** Keeps only the latest. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MOST_REMEMBERED) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
