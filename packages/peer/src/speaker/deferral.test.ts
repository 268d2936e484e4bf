// RFC 4724 §4.1: after a start, end-of-table waits for that of the peers.

import { expect, test } from "bun:test";
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

test("two that start again at once do not wait for each other, nor for one that marks no end", () => {
  for (const change of [{ restarting: true }, { timing: { ...timing, restartTime: 0 } }]) {
    const speakers = new Speakers();
    speakers.start("a", { restarting: true });
    speakers.start("b", { restarting: false, ...change });
    speakers.join("a", "b");
    expect(speakers.sent.some(({ from, type }) => from === "a" && type === "end-of-table")).toBe(true);
  }
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
  expect([deferral.ends(["a", "b"], 9), deferral.on]).toEqual([false, true]);
  expect([deferral.ends(["a"], 9), deferral.on, deferral.deadline()]).toEqual([true, false, undefined]);
  expect(deferral.ends(["a"], 99)).toBe(false);
  const late = new Deferral(true, 10);
  expect([late.ends([], 9), late.ends([], 10)]).toEqual([false, true]);
});
