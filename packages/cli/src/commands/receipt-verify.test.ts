// `capstan receipt verify`: offline, by a key alone; and what it says of receipts that are none.

import { describe, expect, test } from "bun:test";
import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createOrchestrator, formatVerifierKey, type Signer } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { run } from "../index.ts";
import { jsonText } from "../output/shown.ts";
import { testIo } from "../test-io.ts";

function signerOf(fill: number): Signer {
  // PKCS #8's bytes before the seed (RFC 8410 §7).
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, fill)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { name: "capstan/n-test", publicKey, sign: async (bytes) => sign(null, bytes, key) };
}

const signer = signerOf(1);
const key = formatVerifierKey(signer);
const otherKey = formatVerifierKey(signerOf(2));

async function receiptOf(principal: string) {
  const hub = await createOrchestrator({ plugins: standard(), node: { id: "n-test", name: "test" }, signer });
  using app = await hub.scope({ principal, allow: ["*"] });
  await app.grant.create({ principal: "bob", allow: ["log.head"], credential: `sha256-${"a".repeat(43)}` });
  const receipt = await app.log.receipt({ entry: 2 });
  await hub.stop();
  return receipt;
}

const receipt = await receiptOf("ada");
const text = JSON.stringify(receipt);

async function verified(given: string, ...flags: string[]) {
  const io = testIo();
  writeFileSync(join(io.cwd, "receipt.json"), given);
  writeFileSync(join(io.cwd, "node.pub"), `${key}\n`);
  writeFileSync(join(io.cwd, "keys"), `\n${otherKey}\n${key}\n`);
  writeFileSync(join(io.cwd, "other.pub"), `${otherKey}\n`);
  writeFileSync(join(io.cwd, "empty"), "\n");
  const code = await run(["receipt", "verify", "receipt.json", ...flags], io);
  return { code, out: io.out(), err: io.err() };
}

test("a receipt is proven by the key, given as text, as a file, or among others", async () => {
  for (const trusted of [key, "node.pub", "keys"]) {
    const { code, out, err } = await verified(text, "--key", trusted);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^entry 2 of 2 in l-[0-9A-Z]{26}: proven\n {2}message {2}grant\.create {2}done {2}m-/);
    expect(out).toMatch(/\n {2}by {7}ada under node, to n-test, 20\d\d-/);
    expect(out).toMatch(/\n {2}body {5}\{data: \{principal: bob, /);
    expect(out).toMatch(/\n {2}signed {3}20\d\d-.*, epoch 1, by capstan\/n-test \([0-9a-f]{8}\)\n$/);
  }
});

test("as JSON it says the same", async () => {
  const { out, code } = await verified(text, "--key", key, "--json");
  expect([code, JSON.parse(out)]).toMatchObject([
    0,
    {
      ...{ entry: 2, message: "grant.create", principal: "ada", verdict: "done" },
      body: { data: { principal: "bob" } },
      checkpoint: { size: 2, epoch: 1, signers: [expect.stringMatching(/^capstan\/n-test \([0-9a-f]{8}\)$/)] },
    },
  ]);
});

test("from standard input", async () => {
  const io = testIo({}, `${text}\n`);
  expect(await run(["receipt", "verify", "-", "--key", key], io)).toBe(0);
  expect(io.out()).toStartWith("entry 2 of 2 in l-");
});

test("parts that were erased are said not to be shown, and the rest is proven", async () => {
  const { out, code } = await verified(JSON.stringify({ ...receipt, parts: receipt.parts.slice(1) }), "--key", key);
  expect(code).toBe(0);
  expect(out).toContain("\n  body     not shown: erased, or kept back\n");
});

test("what callers called themselves cannot move the cursor, and a receipt that was printed still verifies", async () => {
  const hostile = await receiptOf("a\u202eda\u001b[31m");
  const { out, code } = await verified(jsonText(hostile), "--key", key);
  expect(code).toBe(0);
  expect(out).toContain("by       a\\u202eda\\u001b[31m under node");
  for (const character of ["\u001b", "\u202e"]) expect(out).not.toContain(character);
});

describe("what is not proven ends with 65, names what is wrong, and prints nothing of the entry:", () => {
  for (const [what, given, flags, code] of [
    ["no receipt", "{}", ["--key", key], "RECEIPT_INVALID"],
    ["no JSON", "receipt", ["--key", key], "RECEIPT_INVALID"],
    ["a part that was altered", text.replace(/(principal\W+)bob/, "$1eve"), ["--key", key], "ENTRY_INVALID"],
    ["another entry's number", text.replace('"entry":2', '"entry":1'), ["--key", key], "PROOF_INVALID"],
    ["a checkpoint that was altered", text.replace("epoch 1", "epoch 2"), ["--key", key], "SIGNATURE_INVALID"],
    ["a checkpoint that is none", text.replace("epoch 1", "\\tepoch 1"), ["--key", key], "CHECKPOINT_INVALID"],
    ["another node's key", text, ["--key", "other.pub"], "SIGNATURE_INVALID"],
    ["a key that was altered", text, ["--key", key.replace("n-test", "n-text")], "VERIFIER_KEY_INVALID"],
    ["a key's file without a key", text, ["--key", "empty"], "VERIFIER_KEY_INVALID"],
    ["a key's file with something else", text, ["--key", "receipt.json"], "VERIFIER_KEY_INVALID"],
    ["a key's file that is not there", text, ["--key", "nope.pub"], "FILE_UNREADABLE"],
  ] as const) {
    test(what, async () => {
      expect([text, "{}", "receipt"].includes(given)).toBe(given === text || given.length < 10);
      const { code: exit, out, err } = await verified(given, ...flags);
      expect([exit, out]).toEqual([65, ""]);
      expect(err).toStartWith(`${code}  `);
    });
  }

  test("a file that is not UTF-8", async () => {
    const io = testIo({}, Uint8Array.of(0x7b, 0xff, 0x7d));
    expect(await run(["receipt", "verify", "-", "--key", key], io)).toBe(65);
    expect(io.err()).toStartWith("JSON_INVALID  standard input is not UTF-8");
  });
});

test("without a key, or a file, the command line is wrong", async () => {
  expect((await verified(text)).code).toBe(64);
  const io = testIo();
  expect(await run(["receipt", "verify", "--key", key], io)).toBe(64);
  expect(await run(["receipt", "verfiy", "x"], io)).toBe(64);
});

test("its help has examples", async () => {
  const io = testIo();
  expect(await run(["receipt", "verify", "--help"], io)).toBe(0);
  expect(io.out()).toContain("$ capstan receipt verify receipt.json --key .capstan/node.pub");
});
