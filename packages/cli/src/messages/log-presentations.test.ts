// The log's proofs on the command line: a receipt in a file, a checkpoint as it is signed, and where the log ends.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createOrchestrator, memoryLog, openNote, parseCheckpoint, type Serving, serve } from "@capstan/orchestrator";
import { credentialDigest, standard } from "@capstan/plugins";
import { run } from "../index.ts";
import { type TestIo, testIo } from "../test-io.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const log = memoryLog();
let server: Serving;
/** An entry more. */
let make: (principal: string) => Promise<unknown>;

beforeAll(async () => {
  const hub = await createOrchestrator({ plugins: standard(), node: { id: "n-test", name: "test" }, log });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  make = (principal) => app.grant.create({ principal, allow: ["log.*"] });
  await app.grant.create({ principal: "bob", allow: ["log.*"], credential: credentialDigest(TOKEN) });
  server = serve(hub, { listen: "127.0.0.1:0" });
});
afterAll(() => server.stop());

async function capstan(words: readonly string[], io: TestIo = testIo()) {
  const code = await run(["--url", server.url, "--token", TOKEN, ...words], io);
  return { io, code, out: io.out(), err: io.err() };
}

test("a receipt goes into a new file, from which it verifies, and nothing is overwritten", async () => {
  const { io, code, out, err } = await capstan(["log", "receipt", "2", "--out", "receipt.json"]);
  expect([code, out]).toEqual([0, "entry 2 → receipt.json\n"]);
  expect(err).toContain("capstan receipt verify receipt.json --key");
  const path = join(io.cwd, "receipt.json");
  const written = readFileSync(path, "utf8");
  expect(JSON.parse(written)).toMatchObject({ format: "capstan.receipt/1", entry: 2 });
  expect(statSync(path).mode & 0o777).toBe(0o644);
  expect((await capstan(["log", "receipt", "1", "--out", "receipt.json"], io)).code).toBe(73);
  expect(readFileSync(path, "utf8")).toBe(written);
  expect(io.err()).toContain(
    "FILE_UNWRITABLE  receipt.json cannot be written: it is there already; nothing was overwritten",
  );
});

test("a receipt without a file is JSON on standard output, by number or by message", async () => {
  const byNumber = await capstan(["log", "receipt", "2"]);
  const receipt = JSON.parse(byNumber.out);
  expect([byNumber.code, receipt.entry]).toEqual([0, 2]);
  const { id } = JSON.parse(receipt.header);
  expect(JSON.parse((await capstan(["log", "receipt", id])).out).header).toBe(receipt.header);
  expect((await capstan(["log", "receipt", "99"])).err).toStartWith("ENTRY_NOT_FOUND  the log has no entry 99");
});

test("a checkpoint is printed as it is signed, and as JSON with what it says", async () => {
  const { code, out } = await capstan(["log", "checkpoint"]);
  expect(code).toBe(0);
  expect(parseCheckpoint(openNote(out).text)).toMatchObject({ log: log.id, size: log.head });
  const json = JSON.parse((await capstan(["log", "checkpoint", "--json"])).out);
  expect(json).toMatchObject({
    log: log.id,
    size: log.head,
    checkpoint: expect.stringContaining("\n\n— capstan/n-test "),
  });
});

test("a tail ends after as many entries as were asked for, however they come", async () => {
  const before = log.head;
  const io: TestIo = { ...testIo(), stopped: () => new Promise(() => {}) };
  const tailed = capstan(["log", "tail", "--from", String(before), "--limit", "3", "--json"], io);
  const answer = (text: string) => text.split("\n").filter(Boolean);
  while (answer(io.out()).length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  // It waits for two more: six come at once.
  await Promise.all(Array.from({ length: 6 }, (_, i) => make(`c-${i}`)));
  const { code, out } = await tailed;
  expect([code, answer(out).map((line) => JSON.parse(line).entry)]).toEqual([0, [before, before + 1, before + 2]]);
});

test("Ctrl-C ends a tail with 0, and says where to go on", async () => {
  const interrupt = Promise.withResolvers<void>();
  const plain = testIo();
  const io: TestIo = {
    ...plain,
    stopped: () => interrupt.promise,
    // What it showed was the last there is: it waits for more.
    stdout(text) {
      plain.stdout(text);
      interrupt.resolve();
    },
  };
  const { code, out, err } = await capstan(
    ["log", "tail", "--from", String(log.head), "--message", "grant.create"],
    io,
  );
  expect([code, out.split("\n").length, err]).toEqual([
    ...[0, 2],
    `  to go on from here: capstan log tail --message grant.create --from ${log.head + 1}\n`,
  ]);
});

test("the head tells where the log ends, and where it begins once it was compacted", async () => {
  expect((await capstan(["log", "head"])).out).toBe(`${log.head} entries  n-test  test\n`);
  while ((await log.trim(2, [])) < 2);
  expect((await capstan(["log", "head"])).out).toBe(`${log.head} entries, kept from 2 on  n-test  test\n`);
  const { code, err } = await capstan(["log", "receipt", "1"]);
  expect([code, err]).toEqual([
    1,
    "HISTORY_GONE  the log was compacted and keeps entries from 2 on; entry 1 is gone\n",
  ]);
});

test("an entry is shown with its parts whole, and explained by its number as by its message", async () => {
  const { entry, message, id } = JSON.parse((await capstan(["--json", "log", "show", "2"])).out);
  expect([entry, message]).toEqual([2, "grant.create"]);
  const { out } = await capstan(["log", "show", "2"]);
  expect(out).toStartWith("entry    2  ");
  expect(out).toContain(
    `  ${id}\nmessage  grant.create  done\nby       app under node, to n-test\nbody     {"data":{"principal":"bob",`,
  );
  expect(out).toContain('row      principal  bob  {"name":"bob","by":"app",');
  const [byNumber, byMessage] = [await capstan(["explain", "2"]), await capstan(["explain", id])];
  expect(byNumber.out).toStartWith(`${id}  grant.create `);
  expect(byNumber.out).toBe(byMessage.out);
  for (const named of ["2", id, id.replace("m-", "x-")])
    expect((await capstan(["log", "explain", named])).out).toBe(byMessage.out);
  expect(await capstan(["explain", "999"])).toMatchObject({ code: 1, err: expect.stringMatching(/^ENTRY_NOT_FOUND /) });
});
