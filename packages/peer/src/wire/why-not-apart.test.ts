// Routes of an announcement with attributes of their own: what of that is well-formed, and what is wrong with the rest. Whatever it is,
// it costs the routes of its announcement and no others.

import { describe, expect, test } from "bun:test";
import { golden } from "./golden.fixture.ts";
import type { Announcement, RawUpdate } from "./message.ts";
import { readUpdate } from "./read-update.ts";

/** Two routes, and a hash between them. */
const [like] = (golden.update as RawUpdate).announce as Announcement[];
const HASH = "m5eccJvwlnhLtEzlvO2qJWAcIlPbZUM25FitkS6jvyU";
const leaves = [
  ["action:a", ""],
  [1, HASH],
  ["action:b", ""],
];

function read(apart: unknown) {
  const raw = { type: "update" as const, seq: 0, withdraw: [], announce: [{ ...like, leaves, apart }] };
  const reading = readUpdate(raw, { updateRoutes: 100 });
  if (!reading.ok) throw new Error(reading.text);
  return reading.update;
}

test("what is well-formed is read as it is", () => {
  const apart = [
    { at: [0], path: ["x", "osaka"], localPreference: 7, tags: [] },
    { at: [2], tags: ["slow"] },
  ];
  expect(read(apart).announce).toMatchObject([{ apart, leaves }]);
});

describe("what is wrong", () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ["no list", { at: [0] }, "apart has not 1 to 1024 entries"],
    ["an empty list", [], "apart has not 1 to 1024 entries"],
    ["a text", ["0"], "apart.0: is not of type object"],
    ["nothing", [null], "apart.0: is not of type object"],
    ["a list", [[0]], "apart.0: is not of type object"],
    ["without places", [{ tags: ["x"] }], "apart.0: at is missing"],
    ["no places", [{ at: [] }], "apart.0: at is empty"],
    ["a place that is a text", [{ at: ["0"] }], "apart.0: at.0 is not of type number"],
    ["a place before the first", [{ at: [-1] }], "apart.0: at.0 is under 0"],
    ["half a place", [{ at: [0.5] }], "apart.0: at.0 is not a whole number"],
    ["a place behind the last", [{ at: [3] }], "apart.0: no route is at 3"],
    ["a place of a hash", [{ at: [1] }], "apart.0: no route is at 1"],
    ["a place twice", [{ at: [0, 0] }], "apart.0: the route at 0 has other attributes already"],
    ["a place in two", [{ at: [0] }, { at: [2, 0] }], "apart.1: the route at 0 has other attributes already"],
    ["a member that nobody knows", [{ at: [0], origin: {} }], 'apart.0: has a member that it must not have: "origin"'],
    ["a domain that is none", [{ at: [0], path: ["a b"] }], "apart.0: path.0 is not an id"],
    ["a path that is none", [{ at: [0], path: "osaka" }], "apart.0: path is not of type array"],
    ["a path without end", [{ at: [0], path: Array(1025).fill("a") }], "apart.0: path has more than 1024 entries"],
    ["tags without end", [{ at: [0], tags: Array(33).fill("a") }], "apart.0: tags has more than 32 entries"],
    ["a preference that is none", [{ at: [0], localPreference: -1 }], "apart.0: localPreference is under 0"],
    ["a preference too high", [{ at: [0], localPreference: 2 ** 32 }], "apart.0: localPreference is over 4294967295"],
  ];

  test.each(wrong)("%s", (_name, apart, text) => {
    const { announce, malformed } = read(apart);
    expect(announce).toEqual([]);
    expect(malformed).toEqual([{ routes: ["action:a", "action:b"], text: expect.stringContaining(text) }]);
  });
});
