// A checkpoint's text: one form, our own lines, and whose key counts for it.

import { describe, expect, test } from "bun:test";
import { getPublicKeyAsync, signAsync } from "@noble/ed25519";
import { type Checkpoint, formatCheckpoint, parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { EMPTY_ROOT, leafHash } from "./merkle.ts";
import { type Signer, signNote, verifierOf } from "./note.ts";
import { ProofError } from "./proof-error.ts";

const secret = new Uint8Array(32).fill(1);
const signer: Signer = {
  name: "capstan/n-7f3a1b2c",
  publicKey: await getPublicKeyAsync(secret),
  sign: (bytes) => signAsync(bytes, secret),
};
const key = verifierOf(signer);

const log = "l-01JB2M7Q4T5V6W7X8Y9Z0ABCDE";
const checkpoint: Checkpoint = {
  ...{ origin: `capstan/${log}`, log, size: 880, root: leafHash("a"), epoch: 7, at: 1_796_000_000_000 },
};
const restored = { epoch: 5, size: 800, root: leafHash("b") };
const text = formatCheckpoint(checkpoint);
const restoredText = formatCheckpoint({ ...checkpoint, restored });

test("its text is the one that other tools of transparency logs read, and our own lines after it", () => {
  const root = Buffer.from(checkpoint.root).toString("base64");
  expect(text).toBe(`capstan/${log}\n880\n${root}\nepoch 7\nat 1796000000000\n`);
  expect(restoredText).toBe(`${text}restored 5 800 ${Buffer.from(restored.root).toString("base64")}\n`);
});

test("what is written is read back", () => {
  const empty = { ...checkpoint, size: 0, root: EMPTY_ROOT, epoch: 0, at: 0 };
  const largest = Number.MAX_SAFE_INTEGER;
  const huge = { ...checkpoint, size: largest, epoch: largest, at: largest };
  for (const one of [checkpoint, { ...checkpoint, restored }, empty, huge]) {
    const back = parseCheckpoint(formatCheckpoint(one));
    expect({ ...back, root: [...back.root] }).toEqual({ ...one, root: [...one.root] } as never);
  }
});

describe("a text that is none", () => {
  const root = Buffer.from(checkpoint.root).toString("base64");
  const spoiled: Record<string, string> = {
    nothing: "",
    "another log's kind of origin": text.replace("capstan/", "example.com/"),
    "no id of a log": text.replace(log, "l-1"),
    "a leading zero": text.replace("880", "0880"),
    "a sign": text.replace("880", "+880"),
    "a negative size": text.replace("880", "-880"),
    "a fraction": text.replace("880", "880.0"),
    "an exponent": text.replace("880", "88e1"),
    "a size of 2^53": text.replace("880", "9007199254740992"),
    "a size past 2^53 that would round": text.replace("880", "9007199254740993"),
    "a size of 300 digits": text.replace("880", "8".repeat(300)),
    "a size in other digits": text.replace("880", "８８０"),
    "no size": text.replace("880\n", ""),
    "a root without padding": text.replace(root, root.slice(0, -1)),
    "a root with trailing bits": text.replace(root, `${root.slice(0, 42)}${next(root[42] as string)}=`),
    "a root of 31 bytes": text.replace(root, Buffer.alloc(31).toString("base64")),
    "a root of 33 bytes": text.replace(root, Buffer.alloc(33).toString("base64")),
    "an epoch with a leading zero": text.replace("epoch 7", "epoch 07"),
    "no epoch": text.replace("epoch 7\n", ""),
    "no time": text.replace(/at .*\n/, ""),
    "lines in another order": text.replace(/(epoch .*\n)(at .*\n)/, "$2$1"),
    "a line that we do not know": `${text}more\n`,
    "an empty line": `${text}\n`,
    "a space at an end": text.replace("880", "880 "),
    "two restores": `${restoredText}restored 5 800 ${root}\n`,
    "a restore to more than there is": restoredText.replace("5 800", "5 881"),
    "a restore to a later epoch": restoredText.replace("5 800", "8 800"),
    "a restore with a leading zero": restoredText.replace("5 800", "5 0800"),
    "an empty log with a root": text.replace("880", "0"),
  };
  for (const [what, one] of Object.entries(spoiled)) {
    test(what, async () => {
      expect([text, restoredText]).not.toContain(one);
      const invalid = { code: "CHECKPOINT_INVALID" };
      expect(() => parseCheckpoint(one)).toThrow(expect.objectContaining(invalid));
      // Whoever signs it.
      const note = await signNote(`${one.trimEnd()}\n`, signer);
      if (`${one.trimEnd()}\n` === one) await expect(verifyCheckpoint(note, [key])).rejects.toMatchObject(invalid);
    });
  }
});

/** The next character of base64's alphabet: another that has the same first bits. */
function next(character: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return alphabet[alphabet.indexOf(character) + 1] as string;
}

test("a retired key counts up to the entry that retired it", async () => {
  const note = await signNote(text, signer);
  expect(await verifyCheckpoint(note, [{ ...key, until: 880 }])).toMatchObject({ log, size: 880 });
  await expect(verifyCheckpoint(note, [{ ...key, until: 879 }])).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
});

test("every single-bit change of a signed checkpoint is refused", async () => {
  const note = Buffer.from(await signNote(restoredText, signer));
  let refused = 0;
  for (let at = 0; at < note.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = Buffer.from(note);
      changed[at] = (changed[at] as number) ^ (1 << bit);
      await verifyCheckpoint(changed.toString("utf8"), [key]).then(
        () => {
          throw new Error(`byte ${at}, bit ${bit}: ${changed}`);
        },
        (error: unknown) => {
          expect(error).toBeInstanceOf(ProofError);
          refused++;
        },
      );
    }
  }
  expect(refused).toBe(note.length * 8);
});
