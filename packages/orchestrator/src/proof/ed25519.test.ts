import { expect, test } from "bun:test";
import { hash } from "node:crypto";
import { getPublicKeyAsync, Point, signAsync } from "@noble/ed25519";
import { isSignature } from "./ed25519.ts";

const seed = new Uint8Array(32).fill(3);
const publicKey = await getPublicKeyAsync(seed);
const bytes = Buffer.from("what is signed");
const signature = await signAsync(bytes, seed);

test("a signature is one of its bytes under its key alone, and nothing else is one", async () => {
  expect(await isSignature(signature, bytes, publicKey)).toBe(true);
  expect(await isSignature(signature, Buffer.from("what is Signed"), publicKey)).toBe(false);
  expect(await isSignature(signature, bytes, await getPublicKeyAsync(new Uint8Array(32).fill(4)))).toBe(false);
  expect(await isSignature(signature.subarray(1), bytes, publicKey)).toBe(false);
  for (let bit = 0; bit < 8 * signature.length; bit++) {
    const changed = signature.slice();
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(await isSignature(changed, bytes, publicKey)).toBe(false);
  }
});

test("under what is no key nothing is a signature", async () => {
  // Neither is a point of the curve, or written as one is.
  for (const none of [new Uint8Array(32).fill(2), new Uint8Array(32).fill(255)])
    expect(await isSignature(signature, bytes, none)).toBe(false);
});

/** The order of the base point (RFC 8032 §5.1). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const number = (little: Uint8Array): bigint => BigInt(`0x${Buffer.from(little).reverse().toString("hex")}`);
const written = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
/** A point of order 8. */
const TORSION = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";

test("a signature is written in one way: whoever has one makes no second one of it", async () => {
  const again = Buffer.concat([signature.subarray(0, 32), written(number(signature.subarray(32)) + ORDER)]);
  expect(await isSignature(again, bytes, publicKey)).toBe(false);
});

test("under a key of small order, however it is written, nothing is a signature", async () => {
  const zeros = "0".repeat(62);
  const small = [
    ...[`01${zeros}`, `01${zeros.slice(2)}80`, `00${zeros}`, `00${zeros.slice(2)}80`],
    ...[`ec${"ff".repeat(30)}7f`, `ed${"ff".repeat(30)}7f`, `ed${"ff".repeat(31)}`, `ee${"ff".repeat(30)}7f`],
    ...[TORSION, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"],
  ].map((hex) => Buffer.from(hex, "hex"));
  // Of eight texts one at least is signed so, for whoever does not look at the key.
  for (const key of small)
    for (const text of "abcdefghijklmnop")
      for (const point of [small[0] as Buffer, key])
        expect(await isSignature(Buffer.concat([point, written(0n)]), Buffer.from(text), key)).toBe(false);
});

test("a point that is beside the group of the base point signs nothing", async () => {
  const secret = 12345678901234567890n;
  const once = 987654321n;
  const key = Point.BASE.multiply(secret).toBytes();
  const signed = (point: Uint8Array): Buffer => {
    const challenge = number(hash("sha512", Buffer.concat([point, key, bytes]), "buffer")) % ORDER;
    return Buffer.concat([point, written((once + challenge * secret) % ORDER)]);
  };
  const point = Point.BASE.multiply(once);
  expect(await isSignature(signed(point.toBytes()), bytes, key)).toBe(true);
  // The library alone takes it, as RFC 8032 leaves open; others do not.
  expect(await isSignature(signed(point.add(Point.fromHex(TORSION)).toBytes()), bytes, key)).toBe(false);
});
