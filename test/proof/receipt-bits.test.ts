// Receipts that were altered by the least that can be altered: each bit of each byte of their text. Of a text that says the same
// in another way, each bit of what is its own (whitespace, escapes) and one of each other byte.

import { describe, expect, test } from "bun:test";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import {
  formatCheckpoint,
  ProofError,
  type Receipt,
  type Signer,
  signNote,
  verifierOf,
  verifyReceipt,
} from "@capstan/orchestrator";
import { MTH, PATH } from "./rfc6962.ts";

// Signed by another implementation than the one that verifies. The bytes before the seed are PKCS #8's (RFC 8410 §7).
const seed = Buffer.alloc(32, 3);
const secret = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
  format: "der",
  type: "pkcs8",
});
const signer: Signer = {
  name: "capstan/n-7f3a1b2c",
  publicKey: createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32),
  sign: async (bytes) => sign(null, bytes, secret),
};
const keys = [verifierOf(signer)];

const EVERY_BIT = [0, 1, 2, 3, 4, 5, 6, 7];
const utf8 = new TextEncoder();
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const line = (part: string) => part[0] + "A".repeat(22) + part.slice(1);
const digest = (text: string) => createHash("sha256").update(text).digest("base64url");

/** Entries with what a caller may call itself, and what JSON escapes. */
function entry(n: number) {
  const parts = [
    line(`b{"data":{"text":"a\\"b\\\\c é\u202e 🦄","n":[0,10,-1.5e300]}}`),
    line(`R${`sha256-${"0a".repeat(32)}`}`),
  ];
  const header = JSON.stringify({
    ...{
      id: `m-000000000000000${n}`,
      message: "note.write",
      node: "n-7f3a1b2c",
      principal: `a "b" é\u202e\u007f`,
      grant: "g-1",
    },
    ...{
      at: 1_796_000_000_000 + n,
      cause: "m-0",
      verdict: "done",
      b: digest(parts[0] as string),
      r: digest(parts[1] as string),
    },
  });
  return { header, parts };
}

const entries = Array.from({ length: 7 }, (_, n) => entry(n));
const leaves = entries.map(({ header }) => utf8.encode(header));
const root = MTH(leaves);
const log = "l-01JB2M7Q4T5V6W7X8Y9Z0ABCDE";
const restored = { epoch: 1, size: 3, root: MTH(leaves.slice(0, 3)) };
const checkpoint = await signNote(
  formatCheckpoint({ log, size: 7, root, epoch: 2, at: 1_796_000_000_100, restored }),
  signer,
);

const receipt: Receipt = {
  format: "capstan.receipt/1",
  entry: 2,
  ...(entries[1] as ReturnType<typeof entry>),
  proof: PATH(1, leaves).map(base64),
  checkpoint,
};

const ascii = (json: string) =>
  json.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

describe("every single-bit change is refused", () => {
  for (const [how, text, own] of [
    ["of a receipt on one line", JSON.stringify(receipt), /./gsu],
    // A tab and a carriage return are a bit apart, and mean the same.
    [
      "of a receipt in ASCII with whitespace, unless whitespace is what it stays",
      ascii(JSON.stringify(receipt, null, "\t")),
      /\\u[0-9a-f]{4}|\s/g,
    ],
  ] as const) {
    test(how, async () => {
      expect(await verifyReceipt(text, keys)).toMatchObject({ entry: 2, checkpoint: { size: 7 } });
      const bytes = Buffer.from(text);
      const missed: string[] = [];
      const codes = new Set<string>();
      let whitespace = 0;
      const owned = Buffer.from(text.replace(own, (found) => "\0".repeat(Buffer.byteLength(found))));
      for (let at = 0; at < bytes.length; at++) {
        for (const bit of owned[at] === 0 ? EVERY_BIT : [at % 8]) {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] as number) ^ (1 << bit);
          const outcome = await outcomeOf(changed);
          if (outcome !== "held") codes.add(outcome);
          else if (isSpace(bytes[at]) && isSpace(changed[at])) whitespace++;
          else missed.push(`byte ${at}, bit ${bit}: ${changed.subarray(Math.max(0, at - 20), at + 20)}`);
        }
      }
      expect(missed).toEqual([]);
      expect(whitespace).toBe(text.split("\t").length - 1);
      expect([...codes].sort()).toEqual([
        ...[
          "CHECKPOINT_INVALID",
          "ENTRY_INVALID",
          "PROOF_INVALID",
          "RECEIPT_INVALID",
          "SIGNATURE_INVALID",
          "not UTF-8",
        ],
      ]);
    }, 60_000);
  }
});

async function outcomeOf(bytes: Uint8Array): Promise<string> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return "not UTF-8"; // whoever reads the file refuses it
  }
  try {
    await verifyReceipt(text, keys);
    return "held";
  } catch (error) {
    if (error instanceof ProofError) return error.code;
    throw error;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte !== undefined && " \t\n\r".includes(String.fromCharCode(byte));
}
