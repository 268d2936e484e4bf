// All that a step may know beside its session and its input. Clock and randomness come in here and nowhere else.

import type { Prover } from "../proof/prover.ts";
import type { SessionConfig } from "./session.ts";

/** What a step may use besides the session and its input. */
export interface SessionContext {
  /** Monotonic, in milliseconds. */
  readonly now: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** 32 fresh random bytes, base64url. */
  readonly nonce: () => string;
  readonly config: SessionConfig;
  readonly prover: Prover;
}
