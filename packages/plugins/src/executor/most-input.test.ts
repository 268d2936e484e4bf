// What a caller asks is bounded as it is recorded, and not as it is written: otherwise no answer has room for its entry, and no backup of a
// running node gets past it.

import { expect, test } from "bun:test";
import { faultFrom, startHub } from "../hub.fixture.ts";

test.each([
  ["numbers that grow as they are written anew", new Array(200_000).fill(1e20)],
  ["a text", "x".repeat(4 * 1024 * 1024 + 64 * 1024)],
])("more than an entry has room for is refused: %s", async (_, input) => {
  const { app } = await startHub();
  await app.action.register({ name: "a", protocol: "echo" });
  expect(await faultFrom(app.action.perform({ name: "a", input }))).toMatchObject({
    code: "TOO_LARGE",
    message: expect.stringMatching(/^action\.perform: its data has 4\d+ characters as JSON, of 4259840 at most/),
  });
  expect(await app.log.head()).toMatchObject({ entries: 2 });
});
