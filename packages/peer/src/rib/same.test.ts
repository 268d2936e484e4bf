import { expect, test } from "bun:test";
import type { OriginClaim } from "../wire/message.ts";
import { chunks } from "./rib.fixture.ts";
import { sameChunk } from "./same.ts";

const [chunk] = chunks("n-o", ["action:a", "action:b"]);
const claimed = (changes: Partial<OriginClaim>) => ({ ...chunk!, claim: { ...chunk!.claim, ...changes } });

test("chunks are the same that were signed together, whatever part of them is told", () => {
  expect(sameChunk(chunk!, { ...chunk!, leaves: [], claim: { ...chunk!.claim } })).toBe(true);
});

test("a signature that is good for several texts, as of a key that was badly chosen on purpose, does not make them the same", () => {
  expect(sameChunk(chunk!, { ...chunk!, root: "another" })).toBe(false);
  for (const change of [{ epoch: 2 }, { expires: 1 }, { node: "n-x" }, { domain: "d-x" }, { key: "another" }]) {
    expect(sameChunk(chunk!, claimed(change))).toBe(false);
  }
});
