// The parts of an entry, each of which can be erased by itself (entry.ts).

/** Parts by letter: body, facts, rows, trace. */
export const PARTS = ["b", "f", "r", "t"] as const;
/** The letter of an entry's part. */
export type Part = (typeof PARTS)[number];

/** The parts' names for people. */
export const PART_NAMES = { b: "body", f: "facts", r: "rows", t: "trace" } as const satisfies Record<Part, string>;
export type PartName = (typeof PART_NAMES)[Part];
