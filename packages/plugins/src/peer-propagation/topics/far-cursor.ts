// Cursors of other nodes' logs: what can be told of them without the log.

import { type Place, placeOf } from "../../publisher/cursor.ts";

/** Of a cursor whose form was looked at when it came. */
export function entryIn(cursor: string): number {
  return (placeOf(cursor) as Place).entry;
}

export function logIn(cursor: string): string {
  return (placeOf(cursor) as Place).log;
}
