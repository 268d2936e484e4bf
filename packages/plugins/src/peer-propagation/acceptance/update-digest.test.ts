// What is kept of updates until they are digested.

import { expect, spyOn, test } from "bun:test";
import { UpdateDigest } from "./update-digest.ts";

test("few frames wait, and of texts few characters, whatever a peer says", () => {
  const hashed = spyOn(Bun.CryptoHasher.prototype, "update");
  try {
    const digest = new UpdateDigest();
    for (let seq = 0; seq < 4; seq++) digest.add("a".repeat(300_000), seq);
    // A text, and its newline.
    expect(hashed).toHaveBeenCalledTimes(2 * 4);
    for (let seq = 4; seq < 68; seq++) digest.add("b", seq);
    expect(hashed).toHaveBeenCalledTimes(2 * 68);
  } finally {
    hashed.mockRestore();
  }
});
