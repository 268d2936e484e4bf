// What comes of a message that the tip has taken in.

import type { Fault } from "../fault/fault.ts";
import type { Outcome } from "./waiters.ts";

/** What a decision came to once it was committed. */
export type Taken =
  | { readonly kind: "refused"; readonly error: Fault }
  | { readonly kind: "held"; readonly name: string; readonly seq: number }
  | {
      readonly kind: "done";
      readonly data: unknown;
      readonly pending: boolean;
      readonly seq: number;
      /** What it was answered at once. */
      readonly outcome?: Outcome;
    };
