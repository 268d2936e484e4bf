// A keepalive before its time, for whoever has something to say with one: as numbered as every other, and the timer runs from it.

import { expect, test } from "bun:test";
import { Speakers } from "./speakers.fixture.ts";

test("a keepalive is sent when the node wants one, and only over a session that there is", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  speakers.tell("a", { type: "keep-alive", node: "b" });
  expect(speakers.sent).toEqual([]);
  speakers.join("a", "b");
  speakers.sent.length = 0;
  speakers.tell("a", { type: "keep-alive", node: "b" });
  speakers.tell("a", { type: "keep-alive", node: "nobody" });
  expect(speakers.sent.map(({ from, to, type }) => `${from} ${to} ${type}`)).toEqual(["a b keepalive"]);
  // Both are still in step: what comes next is taken.
  speakers.originate("a", "action:greet");
  expect(speakers.way("b", "action:greet")).toBe("a: a");
});
