// What happened, line by line, as one SHA-256: two runs with the same hash did the same things at the same times.

import { createHash } from "node:crypto";

/** Lines are hashed in blocks: a call for each would cost more than the hashing. */
const BLOCK = 1 << 16;

export class Trace {
  readonly #hash = createHash("sha256");
  readonly #sink: ((line: string) => void) | undefined;
  #block = "";
  #lines = 0;

  constructor(sink: ((line: string) => void) | undefined) {
    this.#sink = sink;
  }

  get lines(): number {
    return this.#lines;
  }

  line(time: number, node: string, kind: string, detail: string): void {
    const line = `${time} ${node} ${kind} ${detail}\n`;
    this.#lines++;
    this.#block += line;
    if (this.#block.length >= BLOCK) this.#flush();
    this.#sink?.(line.slice(0, -1));
  }

  /** Ends it. */
  digest(): string {
    this.#flush();
    return this.#hash.digest("hex");
  }

  #flush(): void {
    this.#hash.update(this.#block);
    this.#block = "";
  }
}
