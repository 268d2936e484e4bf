import { expect, test } from "bun:test";
import { verifySignature } from "../proof/identity.ts";
import { announcement, type Leaf } from "../wire/message.ts";
import { claimBytes } from "./claim-text.ts";
import { identity, origin, routesOf } from "./origin.fixture.ts";
import { readChunk } from "./read-chunk.ts";
import { disclose, signChunks } from "./sign.ts";

const signed = (routes: readonly Leaf[], chunkSize?: number) =>
  signChunks(routes, chunkSize === undefined ? origin : { ...origin, chunkSize }, identity.sign);

test("routes are signed in chunks of 256, in the order of their names", () => {
  const chunks = signed(routesOf(600).toReversed());
  expect(chunks.map(({ claim }) => claim.size)).toEqual([256, 256, 88]);
  expect(chunks.flatMap(({ leaves }) => leaves)).toEqual([...routesOf(600)]);
});

test("what is signed is a text that anybody can write down", () => {
  const [chunk] = signed([["action:greet", ""]]);
  const { claim, root } = chunk!;
  const text = `capstan route origin/1\nn-tokyo\njapan\n${identity.publicKey}\n7\n10000\n1\n${root}\n`;
  expect(new TextDecoder().decode(claimBytes(claim, root))).toBe(text);
  expect(verifySignature(claim.key, new TextEncoder().encode(text), claim.signature)).toBe(true);
});

test("equal routes of one incarnation are signed to equal chunks", () => {
  expect(signed(routesOf(300).toReversed())).toEqual(signed(routesOf(300)));
});

test("a chunk is of 1 to 1024 leaves", () => {
  expect(signed(routesOf(3), 1).map(({ claim }) => claim.size)).toEqual([1, 1, 1]);
  expect(signed(routesOf(1025), 1024).map(({ claim }) => claim.size)).toEqual([1024, 1]);
  expect(signed([])).toEqual([]);
  for (const chunkSize of [0, 1025, Number.NaN, 2.5]) expect(() => signed(routesOf(3), chunkSize)).toThrow("1 to 1024");
});

test("one name with two digests is the caller's bug, and is not signed", () => {
  expect(() => signed([...routesOf(3), ...routesOf(1)])).toThrow("order of their names");
});

test("what is announced of a chunk is of the wire's form, and reads as the same claim under the same root", () => {
  const [chunk] = signed(routesOf(100));
  const { claim, root, leaves } = chunk!;
  const keep = new Set([leaves[3]![0] as string, leaves[77]![0] as string]);
  const frame = JSON.parse(JSON.stringify({ path: "japan", origin: claim, leaves: disclose(chunk!, keep) }));
  const reading = readChunk(announcement.parse(frame));
  expect(reading).toMatchObject({ ok: true, chunk: { claim, root } });
});

test("a transit node tells no more than it was told", () => {
  const [chunk] = signed(routesOf(100));
  const told = readChunk({ origin: chunk!.claim, leaves: disclose(chunk!, new Set(["action:report.00003"])) });
  if (!told.ok) throw new Error(told.text);
  const everything = new Set(routesOf(100).map(([name]) => name));
  expect(disclose(told.chunk, everything).filter(([name]) => typeof name === "string")).toHaveLength(1);
});

test("a chunk that is no tree is told so", () => {
  const [chunk] = signed(routesOf(4));
  expect(readChunk({ origin: chunk!.claim, leaves: routesOf(3) })).toEqual({
    ok: false,
    text: "fewer leaves than the chunk has",
  });
});
