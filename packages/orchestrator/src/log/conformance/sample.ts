// Entries for the tests of logs: made the same way in every run, and in every process that is given the same names.

import { idMaker } from "../../message/id.ts";
import { encodeEntry, type PartTexts, saltMaker } from "../entry.ts";
import type { Erasure, NewEntry, RowChange } from "../log.ts";

/** When sample entries begin. */
export const T0 = Date.UTC(2026, 10, 1);

const HEADER = {
  message: "note.write",
  node: "n-sample",
  principal: "Zoë",
  grant: "g-sample",
  cause: undefined,
  verdict: "done",
};

interface Wish {
  /** The id's time; by default a millisecond after the entry before. */
  readonly at?: number;
  /** The entry's `at`, where it is later than its id's. */
  readonly committedAt?: number;
  readonly body?: string;
  readonly rows?: readonly RowChange[];
  /** JSON by part: the entry is then of the real form, with salts and digests. */
  readonly parts?: PartTexts;
  readonly erases?: readonly Erasure[];
}

export function sampleMaker() {
  const makeId = idMaker(randomFrom(1));
  const random = randomFrom(2);
  const salt = saltMaker((bytes) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(random() * 256);
  });
  let clock = T0;
  const entry = (wish: Wish = {}): NewEntry => {
    const at = wish.at ?? ++clock;
    const committedAt = wish.committedAt ?? at;
    clock = Math.max(clock, committedAt);
    const id = makeId(at);
    const { rows = [], erases = [], parts } = wish;
    if (parts !== undefined) {
      const header = { ...HEADER, id, at: committedAt };
      return { id, at: committedAt, ...encodeEntry(header, parts, salt), rows, erases };
    }
    const text = `{"id":"${id}","at":${committedAt}}\n${JSON.stringify(wish.body ?? `body of ${id}`)}`;
    return { id, at: committedAt, text, rows, erases };
  };
  return {
    entry,
    group: (size: number): NewEntry[] => Array.from({ length: size }, () => entry()),
  };
}

/** A source of numbers in [0, 1) that a seed decides (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
