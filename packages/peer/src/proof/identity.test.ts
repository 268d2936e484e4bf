import { describe, expect, test } from "bun:test";
import { signWith, verifySignature } from "./identity.ts";

const hex = (text: string) => Buffer.from(text, "hex");

describe("RFC 8032 §7.1", () => {
  // TEST 2: seed, public key, message, signature.
  const seed = hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
  const publicKey = hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").toString("base64url");
  const signature = hex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ).toString("base64url");

  test("a seed makes the key and the signature of its test vector", () => {
    const identity = signWith(seed);
    expect(identity.publicKey).toBe(publicKey);
    expect(Buffer.from(identity.sign(hex("72"))).toString("base64url")).toBe(signature);
  });

  test("a signature is of its message and its key alone", () => {
    expect(verifySignature(publicKey, hex("72"), signature)).toBe(true);
    expect(verifySignature(publicKey, hex("73"), signature)).toBe(false);
    expect(verifySignature(signWith(new Uint8Array(32)).publicKey, hex("72"), signature)).toBe(false);
  });

  test("§5.1.7: S is below the group's order, so that there is one signature and not two", () => {
    const bytes = Buffer.from(signature, "base64url");
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    let s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + order;
    for (let at = 32; at < 64; at++, s >>= 8n) bytes[at] = Number(s & 255n);
    expect(verifySignature(publicKey, hex("72"), bytes.toString("base64url"))).toBe(false);
  });

  test("what is no key or no signature is false, and throws nothing", () => {
    // The last one is no point on the curve.
    for (const key of [
      "",
      "x",
      `${publicKey}=`,
      publicKey.slice(1),
      hex(`02${"00".repeat(31)}`).toString("base64url"),
    ]) {
      expect(verifySignature(key, hex("72"), signature)).toBe(false);
    }
    for (const one of ["", "x", `${signature}=`, signature.slice(1), undefined as never, null as never]) {
      expect(verifySignature(publicKey, hex("72"), one)).toBe(false);
    }
  });

  test("a seed has 32 bytes", () => {
    expect(() => signWith(new Uint8Array(31))).toThrow("an ed25519 seed has 32 bytes, this one 31");
  });
});
