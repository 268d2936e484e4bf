// What of a publication fits between two nodes: a frame has a limit (rpc/limits.ts), and over it ends the session for everybody in it.
// A publication that does not fit is told without its data, so that whoever follows knows of it and goes on.

import type { FarPublication, TopicPage } from "../../publisher/elsewhere.ts";
import { MOST_CHARACTERS } from "./topic-messages.ts";

/** UTF-16 code units of a frame's text, less what stands around a publication in it. */
const MOST_OF_A_FRAME = 4 * 1024 * 1024 - 16 * 1024;

/**
 * As much of a page as there is room for, but for its first publication; and of one that is alone, what fits.
 * @param room UTF-16 code units
 */
export function fitting(page: TopicPage, room = MOST_CHARACTERS): TopicPage {
  const { items, next } = room < MOST_CHARACTERS ? within(page, room) : page;
  const [only, more] = items;
  if (only === undefined || more !== undefined || only.omitted !== undefined) return { items, next };
  // About 1 Mi characters are a page but for its first: only one that is alone may be too large.
  const size = framed(only);
  return size <= MOST_OF_A_FRAME ? { items, next } : { items: [{ ...only, data: null, omitted: size }], next };
}

function within({ items, next }: TopicPage, room: number): TopicPage {
  let left = room;
  for (const [i, one] of items.entries()) {
    left -= JSON.stringify(one)?.length ?? 0;
    if (left < 0 && i > 0) return { items: items.slice(0, i), next: (items[i - 1] as FarPublication).cursor };
  }
  return { items, next };
}

/** In a frame every array stands in another one (capnweb's protocol.md): at most twice as much. */
function framed(one: FarPublication): number {
  const size = JSON.stringify(one)?.length ?? 0;
  return size * 2 <= MOST_OF_A_FRAME ? size : size + 2 * arraysIn(one.data);
}

function arraysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let found = Array.isArray(value) ? 1 : 0;
  for (const part of Array.isArray(value) ? value : Object.values(value)) found += arraysIn(part);
  return found;
}
