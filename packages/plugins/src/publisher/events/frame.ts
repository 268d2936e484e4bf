// Publications as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
// A line ends at CR, LF or both, and nothing that anybody published may end one.

import type { Publication } from "../publication.ts";

/** How an event's data is written. */
export type DataOf = (publication: Publication) => object;

/**
 * One event a publication. What stands in one entry of the log has one cursor, which only the last of it may tell: whoever
 * resumes from there is through with all of it.
 */
export function framesOf(publications: readonly Publication[], dataOf: DataOf): string {
  return publications
    .map((one, i) => {
      const id = publications[i + 1]?.cursor === one.cursor ? "" : field("id", one.cursor);
      return `${id}${field("event", one.topic)}${field("data", JSON.stringify(dataOf(one)))}\n`;
    })
    .join("");
}

/** Moves the reader's cursor, and tells it nothing: its next request says where it was. A comment, for who only looks for life. */
export function heartbeat(cursor: string): string {
  return `:\n${field("id", cursor)}\n`;
}

/** The first of a stream: after how many milliseconds to come back, and from where, unless what follows says so. */
export function opening(cursor: string | undefined, retryMs: number): string {
  return `${field("retry", String(retryMs))}${cursor === undefined ? "" : field("id", cursor)}\n`;
}

/** The last of a stream: why it ends. Without an id, because the reader is where it was. */
export function ending(problem: object): string {
  return `${field("event", "error")}${field("data", JSON.stringify(problem))}\n`;
}

function field(name: string, value: string): string {
  return value
    .split(/\r\n|\r|\n/)
    .map((line) => `${name}: ${line}\n`)
    .join("");
}
