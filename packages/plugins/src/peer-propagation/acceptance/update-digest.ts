// A digest of all updates of one session in one direction, which both ends can compute: SHA-256 over the updates in the order of their numbers, each
// as its JSON text in UTF-8 followed by a newline.

import { encodeFrame, type Message } from "@capstan/peer";

export interface Digested {
  /** The number of the newest update in it; those of a session count up (peering-wire.md). */
  readonly seq: number;
  /** The digest in base64url. */
  readonly digest: string;
}

/** Frames wait to be digested (`settle`), because processing routes comes first: at most so many, with so many characters of text. */
const MOST_WAITING = 64;
const MOST_CHARACTERS = 1024 * 1024;

export class UpdateDigest {
  readonly #hash = new Bun.CryptoHasher("sha256");
  #waiting: unknown[] = [];
  #characters = 0;
  #seq: number | undefined;

  /** Adds an update that was sent or accepted: as a value, or as the text that it came in. */
  add(frame: unknown, seq: number): void {
    this.#waiting.push(frame);
    this.#seq = seq;
    if (typeof frame === "string") this.#characters += frame.length;
    if (this.#waiting.length >= MOST_WAITING || this.#characters >= MOST_CHARACTERS) this.settle();
  }

  /** The digest so far; `undefined` before the first update. */
  now(): Digested | undefined {
    this.settle();
    return this.#seq === undefined ? undefined : { seq: this.#seq, digest: this.#hash.copy().digest("base64url") };
  }

  settle(): void {
    for (const frame of this.#waiting) {
      // Hashed separately, because appending the newline would copy the text.
      this.#hash.update(typeof frame === "string" ? frame : encodeFrame(frame as Message));
      this.#hash.update("\n");
    }
    this.#waiting = [];
    this.#characters = 0;
  }
}
