// A server whose answers are of another form than this version knows: that is said, or they are shown as they came.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../index.ts";
import { testIo } from "../test-io.ts";
import { type HostileServer, hostileServer } from "./hostile-server.fixture.ts";

let server: HostileServer;
let answer: unknown;
beforeAll(() => {
  server = hostileServer(() => answer);
});
afterAll(() => server[Symbol.asyncDispose]());

async function capstan(...words: string[]) {
  const io = { ...testIo(), stopped: () => new Promise<never>(() => {}) };
  writeFileSync(join(io.cwd, "token"), "secret");
  const code = await run([...words, "--url", server.url, "--token-file", "token"], io);
  return { code, out: io.out(), err: io.err() };
}

const ODD = [
  null,
  5,
  "text",
  [],
  {},
  { items: null },
  { items: [null] },
  { items: [{ at: 1e300, topic: 7 }], next: 5 },
];
const BY_PAGES = [
  ["tail", "--limit", "1"],
  ["log", "tail", "--limit", "1"],
];
const SHOWN = [
  ["action", "list"],
  ["receiver", "list"],
  ["subscription", "list"],
  ["deadLetter", "list"],
  ["explain", "m-1"],
];

test.each(BY_PAGES)("capstan %s %s says that a page is none", async (...words) => {
  for (answer of ODD.slice(0, 6)) {
    const { code, err } = await capstan(...words);
    expect([code, err]).toEqual([
      70,
      expect.stringMatching(/^ANSWER_INVALID {2}\w+\.\w+: the server's answer is no page/),
    ]);
  }
});

test.each(SHOWN)("capstan %s %s shows it as it came, with a warning", async (...words) => {
  for (answer of ODD) {
    const { code, out, err } = await capstan(...words);
    expect([code, err]).not.toEqual([70, expect.anything()]);
    if (err.includes("warning")) expect(JSON.parse(out)).toEqual(answer);
  }
  answer = { items: null };
  expect((await capstan(...words)).err).not.toContain("INTERNAL");
});

test("capstan perform takes no answer for one without an output", async () => {
  answer = null;
  expect(await capstan("perform", "greet")).toMatchObject({ code: 0, out: "null\n" });
});
