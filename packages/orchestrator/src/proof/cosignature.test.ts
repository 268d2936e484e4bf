// Cosignatures of witnesses: made by the specification's words with another library, and whatever is not one.

import { describe, expect, test } from "bun:test";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { formatCheckpoint } from "./checkpoint.ts";
import {
  cosignatureLine,
  cosigned,
  cosignedBytes,
  formatWitnessKey,
  parseWitnessKey,
  signedBy,
  verifyCosignatures,
  type WitnessKey,
  witnessKeyOf,
} from "./cosignature.ts";
import { formatVerifierKey, openNote, signNote, verifierOf, verifyNote } from "./note.ts";

const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const utf8 = (text: string) => new TextEncoder().encode(text);

/** A key, and what https://c2sp.org/tlog-cosignature says of it, without a line of what is tested. */
function witness(name: string, fill: number) {
  const secret = createPrivateKey({
    key: Buffer.concat([PKCS8, Buffer.alloc(32, fill)]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32);
  const id = createHash("sha256")
    .update(`${name}\n`)
    .update(Uint8Array.of(4))
    .update(publicKey)
    .digest()
    .subarray(0, 4);
  return {
    name,
    publicKey: new Uint8Array(publicKey),
    vkey: `${name}+${id.toString("hex")}+${Buffer.concat([Uint8Array.of(4), publicKey]).toString("base64")}`,
    cosign(text: string, time: number | bigint, said = text): string {
      const at = Buffer.alloc(8);
      at.writeBigUInt64BE(BigInt(time));
      const signature = sign(null, utf8(`cosignature/v1\ntime ${time}\n${said}`), secret);
      return `— ${name} ${Buffer.concat([id, at, signature]).toString("base64")}`;
    },
    signer: {
      name,
      publicKey: new Uint8Array(publicKey),
      sign: async (bytes: Uint8Array) => sign(null, bytes, secret),
    },
  };
}

const log = witness("capstan/n-00000001", 1);
const osaka = witness("capstan/n-00000002", 2);
const kyoto = witness("capstan/n-00000003", 3);
const text = formatCheckpoint({
  log: `l-${"0".repeat(26)}`,
  size: 1,
  root: new Uint8Array(32).fill(9),
  epoch: 1,
  at: 5,
});
const note = await signNote(text, log.signer);
const key = parseWitnessKey(osaka.vkey);
const withId = (bytes: Uint8Array) =>
  `— ${osaka.name} ${Buffer.concat([Buffer.from(key.keyHash, "hex"), bytes]).toString("base64")}`;
const later = Buffer.from(osaka.cosign(text, 7).split(" ").at(-1) as string, "base64").subarray(4);
later[7] = 8;
const plain = withId(await osaka.signer.sign(utf8(text)));

test("what the specification says is what is made, and what is read", async () => {
  const line = osaka.cosign(text, 1_679_315_147);
  expect(new TextDecoder().decode(cosignedBytes("a\n", 12))).toBe("cosignature/v1\ntime 12\na\n");
  const signature = Buffer.from(line.split(" ").at(-1) as string, "base64").subarray(12);
  expect(cosignatureLine(osaka, 1_679_315_147, signature)).toBe(line);
  expect(await verifyCosignatures(cosigned(note, [line]), [key])).toEqual([{ key, time: 1_679_315_147, line }]);
  // The log's own signature is as it was, and the line among it says nothing of the log.
  expect((await verifyNote(cosigned(note, [line]), [verifierOf(log)])).text).toBe(text);
  expect(signedBy(cosigned(note, [line]), [log.name])).toBe(note);
});

test("the specification's example is of its form", () => {
  const example =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
  const [line] = openNote(example).signatures;
  expect(line?.signature).toHaveLength(72);
  expect(Buffer.from(line?.signature ?? []).readBigUInt64BE()).toBe(1_679_315_147n);
});

describe("a key", () => {
  test("is a verifier key of type 0x04, or the node's own, which is the same", () => {
    expect(key).toEqual(witnessKeyOf(osaka));
    expect(formatWitnessKey(key)).toBe(osaka.vkey);
    expect(parseWitnessKey(formatVerifierKey(osaka))).toEqual(key);
  });

  test("of another type, or altered, is none", () => {
    const [name, id] = osaka.vkey.split("+");
    const bytes = Buffer.concat([Uint8Array.of(6), osaka.publicKey]);
    const other = createHash("sha256").update(`${name}\n`).update(bytes).digest("hex").slice(0, 8);
    for (const bad of [
      "",
      `${name}+${id}`,
      osaka.vkey.replace(/\+[0-9a-f]{8}\+/, "+00000000+"),
      `${name}+${other}+${bytes.toString("base64")}`,
    ])
      expect(() => parseWitnessKey(bad)).toThrow(expect.objectContaining({ code: "VERIFIER_KEY_INVALID" }));
  });
});

describe("a cosignature counts", () => {
  const of = (lines: readonly string[], keys: readonly WitnessKey[] = [key]) =>
    verifyCosignatures(cosigned(note, lines), keys);

  test("under keys that are given alone: nobody makes one up", async () => {
    expect(await of([osaka.cosign(text, 7)], [parseWitnessKey(kyoto.vkey)])).toEqual([]);
    expect(await of([osaka.cosign(text, 7)], [])).toEqual([]);
    // The log cosigns itself under the witness's name: its key is not the witness's.
    const forged = log.cosign(text, 7).replace(log.name, osaka.name);
    expect(await of([forged])).toEqual([]);
  });

  test("once a witness, the latest", async () => {
    const lines = [osaka.cosign(text, 7), osaka.cosign(text, 9), osaka.cosign(text, 8), kyoto.cosign(text, 1)];
    const counted = await of(lines, [key, parseWitnessKey(kyoto.vkey)]);
    expect(counted.map(({ key: { name }, time }) => `${name} ${time}`)).toEqual([`${osaka.name} 9`, `${kyoto.name} 1`]);
  });

  test.each([
    ["of another checkpoint", osaka.cosign(text, 7, text.replace("epoch 1", "epoch 2"))],
    ["of another time", withId(later)],
    ["of a time beyond 2^53", osaka.cosign(text, 2n ** 60n)],
    ["that is a plain signature", plain],
    ["that is cut off", withId(new Uint8Array(40))],
  ])("and one %s spoils the note", async (_, line) => {
    expect(line).not.toBe(osaka.cosign(text, 7));
    await expect(of([line])).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
  });
});
