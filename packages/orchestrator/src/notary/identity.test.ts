import { expect, test } from "bun:test";
import { createPublicKey, verify } from "node:crypto";
import { formatCheckpoint } from "../proof/checkpoint.ts";
import { cosigned, verifyCosignatures, witnessKeyOf } from "../proof/cosignature.ts";
import { EMPTY_ROOT } from "../proof/merkle.ts";
import { signNote } from "../proof/note.ts";
import { identityOf } from "./identity.ts";
import type { NodeSigner } from "./node-signer.ts";
import { signerOf } from "./signer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const signer = signerOf("n-00000001", new Uint8Array(32).fill(7));

function identity(signs: readonly string[], key: NodeSigner = signer, cosigns = false) {
  return identityOf({ ...{ node: "n-00000001", plugin: "peers", signs, cosigns, epoch: 3 }, signer: () => key });
}

test("a signature at once is the one that is waited for, and the key's own", async () => {
  const text = bytes("capstan route origin/1\nn-00000001\n");
  const { sign, publicKey } = identity(["capstan route origin/1"]);
  const signature = sign(text);
  expect(signature).toEqual(await signer.sign(text));
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: publicKey }, format: "jwk" });
  expect(verify(null, text, key, signature)).toBe(true);
});

test("what begins with no label of the plugin's is not signed: nothing of the log, and nothing of another's", () => {
  const { sign } = identity(["capstan route origin/1", "capstan peer proof/1"]);
  expect(sign(bytes("capstan peer proof/1\n"))).toHaveLength(64);
  const refused = [
    "",
    "capstan route origin/1",
    "capstan route origin/11\n",
    "capstan route origin/2\n",
    " capstan route origin/1\n",
    "capstan/l-0123456789ABCDEFGHJKMNPQRS\n2\n",
    "capstan key rotation\nl-0123456789ABCDEFGHJKMNPQRS\n",
    "capstan request recover\n",
  ];
  for (const text of refused) expect(() => sign(bytes(text))).toThrow('plugin "peers" has the key sign a text');
  expect(() => identity([]).sign(bytes("capstan route origin/1\n"))).toThrow();
});

test("a key that has to be waited for signs nothing at once", () => {
  const { signNow: _, ...slow } = signer;
  expect(() => identity(["capstan a/1"], slow).sign(bytes("capstan a/1\n"))).toThrow("a key that signs at once");
});

test("a cosignature is of a checkpoint in its one form and nothing else, and of a plugin that says that it cosigns", async () => {
  const text = formatCheckpoint({ log: `l-${"0".repeat(26)}`, size: 0, root: EMPTY_ROOT, epoch: 1, at: 5 });
  const { cosign } = identity([], signer, true);
  const note = await signNote(text, signerOf("n-00000002", new Uint8Array(32).fill(8)));
  const [cosignature] = await verifyCosignatures(cosigned(note, [cosign(text, 9)]), [witnessKeyOf(signer)]);
  expect(cosignature?.time).toBe(9);

  expect(() => identity(["capstan a/1"]).cosign(text, 9)).toThrow("does not say that it does");
  for (const time of [0, -1, 1.5, Number.NaN, 2 ** 53]) expect(() => cosign(text, time)).toThrow("a time that is none");
  const none = [
    "",
    "a\n",
    `${text}\n`,
    text.slice(0, -1),
    text.replace("epoch 1", "epoch 01"),
    `capstan a/1\n${text}`,
    note,
  ];
  for (const one of none) expect(() => cosign(one, 9)).toThrow(expect.objectContaining({ code: "CHECKPOINT_INVALID" }));
  const { signNow: _, ...slow } = signer;
  expect(() => identity([], slow, true).cosign(text, 9)).toThrow("a key that signs at once");
});
