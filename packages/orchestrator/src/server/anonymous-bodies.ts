// Bounds the bodies of all batches together. A batch's credential is in its body, so that the body is read before the caller is known. The
// session's budget bounds one body; this bounds what any number of connections can make the node hold, and for how long.

import { type Fault, fault } from "../fault/fault.ts";
import { readBody } from "../rest/body.ts";
import type { SessionLimits } from "../rpc/limits.ts";

/** How long a body may take. A client has its batch ready: only an attacker takes longer. */
const BODY_MS = 30_000;
/** A body may come in so many chunks of any size; with more, the chunks must have so many bytes on average. Each costs a turn of the event loop. */
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

  /** Bytes of bodies that are still being read. */
  get held(): number {
    return this.#held;
  }

  /** The body's text, or the fault for which it is refused. */
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
