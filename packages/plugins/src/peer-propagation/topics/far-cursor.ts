// Cursors of other nodes' logs: what can be told without having the log.

import { type Place, placeOf } from "../../publisher/cursor.ts";

/** The entry of a cursor whose form was checked when it arrived. */
export function entryIn(cursor: string): number {
  return (placeOf(cursor) as Place).entry;
}

export function logIn(cursor: string): string {
  return (placeOf(cursor) as Place).log;
}

/** Whether two cursors are of the same log with no restore between them, so that their entries tell which is first. */
export function isOneHistory(cursor: string, other: string): boolean {
  const [one, two] = [placeOf(cursor) as Place, placeOf(other) as Place];
  return one.log === two.log && one.start === two.start;
}
