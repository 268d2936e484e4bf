// Updates that no receiver refuses for their size: what changed together goes into as few frames as it takes.

import type { Announcement } from "../wire/message.ts";
import type { RouteName } from "../wire/names.ts";

interface Packed {
  readonly type: "update";
  readonly withdraw: RouteName[];
  readonly announce: Announcement[];
}

/** A character outside of ASCII is three bytes at most, a pair of them four: what it may cost, not what it does. */
const BYTES_A_CHARACTER = 3;
/** Quotes, a comma, brackets. */
const AROUND = 6;
/** An announcement's members' names, its claim's numbers and signature. */
const CLAIM_BYTES = 512;
/** Members' names, and a preference. */
const APART_BYTES = 64;

/** One at least would be too few to be of use, so that an announcement that is too large by itself goes alone. */
export function* packUpdates(
  withdraw: readonly RouteName[],
  announce: readonly Announcement[],
  mostBytes: number,
): Generator<Packed> {
  let packed: Packed = { type: "update", withdraw: [], announce: [] };
  let bytes = 0;
  function* make(room: number): Generator<Packed> {
    if (bytes > 0 && bytes + room > mostBytes) {
      yield packed;
      packed = { type: "update", withdraw: [], announce: [] };
      bytes = 0;
    }
    bytes += room;
  }
  for (const name of withdraw) {
    yield* make(text(name));
    packed.withdraw.push(name);
  }
  for (const one of announce) {
    yield* make(announcementBytes(one));
    packed.announce.push(one);
  }
  if (bytes > 0) yield packed;
}

function announcementBytes({ path, tags, apart = [], origin, leaves }: Announcement): number {
  let bytes = CLAIM_BYTES + text(origin.node) + text(origin.domain) + words(path) + words(tags);
  for (const one of apart) bytes += APART_BYTES + one.at.length * AROUND + words(one.path) + words(one.tags);
  for (const [name, digest, repeatable = ""] of leaves) {
    bytes += (typeof name === "number" ? AROUND : text(name)) + text(digest) + text(repeatable);
  }
  return bytes;
}

function words(some: readonly string[] = []): number {
  let bytes = 0;
  for (const word of some) bytes += text(word);
  return bytes;
}

function text(value: string): number {
  return value.length * BYTES_A_CHARACTER + AROUND;
}
