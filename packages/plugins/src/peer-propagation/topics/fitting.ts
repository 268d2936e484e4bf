// Cuts pages so that they fit into a frame: a frame over the limit (rpc/limits.ts) would end the session for everybody. A single publication that is
// too large is sent without its data, so that the reader knows of it and can go on.

import type { FarPublication, TopicPage } from "../../publisher/elsewhere/topics.ts";
import { framedSize, MOST_OF_A_FRAME } from "../links/fits-frame.ts";
import { MOST_CHARACTERS } from "./topic-messages.ts";

/**
 * The beginning of a page for which there is room, but at least its first publication, if need be without data.
 * @param room in UTF-16 code units
 */
export function fitting(page: TopicPage, room = MOST_CHARACTERS): TopicPage {
  const { items, next } = room < MOST_CHARACTERS ? within(page, room) : page;
  const [only, more] = items;
  if (only === undefined || more !== undefined || only.omitted !== undefined) return { items, next };
  // A page has about 1 Mi characters beyond its first publication: only a single one can be too large.
  const size = framedSize(only);
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
