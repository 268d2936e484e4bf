import { expect, test } from "bun:test";
import type { Attributes, Path } from "../rib/path.ts";
import { chunks } from "../rib/rib.fixture.ts";
import { wordsOf } from "../wire/words.ts";
import { LocRib } from "./loc-rib.ts";

const [chunk] = chunks("n-o", ["action:a"]);

function path(peer: string, length = 1): Path {
  const domains = wordsOf(Array.from({ length }, (_, hop) => `d-${hop}`));
  const attributes: Attributes = {
    peer,
    internal: false,
    path: domains,
    localPreference: 100,
    tags: "",
    chunk: chunk!,
  };
  return {
    name: "action:a",
    digest: "",
    repeatable: undefined,
    received: { ...attributes, uses: 1 },
    attributes,
    filtered: undefined,
    stale: false,
  };
}

test("alternatives stand behind the best, and the next one takes over when it goes", () => {
  const rib = new LocRib();
  const [first, second, third] = [path("n-1", 1), path("n-2", 2), path("n-3", 3)];
  for (const each of [second, third, first]) rib.change("action:a", undefined, each);
  expect(rib.candidates("action:a")).toEqual([first, second, third]);
  for (const gone of [first, third, second]) rib.change("action:a", gone, undefined);
  expect(rib.candidates("action:a")).toEqual([]);
  expect([...rib.names()]).toEqual([]);
});

test("whichever order paths come in, the order among them is the same", () => {
  const paths = [path("n-3", 2), path("n-1", 2), path("n-2", 1), path("n-4", 1)];
  const orders = [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [1, 3, 0, 2],
  ];
  for (const order of orders) {
    const rib = new LocRib();
    for (const each of order) rib.change("action:a", undefined, paths[each]);
    expect(rib.candidates("action:a").map(({ attributes }) => attributes.peer)).toEqual(["n-2", "n-4", "n-1", "n-3"]);
  }
});

test("a path that gets worse gives way to what was behind it", () => {
  const rib = new LocRib();
  const [good, other, worse] = [path("n-1", 1), path("n-2", 2), path("n-1", 3)];
  rib.change("action:a", undefined, good);
  rib.change("action:a", undefined, other);
  rib.change("action:a", good, worse);
  expect(rib.candidates("action:a")).toEqual([other, worse]);
});

test("changes are told once for a name, from what was told last to what is now", () => {
  const rib = new LocRib();
  const [first, better] = [path("n-2", 2), path("n-1", 1)];
  rib.change("action:a", undefined, first);
  rib.change("action:a", undefined, better);
  expect(rib.takeChanges()).toEqual([{ name: "action:a", before: undefined, now: better }]);
  expect(rib.takeChanges()).toEqual([]);
  rib.change("action:a", better, undefined);
  rib.change("action:a", undefined, better);
  expect(rib.takeChanges()).toEqual([]);
});

test("a change behind the best is none", () => {
  const rib = new LocRib();
  const heard: (Path | undefined)[] = [];
  rib.follow({ bestChanged: (_name, best) => heard.push(best) });
  const [best, behind] = [path("n-1", 1), path("n-2", 2)];
  rib.change("action:a", undefined, best);
  rib.change("action:a", undefined, behind);
  rib.change("action:a", behind, undefined);
  expect(heard).toEqual([best]);
});
