// A receipt's fields: each there, each of its kind, no other. Changes of single bits are in test/proof.

import { describe, expect, test } from "bun:test";
import { getPublicKeyAsync, signAsync } from "@noble/ed25519";
import { encodeEntry, saltMaker } from "../log/entry.ts";
import { fillFrom } from "../testing/start.fixture.ts";
import { formatCheckpoint } from "./checkpoint.ts";
import { cosignatureLine, cosigned, cosignedBytes, witnessKeyOf } from "./cosignature.ts";
import { leafHash, nodeHash } from "./merkle.ts";
import { openNote, type Signer, signNote, verifierOf } from "./note.ts";
import { RECEIPT_FORMAT, type Receipt, verifyReceipt } from "./receipt.ts";

const secret = new Uint8Array(32).fill(1);
const signer: Signer = {
  name: "capstan/n-7f3a1b2c",
  publicKey: await getPublicKeyAsync(secret),
  sign: (bytes) => signAsync(bytes, secret),
};
const keys = [verifierOf(signer)];
const log = "l-01JB2M7Q4T5V6W7X8Y9Z0ABCDE";

const [first, second] = [entryOf("ada", 0), entryOf("bob", 1)];

function entryOf(principal: string, i: number) {
  const head = { id: `m-000000000000000${i}`, message: "note.write", node: "n-1", principal, grant: "g-1", at: 5 };
  const { text } = encodeEntry(
    { ...head, cause: undefined, verdict: "done" },
    { b: '{"data":1}', t: "{}" },
    saltMaker(fillFrom(i)),
  );
  const [header = "", ...parts] = text.split("\n");
  return { header, parts, leaf: leafHash(header) };
}

async function checkpointOf(size: number, root: Uint8Array, of = log): Promise<string> {
  return signNote(formatCheckpoint({ log: of, size, root, epoch: 1, at: 6 }), signer);
}

const root = nodeHash(first.leaf, second.leaf);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const receipt: Receipt = {
  format: RECEIPT_FORMAT,
  entry: 2,
  header: second.header,
  parts: second.parts,
  proof: [base64(first.leaf)],
  checkpoint: await checkpointOf(2, root),
};

test("a receipt proves its entry, as text and as a value", async () => {
  for (const given of [receipt, JSON.stringify(receipt), `${JSON.stringify(receipt, null, 2)}\n`]) {
    expect(await verifyReceipt(given, keys)).toMatchObject({
      entry: 2,
      header: { principal: "bob" },
      parts: [{ letter: "b", kind: "inline", json: '{"data":1}' }, { letter: "t" }],
      erased: [],
      checkpoint: { log, size: 2, epoch: 1, at: 6 },
    });
  }
});

test("a receipt without some of its parts proves the rest, and says what it does not show", async () => {
  expect(await verifyReceipt({ ...receipt, parts: [] }, keys)).toMatchObject({ parts: [], erased: ["b", "t"] });
  expect(await verifyReceipt({ ...receipt, parts: second.parts.slice(1) }, keys)).toMatchObject({ erased: ["b"] });
});

const otherLog = await checkpointOf(2, nodeHash(second.leaf, second.leaf), log.replace("A", "B"));
const otherRoot = await checkpointOf(2, nodeHash(second.leaf, first.leaf));
const otherSize = await checkpointOf(4, root);

describe("a receipt is refused", () => {
  const spoiled: Record<string, readonly [string, unknown]> = {
    "that is no JSON": ["RECEIPT_INVALID", "{"],
    "that is a list": ["RECEIPT_INVALID", [receipt]],
    "that is null": ["RECEIPT_INVALID", null],
    "with a field more": ["RECEIPT_INVALID", { ...receipt, note: "" }],
    "with a field twice": ["RECEIPT_INVALID", JSON.stringify(receipt).replace("{", '{"entry":1,')],
    "of another format": ["RECEIPT_INVALID", { ...receipt, format: "capstan.receipt/2" }],
    "of entry 0": ["RECEIPT_INVALID", { ...receipt, entry: 0 }],
    "of a negative entry": ["RECEIPT_INVALID", { ...receipt, entry: -1 }],
    "of half an entry": ["RECEIPT_INVALID", { ...receipt, entry: 1.5 }],
    "of an entry past 2^53": ["RECEIPT_INVALID", { ...receipt, entry: 2 ** 53 }],
    "of an entry that is a text": ["RECEIPT_INVALID", { ...receipt, entry: "2" }],
    "of an entry that the checkpoint does not cover": ["PROOF_INVALID", { ...receipt, entry: 3 }],
    "of the largest entry": ["PROOF_INVALID", { ...receipt, entry: Number.MAX_SAFE_INTEGER }],
    "of another entry": ["PROOF_INVALID", { ...receipt, entry: 1 }],
    "with another entry's header": ["ENTRY_INVALID", { ...receipt, header: first.header }],
    "with another entry, whole": ["PROOF_INVALID", { ...receipt, header: first.header, parts: first.parts }],
    "with another entry's part": ["ENTRY_INVALID", { ...receipt, parts: [first.parts[0], second.parts[1]] }],
    "with two parts in one line": ["ENTRY_INVALID", { ...receipt, parts: [second.parts.join("\n")] }],
    "with parts that are one text": ["RECEIPT_INVALID", { ...receipt, parts: second.parts.join("\n") }],
    "with five parts": ["RECEIPT_INVALID", { ...receipt, parts: Array(5).fill(second.parts[0]) }],
    "with half a surrogate pair": ["RECEIPT_INVALID", { ...receipt, header: "\ud800" }],
    "with a proof too short": ["PROOF_INVALID", { ...receipt, proof: [] }],
    "with a proof too long": ["PROOF_INVALID", { ...receipt, proof: [receipt.proof[0], receipt.proof[0]] }],
    "with a proof of 54 hashes": ["RECEIPT_INVALID", { ...receipt, proof: Array(54).fill(receipt.proof[0]) }],
    "with a proof that is not base64": ["RECEIPT_INVALID", { ...receipt, proof: ["!"] }],
    "with a hash of 31 bytes": ["RECEIPT_INVALID", { ...receipt, proof: [base64(new Uint8Array(31))] }],
    "with a checkpoint that is none": ["CHECKPOINT_INVALID", { ...receipt, checkpoint: "" }],
    "with a checkpoint that nobody signed": [
      "CHECKPOINT_INVALID",
      { ...receipt, checkpoint: receipt.checkpoint.split("\n\n")[0] },
    ],
    "with a checkpoint of another log": ["PROOF_INVALID", { ...receipt, checkpoint: otherLog }],
    "with a checkpoint of the same size and another root": ["PROOF_INVALID", { ...receipt, checkpoint: otherRoot }],
    "with a checkpoint of another size": ["PROOF_INVALID", { ...receipt, checkpoint: otherSize }],
  };
  for (const [what, [code, given]] of Object.entries(spoiled)) {
    test(what, async () => {
      await expect(verifyReceipt(given, keys)).rejects.toMatchObject({ name: "ProofError", code });
    });
  }

  test("without any one of its fields", async () => {
    for (const name of Object.keys(receipt)) {
      const { [name as "entry"]: _gone, ...rest } = receipt;
      await expect(verifyReceipt(rest, keys)).rejects.toMatchObject({ code: "RECEIPT_INVALID" });
    }
  });

  test("under another key", async () => {
    const other = new Uint8Array(32).fill(2);
    const theirs = verifierOf({ name: signer.name, publicKey: await getPublicKeyAsync(other) });
    for (const trusted of [[], [theirs], [{ ...theirs, hash: (keys[0] as { hash: string }).hash }]]) {
      await expect(verifyReceipt(receipt, trusted)).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    }
  });
});

test("a receipt is proven only where each witness that is named cosigned its checkpoint", async () => {
  const witness = { name: "capstan/n-00000009", publicKey: await getPublicKeyAsync(new Uint8Array(32).fill(9)) };
  const sign = (text: string) => signAsync(cosignedBytes(text, 7), new Uint8Array(32).fill(9));
  const lineOf = async (note: string) => cosignatureLine(witness, 7, await sign(openNote(note).text));
  const key = witnessKeyOf(witness);
  const given = { ...receipt, checkpoint: cosigned(receipt.checkpoint, [await lineOf(receipt.checkpoint)]) };
  expect((await verifyReceipt(given, keys)).cosignatures).toEqual([]);
  expect((await verifyReceipt(given, keys, [key])).cosignatures).toMatchObject([{ key, time: 7 }]);

  const missing = { code: "SIGNATURE_INVALID", message: expect.stringContaining("has not cosigned") };
  await expect(verifyReceipt(receipt, keys, [key])).rejects.toMatchObject(missing);
  const other = witnessKeyOf({ ...witness, publicKey: signer.publicKey });
  await expect(verifyReceipt(given, keys, [key, other])).rejects.toMatchObject(missing);
  // Of another checkpoint of the same log: a log cannot carry a cosignature over.
  const later = await checkpointOf(2, root, "l-11JB2M7Q4T5V6W7X8Y9Z0ABCDE");
  const forged = { ...receipt, checkpoint: cosigned(receipt.checkpoint, [await lineOf(later)]) };
  await expect(verifyReceipt(forged, keys, [key])).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
});
