// RFC 4724 §4.1: after a start, end-of-table waits for that of the peers.

import { expect, test } from "bun:test";
import type { NodeId } from "../wire/names.ts";
import { Deferral } from "./deferral.ts";
import { Speakers, timing } from "./speakers.fixture.ts";

test("it was over before the first peer was configured, where anything else was said first", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b", "c"]) speakers.start(node);
  speakers.join("a", "b");
  speakers.join("b", "c");
  speakers.originate("a", "action:greet");
  speakers.cut("a", "b");
  speakers.crash("b");
  speakers.start("b");
  speakers.originate("b", "action:own");
  speakers.peer("b", "c");
  speakers.peer("b", "a");
  speakers.pass(20_000);
  expect(speakers.established("c", "b")).toBe(true);
  // a's table is not here yet: c is not told that b's is whole.
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
  speakers.heal("a", "b");
  speakers.pass(60_000);
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
});

test("it is over at its deadline, for peers that never come, and where there are none", () => {
  for (const peers of [[], ["b"]]) {
    const speakers = new Speakers();
    speakers.start("a", { restarting: true });
    for (const peer of peers) speakers.peer("a", peer);
    speakers.pass(timing.deferral + timing.backoff.last);
    const { deadline } = { deadline: speakers.speaker("a").deadline() };
    expect(deadline === undefined || deadline > speakers.now).toBe(true);
    expect(deadline === undefined).toBe(peers.length === 0);
  }
});

test("one that marks no end of its table is not waited for", () => {
  const speakers = new Speakers();
  speakers.start("a", { restarting: true });
  speakers.start("b", { timing: { ...timing, restartTime: 0 } });
  speakers.join("a", "b");
  expect(endTold(speakers, "a", "b")).toBe(true);
});

test("two that start again at once, and have nobody else, do not wait for each other", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node, { restarting: true });
  speakers.join("a", "b");
  expect(endTold(speakers, "a", "b")).toBe(true);
  expect(endTold(speakers, "b", "a")).toBe(true);
});

test("neighbours that start again at once, in a line, wait for what each of them alone can tell, and no longer", () => {
  const line = ["a", "b", "c", "d", "e"];
  const speakers = lineOf(line);
  speakers.cut("b", "c");
  speakers.cut("c", "d");
  for (const node of ["b", "c", "d"]) speakers.crash(node);
  for (const node of ["b", "c", "d"]) {
    speakers.start(node);
    speakers.originate(node, `action:${node}`);
  }
  speakers.peer("b", "c");
  speakers.peer("b", "a");
  speakers.peer("c", "d");
  speakers.peer("c", "b");
  speakers.peer("d", "c");
  speakers.peer("d", "e");
  speakers.pass(5_000);
  // b has heard a, and c is not there.
  expect(endTold(speakers, "b", "a")).toBe(false);
  speakers.heal("b", "c");
  speakers.pass(15_000);
  expect(endTold(speakers, "b", "c")).toBe(true);
  // c's own is here, and what it has of d is not.
  expect(endTold(speakers, "b", "a")).toBe(false);
  expect(speakers.way("a", "action:e")).toBe("b: b c d e");
  speakers.heal("c", "d");
  speakers.pass(15_000);
  for (const [from, to] of pairsOf(line.slice(1, 4))) {
    expect([endTold(speakers, from, to), endTold(speakers, to, from)]).toEqual([true, true]);
  }
  expect([endTold(speakers, "b", "a"), endTold(speakers, "d", "e")]).toEqual([true, true]);
  for (const node of ["a", "e"]) {
    expect(line.map((other) => speakers.way(node, `action:${other}`))).not.toContain(undefined);
  }
  expect(speakers.sent.filter(({ text }) => /"withdraw":\[[^\]]/.test(text))).toEqual([]);
});

test("a peer that was removed meanwhile, and added again later, was never told that a table was whole", () => {
  const speakers = new Speakers();
  speakers.start("a", { restarting: true });
  speakers.start("b");
  speakers.start("c");
  speakers.peer("a", "c");
  speakers.cut("a", "c");
  speakers.join("a", "b");
  expect(speakers.established("a", "b")).toBe(true);
  speakers.tell("a", { type: "remove-peer", node: "b" });
  speakers.pass(timing.deferral + 1);
  speakers.sent.length = 0;
  speakers.peer("a", "b");
  speakers.pass(60_000);
  expect(speakers.sent.some(({ from, to, type }) => from === "a" && to === "b" && type === "end-of-table")).toBe(true);
});

test("peers that are stopped are not waited for", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  speakers.start("c", { restarting: true });
  speakers.peer("a", "c");
  speakers.peer("c", "a");
  speakers.peer("c", "b");
  speakers.tell("c", { type: "stop-peer", node: "b" });
  speakers.run();
  expect(speakers.sent.some(({ from, type }) => from === "c" && type === "end-of-table")).toBe(true);
});

test("of peers that are heard and those that are not", () => {
  const deferral = new Deferral(true, 10);
  deferral.heard("a");
  expect([deferral.awaited(["a", "b"], 9), deferral.on]).toEqual([["b"], true]);
  expect([deferral.awaited(["a"], 9), deferral.on, deferral.deadline()]).toEqual([[], false, undefined]);
  const late = new Deferral(true, 10);
  expect([late.awaited([], 9), late.on, late.awaited(["a"], 10), late.on]).toEqual([[], true, [], false]);
});

test("what is kept from a peer: of one that waits as we do, at most that it is all", () => {
  const deferral = new Deferral(true, 10);
  deferral.met("up", { restarting: false, restartTime: 1 });
  deferral.met("new", { restarting: true, restartTime: 1 });
  expect(["up", "new"].map((node) => deferral.keptFrom(node, ["up", "new"]))).toEqual(["others", "end"]);
  expect(["up", "new"].map((node) => deferral.keptFrom(node, ["new"]))).toEqual(["others", "nothing"]);
  expect(["up", "new"].map((node) => deferral.keptFrom(node, []))).toEqual(["nothing", "nothing"]);
  deferral.met("new", { restarting: false, restartTime: 1 });
  expect(deferral.keptFrom("new", ["new"])).toBe("others");
});

function endTold(speakers: Speakers, from: NodeId, to: NodeId): boolean {
  return speakers.sent.some((sent) => sent.type === "end-of-table" && sent.from === from && sent.to === to);
}

/** Each peers with the next, and has `action:<its name>`; nothing of it is remembered as sent. */
function lineOf(nodes: readonly NodeId[]): Speakers {
  const speakers = new Speakers();
  for (const node of nodes) {
    speakers.start(node);
    speakers.originate(node, `action:${node}`);
  }
  for (const [one, next] of pairsOf(nodes)) speakers.join(one, next);
  speakers.sent.length = 0;
  return speakers;
}

function pairsOf(nodes: readonly NodeId[]): readonly (readonly [NodeId, NodeId])[] {
  return nodes.slice(1).map((next, at) => [nodes[at] ?? next, next] as const);
}
