// Signed notes and verifier keys: the specification's own example, what it forbids, and signatures that only ZIP215 takes.

import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { getPublicKeyAsync, Point, signAsync, utils, verifyAsync } from "@noble/ed25519";
import {
  formatVerifierKey,
  openNote,
  parseVerifierKey,
  type Signer,
  signNote,
  verifierOf,
  verifyNote,
} from "./note.ts";

async function signer(name: string, seed: number): Promise<Signer> {
  const secret = new Uint8Array(32).fill(seed);
  return { name, publicKey: await getPublicKeyAsync(secret), sign: (bytes) => signAsync(bytes, secret) };
}

const alice = await signer("capstan/n-a11ce000", 1);
const bob = await signer("capstan/n-b0b00000", 2);

// https://c2sp.org/signed-note, the example under "Verifier keys".
const EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const EXAMPLE = `This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
`;

test("the specification's example verifies under its key", async () => {
  const key = parseVerifierKey(EXAMPLE_KEY);
  expect(key).toMatchObject({ name: "example.com/foo", hash: "530d903a" });
  expect(formatVerifierKey(key)).toBe(EXAMPLE_KEY);
  expect(await verifyNote(EXAMPLE, [key])).toEqual({ text: "This is an example message.\n", signers: [key] });
});

test("what is signed verifies, under each of its keys, and its text may have empty lines", async () => {
  const text = "a\n\nb\n\n";
  const note = await signNote(text, alice);
  const both = note + (await signNote(text, bob)).slice(text.length + 1);
  expect((await verifyNote(note, [verifierOf(alice)])).text).toBe(text);
  expect((await verifyNote(both, [verifierOf(bob)])).signers).toEqual([verifierOf(bob)]);
  expect((await verifyNote(both, [verifierOf(bob), verifierOf(alice)])).signers).toHaveLength(2);
});

describe("a signature", () => {
  const wrong = { code: "SIGNATURE_INVALID" };

  test("of nobody who is trusted says nothing", async () => {
    const note = await signNote("a\n", alice);
    await expect(verifyNote(note, [verifierOf(bob)])).rejects.toMatchObject(wrong);
    await expect(verifyNote(note, [])).rejects.toMatchObject(wrong);
    // The name alone, or the hash alone, is not the key.
    const { name, hash, publicKey } = verifierOf(alice);
    await expect(verifyNote(note, [{ name: "b", hash, publicKey }])).rejects.toMatchObject(wrong);
    await expect(verifyNote(note, [{ name, hash: "00000000", publicKey }])).rejects.toMatchObject(wrong);
  });

  test("of a trusted key that is wrong spoils the note, whoever else signed it", async () => {
    const note = await signNote("a\n", alice);
    const other = await signNote("b\n", bob);
    const both = note + other.slice("b\n\n".length);
    expect((await verifyNote(both, [verifierOf(alice)])).text).toBe("a\n");
    await expect(verifyNote(both, [verifierOf(alice), verifierOf(bob)])).rejects.toMatchObject(wrong);
  });

  test("of another length than 64 bytes is wrong", async () => {
    const short = { ...alice, sign: async (bytes: Uint8Array) => (await alice.sign(bytes)).subarray(1) };
    await expect(verifyNote(await signNote("a\n", short), [verifierOf(alice)])).rejects.toMatchObject(wrong);
  });
});

describe("what ZIP215 takes and RFC 8032 does not", () => {
  const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
  const little = (number: bigint) =>
    Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 255n));
  const asNumber = (bytes: Uint8Array) => bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const P = 2n ** 255n - 19n;
  /** The point of order 1, as RFC 8032 encodes it, and as nobody should: y + p, and y with a sign that 0 does not have. */
  const identity = little(1n);
  const unreduced = little(1n + P);
  const signed = little(1n + 2n ** 255n);
  const zeros = new Uint8Array(32);

  async function both(publicKey: Uint8Array, sign: Signer["sign"], text = "a\n") {
    const odd: Signer = { name: "capstan/n-0dd00000", publicKey, sign };
    const note = await signNote(text, odd);
    return {
      zip215: await verifyAsync(await sign(Buffer.from(text)), Buffer.from(text), publicKey),
      ours: verifyNote(note, [verifierOf(odd)]),
    };
  }

  test("a key of small order, for which one signature fits every text", async () => {
    const orderEight = Uint8Array.from(
      Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex"),
    );
    for (const key of [identity, unreduced, signed, orderEight]) {
      for (const text of ["a\n", "b\n"]) {
        const { zip215, ours } = await both(key, async () => Buffer.concat([identity, zeros]), text);
        expect(zip215).toBe(true);
        await expect(ours).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
      }
    }
  });

  test("an R that is not in its one form, signed with a key that is sound", async () => {
    const secret = new Uint8Array(32).fill(9);
    const { scalar } = await utils.getExtendedPublicKeyAsync(secret);
    const publicKey = Point.BASE.multiply(scalar).toBytes();
    for (const R of [unreduced, signed]) {
      const { zip215, ours } = await both(publicKey, async (bytes) => {
        const k = asNumber(createHash("sha512").update(R).update(publicKey).update(bytes).digest()) % ORDER;
        return Buffer.concat([R, little((k * scalar) % ORDER)]);
      });
      expect(zip215).toBe(true);
      await expect(ours).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
    }
  });

  test("an S beyond the order, which neither takes", async () => {
    const { zip215, ours } = await both(alice.publicKey, async (bytes) => {
      const signature = await alice.sign(bytes);
      return Buffer.concat([signature.subarray(0, 32), little(asNumber(signature.subarray(32)) + ORDER)]);
    });
    expect(zip215).toBe(false);
    await expect(ours).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });
});

describe("a note that is none", () => {
  test("is refused", async () => {
    const note = await signNote("a\n", alice);
    const line = note.slice("a\n\n".length);
    const [, name, base64 = ""] = line.trimEnd().split(" ");
    const spoiled = {
      "an empty text": "",
      "no signatures": "a\n\n",
      "no empty line": `a\n${line}`,
      "no last newline": note.trimEnd(),
      "something after it": `${note}b\n`,
      "a carriage return": note.replaceAll("\n", "\r\n"),
      "a tab": note.replace("a", "a\tb"),
      "a NUL": note.replace("a", "a\0"),
      "half a surrogate pair": note.replace("a", "\ud800"),
      "a hyphen for a dash": note.replace("—", "-"),
      "no name": note.replace(`${name} `, " "),
      "a name with a space": note.replace(`${name}`, "a b"),
      "a name with a wide space": note.replace(`${name}`, "a\u3000b"),
      "a name with a plus": note.replace(`${name}`, "a+b"),
      "two spaces": note.replace(`${name} `, `${name}  `),
      "a space at the end": note.replace(/\n$/, " \n"),
      "base64 without padding": note.replace(/=*\n$/, "\n"),
      "base64 for addresses": note.replace(base64, Buffer.alloc(68, 255).toString("base64url")),
      "trailing bits": note.replace(base64, `${Buffer.alloc(67).toString("base64").slice(0, -2)}B=`),
      "four bytes": note.replace(base64, Buffer.alloc(4).toString("base64")),
      "too many signatures": note + line.repeat(32),
      "too long a text": `${"a".repeat(300_000)}${note}`,
    };
    for (const [what, text] of Object.entries(spoiled)) {
      expect(text, what).not.toBe(note);
      expect(() => openNote(text), what).toThrow(expect.objectContaining({ code: "CHECKPOINT_INVALID" }));
    }
    expect(openNote(note + line.repeat(31)).signatures).toHaveLength(32);
  });

  test("is not made either", async () => {
    for (const text of ["", "a", "a\tb\n", "a\r\n", "\ud800\n"]) await expect(signNote(text, alice)).rejects.toThrow();
    for (const name of ["", "a b", "a+b", "a\nb"]) await expect(signNote("a\n", { ...alice, name })).rejects.toThrow();
  });
});

test("a verifier key that is none, or was altered, is refused", () => {
  const text = formatVerifierKey(alice);
  expect(parseVerifierKey(text)).toEqual(verifierOf(alice));
  const [name = "", hash = ""] = text.split("+");
  const key = text.slice(name.length + hash.length + 2);
  const other = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
  for (const wrong of [
    ...["", "capstan", `${name}+${hash}`, ` ${text}`, `${text}\n`, `${text} `, `${text}+`],
    ...[`+${hash}+${key}`, `a b+${hash}+${key}`, `${name}+${hash.toUpperCase()}+${key}`, `${name}+00000000+${key}`],
    `${name}b+${hash}+${key}`,
    `${name}+${hash}+${key.replace(/.$/, "=")}`,
    `${name}+${hash}+${other(Uint8Array.of(2, ...alice.publicKey))}`,
    `${name}+${hash}+${other(Uint8Array.of(1, ...alice.publicKey, 0))}`,
    `${name}+${hash}+${other(Uint8Array.of(1, ...alice.publicKey.subarray(1)))}`,
  ]) {
    expect(() => parseVerifierKey(wrong), wrong).toThrow(expect.objectContaining({ code: "VERIFIER_KEY_INVALID" }));
  }
  // Each of its bits matters.
  for (let at = 0; at < text.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = Buffer.from(text);
      bytes[at] = (bytes[at] as number) ^ (1 << bit);
      expect(() => parseVerifierKey(bytes.toString("utf8"))).toThrow();
    }
  }
});
