import { expect, test } from "bun:test";
import { createPublicKey, verify } from "node:crypto";
import { identityOf } from "./identity.ts";
import type { NodeSigner } from "./node-signer.ts";
import { signerOf } from "./signer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const signer = signerOf("n-00000001", new Uint8Array(32).fill(7));

function identity(signs: readonly string[], key: NodeSigner = signer) {
  return identityOf({ ...{ node: "n-00000001", plugin: "peers", signs, epoch: 3 }, signer: () => key });
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
