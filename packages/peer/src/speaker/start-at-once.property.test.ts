// Whoever starts again, one or many at once, whoever their neighbours are: those that stayed miss nothing meanwhile, tell
// nobody that anything is gone, and have the shortest ways in the end.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { NodeId } from "../wire/names.ts";
import { Speakers, timing } from "./speakers.fixture.ts";

const NODES = ["a", "b", "c", "d", "e", "f"] as const;
type Link = readonly [NodeId, NodeId];

/** A spanning tree, and some links more. */
const links: fc.Arbitrary<readonly Link[]> = fc
  .tuple(
    fc.tuple(...NODES.slice(1).map((_, at) => fc.nat(at))),
    fc.array(fc.tuple(fc.constantFrom(...NODES), fc.constantFrom(...NODES)), { maxLength: 4 }),
  )
  .map(([parents, more]) => {
    const all = new Map<string, Link>();
    const add = (one: NodeId, other: NodeId): void => {
      const link: Link = one < other ? [one, other] : [other, one];
      if (one !== other) all.set(link.join(), link);
    };
    for (const [at, parent] of parents.entries()) add(NODES[at + 1] ?? "a", NODES[parent] ?? "a");
    for (const [one, other] of more) add(one, other);
    return [...all.values()];
  });

const restarts = fc.array(fc.record({ node: fc.constantFrom(...NODES), after: fc.constantFrom(0, 1, 700, 5_000) }), {
  minLength: 1,
  maxLength: 5,
});

test("nothing is missed, and nothing withdrawn, by those that stayed", () => {
  const check = (graph: readonly Link[], plan: readonly { readonly node: NodeId; readonly after: number }[]): void => {
    const speakers = new Speakers();
    const begin = (node: NodeId): void => {
      speakers.start(node);
      speakers.originate(node, `action:${node}`);
      for (const [one, other] of graph) {
        if (one === node) speakers.peer(one, other);
        if (other === node) speakers.peer(other, one);
      }
    };
    for (const node of NODES) begin(node);
    speakers.pass(10_000);
    const ways = waysOf(speakers, NODES);
    expect(ways).not.toContain(undefined);
    const again = new Map(plan.map(({ node, after }) => [node, after]));
    const stayed = NODES.filter((node) => !again.has(node));
    for (const node of again.keys()) speakers.crash(node);
    speakers.sent.length = 0;
    const looked = (): void => expect(waysOf(speakers, stayed)).not.toContain(undefined);
    for (const [node, after] of again) {
      speakers.pass(after);
      looked();
      begin(node);
      looked();
    }
    const until = speakers.now + 2 * timing.deferral;
    while (speakers.step(until - speakers.now)) looked();
    expect(speakers.sent.filter(({ from, text }) => !again.has(from) && WITHDRAWS.test(text))).toEqual([]);
    expect(lengthsOf(waysOf(speakers, NODES))).toEqual(lengthsOf(ways));
  };
  fc.assert(fc.property(links, restarts, check), { numRuns: 150 });
});

const WITHDRAWS = /"withdraw":\[[^\]]/;

function waysOf(speakers: Speakers, nodes: readonly NodeId[]): readonly (string | undefined)[] {
  return nodes.flatMap((node) => NODES.map((other) => speakers.way(node, `action:${other}`)));
}

function lengthsOf(ways: readonly (string | undefined)[]): readonly (number | undefined)[] {
  return ways.map((way) => way?.split(" ").length);
}
