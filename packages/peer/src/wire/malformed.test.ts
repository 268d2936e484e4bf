// Frames that are no messages, and updates that are malformed in part, as data: golden/malformed.json and malformed-updates.json.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GOLDEN } from "./golden.fixture.ts";
import { leaf, pruned, UPDATE_ENTRIES } from "./message.ts";
import { asLine, ROUTE_NAME } from "./names.ts";
import { decodeFrame, encodeFrame, FRAME_BYTES, readMessage } from "./read-message.ts";
import { readUpdate } from "./read-update.ts";

interface Malformed {
  readonly name: string;
  readonly text: string;
  readonly complaint: { readonly code: string; readonly subcode: string };
  readonly says: string;
}
interface MalformedInPart {
  readonly name: string;
  readonly text: string;
  readonly withdraw: readonly string[];
  readonly announced: number;
  readonly malformed: readonly { readonly routes: readonly string[]; readonly text: string }[];
}

const dataOf = (file: string) => JSON.parse(readFileSync(join(GOLDEN, file), "utf8"));
const frames: readonly Malformed[] = dataOf("malformed.json");
const updates: readonly (Malformed | MalformedInPart)[] = dataOf("malformed-updates.json");

describe("RFC 4271 §6.1: a frame is refused, and told why", () => {
  test.each(frames)("$name", ({ text, complaint, says }) => {
    expect(decodeFrame(text, FRAME_BYTES.proved)).toEqual({ ok: false, complaint, text: says } as never);
  });

  test("a frame that is too large, in bytes and not in characters", () => {
    const frame = `{"type":"close","seq":1,"restart":true,"reason":"${"京".repeat(100)}"}`;
    const bytes = Buffer.byteLength(frame);
    expect(decodeFrame(frame, bytes).ok).toBe(true);
    const complaint = { code: "message-header-error", subcode: "bad-message" } as const;
    const text = `the frame has more than ${bytes - 1} bytes`;
    expect(decodeFrame(frame, bytes - 1)).toEqual({ ok: false, complaint, text });
    expect(decodeFrame("x".repeat(bytes + 1), bytes)).toEqual({
      ok: false,
      complaint,
      text: `the frame has more than ${bytes} bytes`,
    });
  });

  test("what is said about a frame can itself be said in a notification", () => {
    for (const { says: reason } of frames) {
      const notification = {
        type: "notification",
        seq: 0,
        code: "message-header-error",
        subcode: "bad-message",
        reason,
      };
      expect(readMessage(notification).ok).toBe(true);
      expect(reason.length).toBeLessThan(200);
    }
  });

  test("an update of more entries than any has", () => {
    for (const member of ["withdraw", "announce"]) {
      const update = {
        type: "update",
        seq: 0,
        withdraw: [],
        announce: [],
        [member]: Array(UPDATE_ENTRIES + 1).fill(""),
      };
      expect(readMessage(update)).toMatchObject({ ok: false, text: `update: ${member} has more than 16384 entries` });
    }
  });

  test("a frame nested as deep as it can be is not one", () => {
    const deep = `${"[".repeat(500_000)}${"]".repeat(500_000)}`;
    expect(decodeFrame(deep, FRAME_BYTES.proved).ok).toBe(false);
    const open = `{"type":"open","capabilities":${deep.slice(400_000, -400_000)}}`;
    expect(decodeFrame(open, FRAME_BYTES.proved)).toMatchObject({ text: "open: is nested more than 16 levels deep" });
  });
});

describe("RFC 7606 §2: of an update, what is malformed is treated as withdrawn", () => {
  test.each(updates)("$name", (one) => {
    const frame = decodeFrame(one.text, FRAME_BYTES.proved);
    if (!frame.ok || frame.message.type !== "update") throw new Error("not an update");
    const reading = readUpdate(frame.message, { updateRoutes: 100 });
    if ("says" in one) {
      expect(reading).toEqual({ ok: false, complaint: one.complaint, text: one.says } as never);
    } else {
      if (!reading.ok) throw new Error(reading.text);
      const { withdraw, announce, malformed } = reading.update;
      expect({ withdraw, announced: announce.length, malformed }).toEqual({
        withdraw: one.withdraw,
        announced: one.announced,
        malformed: one.malformed,
      } as never);
    }
  });
});

test("an offer with values that JSON has not, as other transports carry them, was proved without them or threw", () => {
  const open = dataOf("open-dialler.frame");
  for (const value of [
    1n,
    () => 1,
    Symbol("x"),
    undefined,
    new Date(0),
    new Map(),
    new Uint8Array(1),
    new URL("a:b"),
  ]) {
    for (const odd of [
      { ...open, odd: value },
      { ...open, capabilities: [{ name: "x", odd: [value] }] },
    ]) {
      expect(readMessage(odd)).toMatchObject({ ok: false, text: "open: has something in it that is not JSON" });
    }
  }
});

test("an offer that comes as a value is bounded as one that comes as text is", () => {
  const open = dataOf("open-dialler.frame");
  for (const odd of [
    "x".repeat(16_385),
    Array(16_385).fill(0),
    Array(1e9),
    { ["x".repeat(16_385)]: 1 },
    [["x".repeat(9_000)], ["x".repeat(9_000)]],
  ]) {
    expect(readMessage({ ...open, odd })).toMatchObject({ ok: false, text: "open: is too large" });
  }
  expect(readMessage({ ...open, odd: "x".repeat(15_000) }).ok).toBe(true);
});

test("an update whose routes cannot be told is an error of the update, and no other", () => {
  for (const one of updates) {
    if ("says" in one) expect(one.complaint).toEqual({ code: "update-error", subcode: "malformed-update" });
  }
});

test("members named __proto__ and constructor reach no object of ours", () => {
  const open = dataOf("open-dialler.frame");
  const odd = {
    ...open,
    constructor: { prototype: { polluted: true } },
    capabilities: [{ name: "x", toJSON: 1, valueOf: null }],
  };
  const reading = readMessage(JSON.parse(JSON.stringify(odd)));
  if (!reading.ok) throw new Error(reading.text);
  expect(Object.getPrototypeOf(reading.message)).toBe(Object.prototype);
  expect("polluted" in {}).toBe(false);
  expect(JSON.parse(encodeFrame(reading.message))).toEqual(odd);
});

describe("names", () => {
  const ok = [
    "action:greet",
    "topic:action.greet",
    "channel:http:graphql",
    "action:京都/挨拶",
    "action:😀",
    "a:__proto__",
    `a:${"😀".repeat(255)}`,
  ];
  test.each(ok)("%s is a route's name", (name) => expect(ROUTE_NAME.test(name)).toBe(true));

  const bad = [
    "",
    "greet",
    ":greet",
    "action:",
    "Action:greet",
    "action:a b",
    "action:a\n",
    "action:a\u0000",
    "action:a\u009b",
    "action:\u202ea",
  ];
  const invisible = [
    "action:\u00ad",
    "action:\u200b",
    "action:\ufeff",
    "action:\u2066",
    "action:\u{e0041}",
    "action:\u3000",
  ];
  const halves = ["action:\ud83d", "action:\ude00\ud83d", `a:${"😀".repeat(256)}`, `${"a".repeat(33)}:b`];
  test.each([...bad, ...invisible, ...halves].map((name) => [JSON.stringify(name), name]))("%s is none", (_, name) => {
    expect(ROUTE_NAME.test(name as string)).toBe(false);
  });

  test("a line of any text is a line", () => {
    expect(asLine("a\u001b[2J\n\u202eb\ud800", 100)).toBe("a?[2J??b?");
    expect(asLine("x".repeat(20), 10)).toBe(`${"x".repeat(9)}…`);
    expect(asLine(`${"x".repeat(8)}😀x`, 10)).toBe(`${"x".repeat(8)}?…`);
  });
});

test("leaves are read by hand as the schema reads them", () => {
  const announced = dataOf("update.frame").announce[0];
  const digest = "A".repeat(43);
  const firsts = ["action:a", "action: ", "", 0, 1, -1, 0.5, 2 ** 53, null, undefined, [], {}, true];
  const seconds = ["", digest, `${digest.slice(1)}B`, "x", 1, null, undefined, []];
  const tails = [
    [],
    [1],
    ["idempotent"],
    ["read-only"],
    ["Idempotent"],
    [undefined],
    [null],
    ["idempotent", "read-only"],
  ];
  for (const first of firsts) {
    for (const second of seconds) {
      for (const tail of tails) {
        const one = [first, second, ...tail];
        const expected = leaf.safeParse(one).success || pruned.safeParse(one).success;
        const reading = readUpdate(
          { type: "update", seq: 0, withdraw: [], announce: [{ ...announced, leaves: [one] }] },
          { updateRoutes: 9 },
        );
        expect(reading.ok && reading.update.announce.length === 1).toBe(expected);
      }
    }
  }
});
