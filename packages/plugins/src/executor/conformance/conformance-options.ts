// What a protocol's maker tells the conformance suite: how to come by each situation. Where one cannot occur, a text says why.

import type { Protocol } from "../protocol.ts";

/** What an action is registered with, and what it is then asked. */
export interface ConformanceCase {
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly input?: unknown;
}

/** The protocol to test, and configurations of it for each test. */
export interface ConformanceOptions {
  /** Made anew for each test. */
  protocol(): Protocol | Promise<Protocol>;
  /** It works; `output` is what it answers, where that is always the same. */
  works(): Made<ConformanceCase & { readonly output?: unknown }>;
  /** Configurations that are CONFIG_INVALID, and what the text has to say of each. */
  readonly invalid: readonly { readonly configuration: Readonly<Record<string, unknown>>; readonly says: string }[];
  /** There is nobody at the other end: `code` is the fault. */
  unreachable(): Made<(ConformanceCase & { readonly code: string }) | string>;
  /** It goes on until it is aborted. */
  hangs(): Made<ConformanceCase | string>;
  /** The other side says no, or the code throws: `code` is the fault. */
  fails(): Made<(ConformanceCase & { readonly code: string }) | string>;
  /** The secret would come out, in a fault, an output or a log line. `secret` goes into the configuration as it is. */
  leaks(secret: { readonly secret: string }): Made<ConformanceCase | string>;
  /** What comes back is no JSON: `code` is the fault, OUTPUT_INVALID by default. */
  notJson(): Made<(ConformanceCase & { readonly code?: string }) | string>;
  /** Ends what the others have started. */
  after?(): Made<void>;
}

type Made<T> = T | Promise<T>;

/** What the suite needs of `bun:test`. */
export type BunTest = Pick<typeof import("bun:test"), "describe" | "test" | "expect">;
