// 64 bits of SHA-256 over a random salt of this run and a text: short enough to keep for a million rows, and the salt keeps anybody from preparing
// collisions.

import type { Hash64 } from "./map64.ts";

const SALT_BYTES = 16;

export class Hasher64 {
  readonly #salt: string;
  readonly #digest = new Uint8Array(32);
  readonly #view = new DataView(this.#digest.buffer);

  constructor(salt = Buffer.from(crypto.getRandomValues(new Uint8Array(SALT_BYTES))).toString("base64")) {
    this.#salt = salt;
  }

  of(text: string): Hash64 {
    Bun.SHA256.hash(this.#salt + text, this.#digest);
    return { high: this.#view.getUint32(0), low: this.#view.getUint32(4) };
  }
}
