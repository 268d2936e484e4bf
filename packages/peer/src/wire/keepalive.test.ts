// What a keepalive may carry for witnesses: bounded, in its forms, and nothing else.

import { describe, expect, test } from "bun:test";
import { golden } from "./golden.fixture.ts";
import { readMessage } from "./read-message.ts";

const full = golden["keepalive-witness"] as unknown as Record<string, unknown>;
const [line = ""] = full.cosignatures as string[];
const read = (change: object) => readMessage({ ...full, ...change });

test("a note of 8192 characters, and two cosignatures", () => {
  expect(read({ checkpoint: "é\n".repeat(4096), cosignatures: [line, line] })).toMatchObject({ ok: true });
  expect(readMessage({ type: "keepalive", seq: 5 })).toMatchObject({ ok: true });
});

describe("is malformed", () => {
  test.each([
    ["with a longer note", { checkpoint: "a".repeat(8193) }, "checkpoint is not a signed note"],
    ["with a note of nothing", { checkpoint: "" }, "checkpoint is not a signed note"],
    ["with a control character", { checkpoint: "a\u001b[31m\n" }, "checkpoint is not a signed note"],
    ["with half of a pair", { checkpoint: "a\ud800\n" }, "checkpoint is not a signed note"],
    ["with a note that is none", { checkpoint: 7 }, "checkpoint is not of type string"],
    ["with three cosignatures", { cosignatures: [line, line, line] }, "cosignatures has more than 2 entries"],
    ["with none in its list", { cosignatures: [] }, "cosignatures is empty"],
    [
      "with a line that has another length",
      { cosignatures: [`${line}=`] },
      "cosignatures.0 is not a cosignature's line",
    ],
    ["with two lines in one", { cosignatures: [`${line}\n${line}`] }, "cosignatures.0 is not a cosignature's line"],
    ["with something more", { witness: 1 }, 'has a member that it must not have: "witness"'],
  ])("%s", (_, change, text) => {
    expect(read(change)).toMatchObject({ ok: false, text: expect.stringContaining(text) });
  });
});
