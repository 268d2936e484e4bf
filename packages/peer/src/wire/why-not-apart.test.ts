// Routes of an announcement with attributes of their own: what of that is well-formed, and what is wrong with the rest. Whatever it is,
// it costs the routes of its announcement and no others.

import { describe, expect, test } from "bun:test";
import { golden } from "./golden.fixture.ts";
import { type Announcement, apart, type RawUpdate } from "./message.ts";
import { readUpdate } from "./read-update.ts";

/** Two routes, and a hash between them. */
const [like] = (golden.update as RawUpdate).announce as Announcement[];
const HASH = "m5eccJvwlnhLtEzlvO2qJWAcIlPbZUM25FitkS6jvyU";
const leaves = [
  ["action:a", ""],
  [1, HASH],
  ["action:b", ""],
];

function read(value: unknown) {
  const raw = { type: "update" as const, seq: 0, withdraw: [], announce: [{ ...like, leaves, apart: value }] };
  const reading = readUpdate(raw, { updateRoutes: 100 });
  if (!reading.ok) throw new Error(reading.text);
  return reading.update;
}

test("what is well-formed is read as it is", () => {
  for (const value of [
    { at: [0, 2], path: ["x osaka", null], localPreference: [7, null], tags: ["", "slow"] },
    { at: [[0, 2]], tags: ["slow"] },
    { at: [2] },
  ])
    expect(read(value).announce).toMatchObject([{ apart: value, leaves }]);
});

describe("what is wrong", () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ["a list", [{ at: [0] }], "apart is not of type object"],
    ["a text", "0", "apart is not of type object"],
    ["nothing", null, "apart is not of type object"],
    ["without places", { tags: ["x"] }, "apart.at is missing"],
    ["no places", { at: [] }, "apart.at is empty"],
    ["an entry of no places", { at: [[]] }, "apart.at.0 is empty"],
    ["too many", { at: Array(1025).fill(0) }, "apart.at has more than 1024 entries"],
    ["a place that is a text", { at: ["0"] }, "apart.at.0 is malformed"],
    ["a place before the first", { at: [-1] }, "apart.at.0 is under 0"],
    ["half a place", { at: [[0.5]] }, "apart.at.0 is malformed"],
    ["a place in a list in a list", { at: [[[0]]] }, "apart.at.0 is malformed"],
    ["a place behind the last", { at: [3] }, "apart.at: no route is at 3"],
    ["a place of a hash", { at: [[0, 1]] }, "apart.at: no route is at 1"],
    ["a place twice", { at: [[0, 0]] }, "apart.at: the route at 0 has other attributes already"],
    ["a place in two", { at: [0, [2, 0]] }, "apart.at: the route at 0 has other attributes already"],
    ["a member that nobody knows", { at: [0], origin: [] }, 'apart has a member that it must not have: "origin"'],
    ["a column too short", { at: [0, 2], path: ["x"] }, "apart has columns of different lengths"],
    ["a column too long", { at: [0], tags: ["x", null] }, "apart has columns of different lengths"],
    ["a column that is none", { at: [0], path: "osaka" }, "apart.path is not of type array"],
    ["a domain that is none", { at: [0], path: ["a ? b"] }, "apart.path.0 is not up to 1024 ids with a blank between"],
    ["a path that is a list", { at: [0], path: [["osaka"]] }, "apart.path.0 is not of type string"],
    ["a path without end", { at: [0], path: [`${"a ".repeat(1024)}a`] }, "apart.path.0 is not up to 1024 ids"],
    ["tags without end", { at: [0], tags: [`${"a ".repeat(32)}a`] }, "apart.tags.0 is not up to 32 ids"],
    ["a preference that is none", { at: [0], localPreference: [-1] }, "apart.localPreference.0 is under 0"],
    ["a preference too high", { at: [0], localPreference: [2 ** 32] }, "apart.localPreference.0 is over 4294967295"],
  ];

  test.each(wrong)("%s", (_name, value, text) => {
    const { announce, malformed } = read(value);
    expect(announce).toEqual([]);
    expect(malformed).toEqual([{ routes: ["action:a", "action:b"], text: expect.stringContaining(text) }]);
  });
});

test("it is read by hand as the schema reads it", () => {
  const entries = [0, 2, [0], [0, 2], [], -1, 0.5, "0", null];
  const columns = [
    undefined,
    null,
    [],
    [null],
    ["a"],
    ["a b"],
    ["a  b"],
    [" a"],
    ["a "],
    [""],
    [7],
    [-1],
    [[]],
    "a",
    {},
  ];
  for (const at of entries)
    for (const column of columns)
      for (const name of ["path", "localPreference", "tags", "colour"]) {
        const value = { at: [at], ...(column === undefined ? {} : { [name]: column }) };
        const long = !Array.isArray(column) || column.length === 1;
        expect(read(value).announce.length === 1).toBe(apart.safeParse(value).success && long);
      }
});
