// What was said in the updates of one session in one direction, as a digest that both its ends can have: SHA-256 over each update in
// the order of their numbers, as the text that it travels as (JSON in UTF-8), and a newline after it.

import { encodeFrame, type Message } from "@capstan/peer";

export interface Digested {
  /** The number of the newest update in it; those of a session count up (peering-wire.md). */
  readonly seq: number;
  /** In base64url. */
  readonly digest: string;
}

/** Frames wait to be digested (`settle`), because routes come first; so many at most, and of text so many characters. */
const MOST_WAITING = 64;
const MOST_CHARACTERS = 1024 * 1024;

export class UpdateDigest {
  readonly #hash = new Bun.CryptoHasher("sha256");
  #waiting: unknown[] = [];
  #characters = 0;
  #seq: number | undefined;

  /** An update that was sent, or that the protocol has taken: as a value, or as the text that it came in. */
  add(frame: unknown, seq: number): void {
    this.#waiting.push(frame);
    this.#seq = seq;
    if (typeof frame === "string") this.#characters += frame.length;
    if (this.#waiting.length >= MOST_WAITING || this.#characters >= MOST_CHARACTERS) this.settle();
  }

  /** As of now; `undefined` where there was none. */
  now(): Digested | undefined {
    this.settle();
    return this.#seq === undefined ? undefined : { seq: this.#seq, digest: this.#hash.copy().digest("base64url") };
  }

  settle(): void {
    for (const frame of this.#waiting) {
      // By itself: a text with its newline is a copy of it.
      this.#hash.update(typeof frame === "string" ? frame : encodeFrame(frame as Message));
      this.#hash.update("\n");
    }
    this.#waiting = [];
    this.#characters = 0;
  }
}
