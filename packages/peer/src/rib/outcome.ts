// The outputs of a RIB: the result of an update, what to send to a peer, and what the peer was sent.

import type { Chunk } from "../origin/chunk.ts";
import type { Announcement } from "../wire/message.ts";
import type { RouteName } from "../wire/names.ts";
import type { Words } from "../wire/words.ts";

/** The result of an update. Counts are of routes. */
export interface Received {
  readonly accepted: number;
  readonly filtered: number;
  /** Paths that were removed: withdrawn, or treated as withdrawn. */
  readonly withdrawn: number;
  /** Routes that the peer's limit dropped. */
  readonly refused: number;
  /** Routes that were treated as withdrawn (RFC 7606 §2), and why: malformed, unreadable, or rejected. */
  readonly malformed: readonly { readonly routes: number; readonly text: string }[];
  /**
   * The limit that this update reached or exceeded. `restart` and `disable`: the session has to end; the rest of the update was
   * ignored.
   */
  readonly limit: undefined | "warn" | "drop" | "restart" | "disable";
}

/** What to send to a peer next: at most one update. It may be empty although something was pending. */
export interface Outgoing {
  readonly withdraw: readonly RouteName[];
  readonly announce: readonly Announcement[];
  /** To be sent after them. */
  readonly endOfTable: boolean;
}

/** A route that was announced to a peer and not withdrawn. */
export interface Advertised {
  readonly name: RouteName;
  readonly digest: string;
  readonly path: Words;
  readonly localPreference?: number;
  readonly tags: Words;
  readonly chunk: Chunk;
}
