// Who wants a topic, or all of a pattern, and as whom.

import type { Principal } from "@capstan/orchestrator";

/** Somebody who wants a topic, or all that begin alike. */
export interface Want {
  readonly topic: string;
  /** Of a pattern, those that they may read. */
  as(): Principal;
}
