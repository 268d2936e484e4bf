// What a program gets of a message whose answer has a text of its own for people: the answer as it came, and nothing beside it.

import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../index.ts";
import { writeServerFile } from "../settings/server-file.ts";
import { testIo } from "../test-io.ts";
import { askedNode } from "./asked-node.fixture.ts";

test("with --json an answer is shown as it came, no text is made of it, and nothing more is asked", async () => {
  await using node = askedNode();
  const odd = { items: [{ topic: 7, lag: null }], rows: 5, elsewhere: "no" };
  const names = ["subscription.list", "subscription.show", "log.show", "execution.show", "deadLetter.show"];
  node.answers(Object.fromEntries([...names, "action.describe"].map((name) => [name, () => odd])));
  for (const name of [...names, "action.describe"]) {
    // As its administrator, in its data directory.
    const io = testIo();
    writeFileSync(join(io.cwd, "admin.token"), "t");
    writeServerFile(io.cwd, { url: node.url, pid: 1, node: "n-here", modules: [] });
    const words = name.endsWith(".list") ? name.split(".") : [...name.split("."), "x"];
    expect(await run(["--json", "--data", ".", ...words], io)).toBe(0);
    expect([JSON.parse(io.out()), io.err()]).toEqual([odd, ""]);
  }
  expect(node.asked()).toEqual([...names, "action.describe"]);
});
