// The bodies of batches, all together: a batch brings its credential in its body, so that it is read before anyone knows whose it
// is. A session's budget bounds one; this bounds what any number of connections can have the node hold, and for how long.

import { type Fault, fault } from "../fault/fault.ts";
import type { SessionLimits } from "../rpc/limits.ts";
import { readBody } from "./body.ts";

/** Whoever sends a batch has it ready: who takes longer is there to take long. */
const BODY_MS = 30_000;
/** Each piece that a body comes in is a turn of the loop's: a few thousand are nothing, and beyond them one is worth this much. */
const FREE_PIECES = 4096;
const LEAST_BYTES_A_PIECE = 16;

export class AnonymousBodies {
  readonly #limits: Pick<SessionLimits, "frameBytes" | "inboundBytes">;
  readonly #ms: number;
  #held = 0;

  constructor(limits: Pick<SessionLimits, "frameBytes" | "inboundBytes">, ms = BODY_MS) {
    this.#limits = limits;
    this.#ms = ms;
  }

  /** Bytes of bodies that are not whole yet. */
  get held(): number {
    return this.#held;
  }

  /** The text, or why it is not taken. */
  async read(request: Request): Promise<string | Fault> {
    const { frameBytes, inboundBytes } = this.#limits;
    const slow = new AbortController();
    const timer = setTimeout(
      () => slow.abort(fault("SESSION_BUDGET", `the body was not whole after ${this.#ms} ms; send it at once`)),
      this.#ms,
    );
    let mine = 0;
    let pieces = 0;
    try {
      return await readBody(request, frameBytes, {
        signal: slow.signal,
        keep: (bytes) => {
          if (this.#held + bytes > inboundBytes) return full(inboundBytes);
          this.#held += bytes;
          mine += bytes;
          pieces++;
          return pieces > FREE_PIECES && mine < pieces * LEAST_BYTES_A_PIECE ? crumbs : undefined;
        },
      });
    } finally {
      clearTimeout(timer);
      this.#held -= mine;
    }
  }
}

const crumbs = fault("SESSION_BUDGET", "the body comes in thousands of tiny chunks; send it in larger ones");

function full(size: number): Fault {
  const text = `batches that are on their way hold the ${size} bytes that all of them may; send it again`;
  return fault("SESSION_BUDGET", text, { limit: "inboundBytes", size });
}
