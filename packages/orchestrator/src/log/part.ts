// The parts of an entry, each of which can be erased by itself (entry.ts).

/** Parts by letter: body, facts, rows, trace. */
export const PARTS = ["b", "f", "r", "t"] as const;
export type Part = (typeof PARTS)[number];

/** The same, as they are called where people read of them. */
export const PART_NAMES = { b: "body", f: "facts", r: "rows", t: "trace" } as const satisfies Record<Part, string>;
export type PartName = (typeof PART_NAMES)[Part];
