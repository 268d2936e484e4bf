import { expect, test } from "bun:test";
import { acceptorsProver, diallersProver, exchange, secret } from "../wire/golden.fixture.ts";
import { secretId } from "./create-prover.ts";
import { transcript } from "./transcript.ts";

/** The parts, by their lengths: what another implementation would do. */
function partsOf(bytes: Uint8Array): string[] {
  const parts: string[] = [];
  const view = Buffer.from(bytes);
  for (let at = 0; at < view.length; ) {
    const length = view.readUInt32BE(at);
    parts.push(view.toString("utf8", at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts;
}

test("the dialler's is the label, its role, both offers in canonical form, and the channel's binding", () => {
  const parts = partsOf(transcript("dialler", exchange, "tls-exporter:abc", undefined));
  expect(parts.map((part) => part.slice(0, 30))).toEqual([
    "capstan-peer/1",
    "dialler",
    '{"capabilities":[{"name":"grac',
    '{"capabilities":[{"name":"grac',
    "tls-exporter:abc",
  ]);
  expect(JSON.parse(parts[2] as string)).toEqual(exchange.dialler as never);
  expect(JSON.parse(parts[3] as string)).toEqual(exchange.acceptor as never);
});

test("the acceptor's is over the dialler's proof as well", () => {
  const proof = diallersProver.prove("dialler", exchange, secretId(secret));
  const parts = partsOf(transcript("acceptor", exchange, "", proof));
  expect(parts.slice(4)).toEqual(["", proof.secret, proof.mac, proof.signature]);
  expect(acceptorsProver.prove("acceptor", exchange, proof.secret, proof).mac).not.toBe(proof.mac);
});

test("RFC 8785: the order in which an offer's members came is not in it", () => {
  const turned = Object.fromEntries(Object.entries(exchange.dialler).reverse()) as typeof exchange.dialler;
  const other = transcript("dialler", { ...exchange, dialler: turned }, "", undefined);
  expect(Buffer.from(other)).toEqual(Buffer.from(transcript("dialler", exchange, "", undefined)));
});

test("no text moves from one part to the next", () => {
  const named = (name: string, binding: string) =>
    Buffer.from(transcript("dialler", { ...exchange, acceptor: { ...exchange.acceptor, name } }, binding, undefined));
  expect(named("a", "b").equals(named("ab", ""))).toBe(false);
});
