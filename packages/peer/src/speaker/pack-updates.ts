// Packs changes into as few updates as possible, each small enough for any receiver.

import type { Announcement, Apart } from "../wire/message.ts";
import type { RouteName } from "../wire/names.ts";

interface Packed {
  readonly type: "update";
  readonly withdraw: RouteName[];
  readonly announce: Announcement[];
}

/** An upper bound: a UTF-16 code unit takes at most three bytes of UTF-8, and a surrogate pair four. */
const BYTES_A_CHARACTER = 3;
/** For quotes, a comma and brackets around a value. */
const AROUND = 6;
/** For an announcement's member names, and its claim's numbers and signature. */
const CLAIM_BYTES = 512;
/** For the names of its members. */
const APART_BYTES = 64;
/** A preference: ten digits, and a comma. */
const PREFERENCE_BYTES = 11;

/** An announcement that is too large by itself goes alone, in an update over the limit. */
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

function announcementBytes({ path, tags, apart, origin, leaves }: Announcement): number {
  let bytes = CLAIM_BYTES + text(origin.node) + text(origin.domain) + text(path) + text(tags);
  if (apart !== undefined) bytes += apartBytes(apart);
  for (const [name, digest, repeatable = ""] of leaves) {
    bytes += (typeof name === "number" ? AROUND : text(name)) + text(digest) + text(repeatable);
  }
  return bytes;
}

function apartBytes({ at, path = [], localPreference = [], tags = [] }: Apart): number {
  let bytes = APART_BYTES + localPreference.length * PREFERENCE_BYTES;
  for (const places of at) bytes += (typeof places === "number" ? 1 : places.length + 1) * AROUND;
  for (const own of path) bytes += text(own ?? "");
  for (const own of tags) bytes += text(own ?? "");
  return bytes;
}

function text(value = ""): number {
  return value.length * BYTES_A_CHARACTER + AROUND;
}
