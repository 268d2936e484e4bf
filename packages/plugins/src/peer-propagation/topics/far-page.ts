// Parses a peer's page of publications, which comes from another administration: all must be of the topic that was asked for, in the order of one
// log, as plain data within bounds. Otherwise the whole page is refused.

import { z } from "zod";
import { type Place, placeOf } from "../../publisher/cursor.ts";
import type { FarPublication, TopicRead } from "../../publisher/elsewhere/topics.ts";
import { actionIn } from "../../publisher/topic.ts";
import { plainJson } from "../../registry/plain-json.ts";

/** The bounds of an answer: one publication of 4 Mi characters, or a page, and what surrounds it. */
const ANSWER = { depth: 97, characters: 4 * 1024 * 1024 + 64 * 1024 };

/** Loose bounds: the import checks each publication (publisher/elsewhere/arrival.ts), and one that does not fit is missed without losing the page. */
const word = z.string().max(1000);
const publication = z.object({
  topic: z.string(),
  cursor: z.string().max(80),
  id: word,
  at: z.number(),
  data: z.unknown(),
  action: word.optional(),
  principal: word.optional(),
  correlation: word.optional(),
  traceparent: word.optional(),
  hops: z.number(),
  root: word.optional(),
  omitted: z.int().min(0).optional(),
});
const page = z.object({ items: z.array(publication), next: z.string().max(80) });

/** A publication, and the length of its JSON in characters. */
export interface Sized {
  readonly one: FarPublication;
  readonly size: number;
}

export interface FarPage {
  readonly items: readonly Sized[];
  readonly next: string;
}

type Asked = Pick<TopicRead, "topic" | "after" | "limit">;

/** The page, or why it is invalid. */
export function readPage(answer: unknown, asked: Asked): FarPage | { readonly why: string } {
  const plain = plainJson(answer, ANSWER);
  if ("why" in plain) return { why: plain.why };
  const parsed = page.safeParse(plain.json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { why: `is no page: ${issue?.path.join("/") ?? ""} ${issue?.message ?? ""}` };
  }
  const { items, next } = parsed.data;
  const end = placeOf(next);
  if (end === undefined) return { why: "says no cursor to go on from" };
  if (items.length > asked.limit)
    return { why: `has ${items.length} publications where ${asked.limit} were asked for` };
  if (asked.after === undefined && items.length > 0) return { why: "has publications where a place was asked for" };
  let before = asked.after === undefined ? undefined : placeOf(asked.after);
  for (const { topic, cursor, action } of items) {
    if (topic !== asked.topic) return { why: "has a publication of another topic" };
    if (action !== undefined && action !== actionIn(topic)) return { why: "has a publication of another action" };
    const place = placeOf(cursor);
    if (place === undefined) return { why: "has a cursor that is none" };
    if (before !== undefined && !isBehind(place, before)) return { why: "is not in the order of one log" };
    before = place;
  }
  if (before !== undefined && (end.log !== before.log || end.entry < before.entry))
    return { why: "goes on from before what it has" };
  // A different cursor for the same entry would be of before a restore (publisher/cursor.ts).
  const came = before?.entry === end.entry ? (items.at(-1)?.cursor ?? asked.after) : undefined;
  // A single publication was measured already; usually a page has one, or a few small ones.
  const sized = items.length === 1 ? [plain.text.length] : items.map((one) => JSON.stringify(one).length);
  return {
    items: items.map((one, i) => ({ one: one as FarPublication, size: sized[i] as number })),
    next: came ?? next,
  };
}

function isBehind(place: Place, before: Place): boolean {
  return place.log === before.log && place.entry > before.entry;
}
