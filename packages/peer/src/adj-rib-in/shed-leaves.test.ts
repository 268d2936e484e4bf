import { expect, test } from "bun:test";
import { LocRib } from "../loc-rib/loc-rib.ts";
import type { Chunk } from "../origin/chunk.ts";
import { readChunk } from "../origin/read-chunk.ts";
import { KnownPeer } from "../rib/known-peer.ts";
import { announce, Bench, config, digestOf, namesIn, peer, policy, update, WALL } from "../rib/rib.fixture.ts";
import { Intake } from "./intake.ts";

const name = (at: number): string => `action:r${String(at).padStart(5, "0")}`;

/** Each announcement is of `size` routes, of which the next takes all but the first. */
function creep(bench: Bench, announcements: number, size: number): void {
  for (let from = 0; from < announcements; from += 1) {
    const routes = Array.from({ length: size }, (_, at): [string, string] => [name(from + at), digestOf(String(from))]);
    bench.receive("n-1", announce("n-1", routes, { chunkSize: size }));
  }
}

const leavesKept = (bench: Bench): number => {
  const chunks = new Set<Chunk>();
  for (const { received, attributes } of bench.rib.received("n-1")) chunks.add(received.chunk).add(attributes.chunk);
  for (const { chunk } of bench.rib.advertised("n-2")) chunks.add(chunk);
  return [...chunks].reduce((sum, { leaves }) => sum + leaves.length, 0);
};

test("a peer whose every route keeps a chunk of others alive is bounded by its routes all the same", () => {
  const tag = policy({ name: "tag", then: "accept", set: { addTags: ["t"] } });
  const bench = new Bench().open(peer("n-1", { import: tag }), peer("n-2"));
  creep(bench, 400, 64);
  const paths = [...bench.rib.received("n-1")].length;
  expect(paths).toBe(463);
  bench.drain("n-2");
  expect(leavesKept(bench)).toBeLessThan(16_384 + 10 * paths);
  expect(leavesKept(bench)).toBeLessThan(400 * 32);
});

test("nothing else about them changes: nobody is told anything, and what is told later is as well signed as before", () => {
  const bench = new Bench().open(peer("n-1"), peer("n-2"));
  creep(bench, 280, 64);
  bench.drain("n-2");
  bench.rib.takeChanges();
  const before = [...bench.rib.received("n-1")];
  const cut = bench.path(name(0), "n-1")!.received.chunk.leaves.length;
  expect(cut).toBeLessThan(16);
  expect([...bench.rib.received("n-1")]).toEqual(before);
  expect(bench.rib.pending("n-2")).toBe(false);
  bench.open(peer("n-3"));
  const { announce: told } = bench.drain("n-3");
  expect(namesIn(told)).toHaveLength(280 + 63);
  for (const one of told) expect(readChunk(one).ok).toBe(true);
  bench.rib.closePeer("n-1", undefined, bench.at);
  expect([...bench.rib.names()]).toEqual([]);
});

test("a chunk that is used for the most part stays whole", () => {
  const bench = new Bench().open(peer("n-1"));
  bench.receive(
    "n-1",
    announce(
      "n-1",
      Array.from({ length: 100 }, (_, at) => name(at)),
    ),
  );
  const { chunk } = bench.path(name(0), "n-1")!.received;
  bench.receive("n-1", [], [name(1)]);
  creep(bench, 1, 1);
  for (let round = 0; round < 200; round += 1) {
    const routes = Array.from({ length: 100 }, (_, at): [string, string] => [name(1000 + at), digestOf(String(round))]);
    bench.receive("n-1", announce("n-1", routes));
  }
  expect(bench.path(name(50), "n-1")!.received.chunk).toBe(chunk);
});

test("chunks that were pruned are let go of, each as often as it was kept", () => {
  const intake = new Intake(config(), new LocRib());
  const known = new KnownPeer(peer("n-1"), "home", intake.chunks);
  const at = { now: 0, wall: WALL };
  const routes = (count: number, from: number, text: string) =>
    Array.from({ length: count }, (_, index): [string, string] => [name(from + index), digestOf(text)]);
  const receive = (of: readonly (readonly [string, string])[]) =>
    intake.receive(known, update(announce("n-1", of, { chunkSize: 1024 })), at);
  receive(routes(1024, 0, "first"));
  const { received } = known.in.get(name(0))!;
  for (let round = 0; round < 30; round += 1) receive(routes(1021, 3, String(round)));
  expect([0, 1, 2].map((index) => known.in.get(name(index))?.received)).toEqual([received, received, received]);
  expect(received.chunk.leaves.length).toBeLessThan(16);
  expect(intake.chunks.counts.chunks - intake.chunks.counts.idle).toBe(2);
  for (const path of known.in.values()) intake.remove(known, path);
  expect(intake.chunks.counts.chunks).toBe(intake.chunks.counts.idle);
});
