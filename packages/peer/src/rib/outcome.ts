// What a RIB answers: what became of an update, what is to be sent to a peer, and what the peer was told.

import type { Chunk } from "../origin/chunk.ts";
import type { Announcement } from "../wire/message.ts";
import type { RouteName } from "../wire/names.ts";
import type { Words } from "../wire/words.ts";

/** What became of an update. Counts are of routes. */
export interface Received {
  readonly accepted: number;
  readonly filtered: number;
  /** Paths that went: withdrawn, or treated so. */
  readonly withdrawn: number;
  /** Not taken, because the peer's limit says `drop`. */
  readonly refused: number;
  /** What was treated as withdrawn (RFC 7606 §2), and why: malformed, unreadable, or not to be believed. */
  readonly malformed: readonly { readonly routes: number; readonly text: string }[];
  /**
   * The limit that this update reached or passed. `restart` and `disable`: the session is to end; the rest was not
   * taken.
   */
  readonly limit: undefined | "warn" | "drop" | "restart" | "disable";
}

/** What is to be sent to a peer next: at most one update's worth. All may be empty though something was pending. */
export interface Outgoing {
  readonly withdraw: readonly RouteName[];
  readonly announce: readonly Announcement[];
  /** To be sent after them. */
  readonly endOfTable: boolean;
}

/** What a peer has been told of a name and has not been told to forget. */
export interface Advertised {
  readonly name: RouteName;
  readonly digest: string;
  readonly path: Words;
  readonly localPreference?: number;
  readonly tags: Words;
  readonly chunk: Chunk;
}
