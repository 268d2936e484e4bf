// Cursors of other nodes' logs: what can be told of them without the log.

import { type Place, placeOf } from "../../publisher/cursor.ts";

/** Of a cursor whose form was looked at when it came. */
export function entryIn(cursor: string): number {
  return (placeOf(cursor) as Place).entry;
}

export function logIn(cursor: string): string {
  return (placeOf(cursor) as Place).log;
}

/** Whether they are of one log, and no restore can stand between them: two such are before and behind each other by their entries. */
export function isOneHistory(cursor: string, other: string): boolean {
  const [one, two] = [placeOf(cursor) as Place, placeOf(other) as Place];
  return one.log === two.log && one.start === two.start;
}
