// RFC 4724: what is kept of a peer that is gone, for how long, and that nobody else hears of it.

import { expect, test } from "bun:test";
import { Speakers, timing } from "./speakers.fixture.ts";

test("what a peer that fell silent had goes when its time is over since it was heard", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b", "c"]) speakers.start(node);
  speakers.join("a", "b");
  speakers.join("b", "c");
  speakers.originate("a", "action:greet");
  speakers.crash("b", false);
  speakers.pass(timing.restartTime - timing.holdTime / 3 - 1_000);
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
  speakers.pass(timing.holdTime / 3 + 2_000);
  expect(speakers.way("c", "action:greet")).toBeUndefined();
});

test("of what went while we did not run, the time counts from when we did", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b", "c"]) speakers.start(node);
  speakers.join("a", "b");
  speakers.join("b", "c");
  speakers.originate("a", "action:greet");
  // Nothing runs for half of the hold time, nor does b ever again, which c hears when it does.
  const stopped = speakers.now;
  speakers.now += timing.holdTime / 2;
  speakers.crash("b");
  speakers.pass(stopped + timing.restartTime - 1_000 - speakers.now);
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
  speakers.pass(1_001);
  expect(speakers.way("c", "action:greet")).toBeUndefined();
});

test("and of what was there again since, from when it went", () => {
  const speakers = new Speakers();
  for (const node of ["b", "c"]) speakers.start(node);
  speakers.join("b", "c");
  speakers.now += timing.holdTime / 2;
  speakers.crash("b", false);
  speakers.start("b");
  speakers.originate("b", "action:own");
  speakers.peer("b", "c");
  speakers.run();
  speakers.crash("b");
  speakers.pass(timing.restartTime - 1_000);
  expect(speakers.way("c", "action:own")).toBe("b: b");
});

test("RFC 4724 §4.1: a restart in a ring withdraws nothing, whichever of its peers is there first", () => {
  const ring = ["a", "b", "c", "d"];
  const next = (node: string): string => ring[(ring.indexOf(node) + 1) % 4] as string;
  const before = (node: string): string => ring[(ring.indexOf(node) + 3) % 4] as string;
  for (const node of ring) {
    for (const [first, second] of [
      [next(node), before(node)],
      [before(node), next(node)],
    ] as const) {
      const speakers = new Speakers();
      for (const one of ring) speakers.start(one);
      for (const one of ring) speakers.join(one, next(one));
      for (const one of ring) speakers.originate(one, `action:${one}`, "action:both");
      speakers.crash(node);
      speakers.sent.length = 0;
      speakers.start(node);
      speakers.originate(node, `action:${node}`, "action:both");
      speakers.cut(node, second);
      for (const peer of [first, second]) speakers.peer(node, peer);
      speakers.pass(10_000);
      speakers.heal(node, second);
      speakers.pass(40_000);
      expect(ring.map((one) => speakers.established(one, next(one)))).toEqual([true, true, true, true]);
      const withdrawn = speakers.sent.filter(
        ({ type, text }) => type === "update" && JSON.parse(text).withdraw.length > 0,
      );
      expect(withdrawn.map(({ from, to, text }) => `${from} ${to} ${text}`)).toEqual([]);
    }
  }
});
