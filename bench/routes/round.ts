// What a round of either side gives, and what both are asked for.

export const ROUTES = 50_000;
export const LIVE_ROUTES = 20_000;
/** Before them, and in no figure. */
export const LIVE_FIRST = 10_000;

/** `shared`: all routes have the same attributes. `distinct`: each has a path and a tag (a community) that no other has. */
export type Shape = "shared" | "distinct";

export interface Round {
  /** Milliseconds, from the session's beginning to the last of the routes in the table. */
  readonly dump: number;
  /** Announcements a second, one after the other, from the first that is made to the last that is in the other's table. */
  readonly live: number | undefined;
  /** Resident bytes a route: of the process with the table less the process without. */
  readonly bytes: number;
  /** The same in a process that had done nothing before: with compiling its code, where that is done as it runs. */
  readonly cold: Pick<Round, "dump" | "bytes"> | undefined;
}
