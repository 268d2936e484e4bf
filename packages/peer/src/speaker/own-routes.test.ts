// What a node offers itself: what its plugins ask for is put right or refused here, or every peer would refuse it.

import { expect, test } from "bun:test";
import { bytes } from "../session/session.fixture.ts";
import type { Leaf } from "../wire/message.ts";
import type { RouteName } from "../wire/names.ts";
import { identity, Speakers, timing } from "./speakers.fixture.ts";

function pair(): Speakers {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  speakers.join("a", "b");
  return speakers;
}

function offer(speakers: Speakers, announce: readonly Leaf[], withdraw: readonly RouteName[] = []): void {
  speakers.tell("a", { type: "originate", announce, withdraw });
  speakers.run();
}

const known = (speakers: Speakers, node: string) => [...speakers.speaker(node).rib.names()].sort();

test("a name that is withdrawn and announced in one input is offered, as in an update (RFC 4271 §4.3)", () => {
  for (const digest of ["", bytes("another")]) {
    const speakers = pair();
    speakers.originate("a", "action:greet");
    offer(speakers, [["action:greet", digest]], ["action:greet"]);
    expect(speakers.speaker("b").best("action:greet")?.digest).toBe(digest);
    offer(speakers, [], ["action:greet"]);
    expect(known(speakers, "b")).toEqual([]);
  }
});

test("a name that is announced twice in one input is offered once, as it was said last", () => {
  const speakers = pair();
  offer(speakers, [
    ["action:greet", ""],
    ["action:other", ""],
    ["action:greet", bytes("another")],
  ]);
  expect(known(speakers, "b")).toEqual(["action:greet", "action:other"]);
  expect(speakers.speaker("b").best("action:greet")?.digest).toBe(bytes("another"));
});

test("another promise is another route, told on and forgotten like it", () => {
  const speakers = pair();
  const promised = () => speakers.speaker("b").best("action:greet")?.repeatable;
  for (const leaf of [
    ["action:greet", ""],
    ["action:greet", "", "idempotent"],
    ["action:greet", "", "read-only"],
    ["action:greet", ""],
  ] as const) {
    offer(speakers, [leaf]);
    expect(promised()).toBe((leaf as Leaf)[2]);
  }
});

test("what no peer would take is not offered, and said; its siblings are offered", () => {
  const speakers = pair();
  const bad: readonly Leaf[] = [
    ["action:two words", ""],
    ["greet", ""],
    ["action:", ""],
    [`action:${"x".repeat(256)}`, ""],
    ["action:\ud800", ""],
    ["action:digest", "not one"],
    ["action:promise", "", "harmless" as "idempotent"],
    ["action:promise", "", undefined] as unknown as Leaf,
  ];
  offer(speakers, [["action:good", ""], ...bad]);
  for (const node of ["a", "b"]) expect(known(speakers, node)).toEqual(["action:good"]);
  const told = speakers.events.flatMap(({ at, event }) =>
    event.kind === "not-offered" ? [`${at}: ${event.text}`] : [],
  );
  expect(told).toHaveLength(bad.length);
  expect(told[0]).toBe('a: "action:two words" is not a route\'s name, such as `action:greet`');
  expect(told.at(-1)).toBe('a: "action:promise" is promised to be something else than idempotent or read-only');
  expect(told.at(-3)).toBe('a: "action:digest" has a digest that is not 32 bytes in base64url, or ""');
  expect(speakers.events.filter(({ event }) => event.kind === "malformed")).toEqual([]);
});

test("what is withdrawn and announced as it was is not told anew", () => {
  const speakers = pair();
  speakers.originate("a", "action:greet");
  speakers.pass(10_000); // so that another signature would be another
  speakers.sent.length = 0;
  offer(speakers, [["action:greet", ""]], ["action:greet"]);
  expect(speakers.sent).toEqual([]);
});

test("signatures hold for half of their lifetime at least, at any time, and are made no more often than that", () => {
  const speakers = new Speakers();
  const { sign } = identity("a");
  let signed = 0;
  speakers.start("a", {
    sign: (bytes) => {
      signed += 1;
      return sign(bytes);
    },
  });
  speakers.start("b");
  speakers.join("a", "b");
  speakers.originate("a", "action:greet");
  signed = 0;
  for (let part = 0; part < 20; part++) {
    speakers.pass(timing.lifetime * 100);
    const expires = speakers.speaker("b").best("action:greet")?.attributes.chunk.claim.expires as number;
    expect(expires - speakers.at.wall).toBeGreaterThanOrEqual(timing.lifetime / 2 - 1);
  }
  expect(signed).toBe(4);
});

test("a clock that is set does not leave peers with signatures that have expired, or that hold for too long", () => {
  const DAY = 86_400;
  for (const wrong of [-30 * DAY, 30 * DAY]) {
    const speakers = new Speakers();
    for (const node of ["a", "b"]) speakers.start(node);
    const { at } = speakers;
    const { now, wall } = at;
    speakers
      .speaker("a")
      .handle({ type: "originate", announce: [["action:greet", ""]], withdraw: [] }, { now, wall: wall + wrong });
    speakers.join("a", "b");
    expect(speakers.way("b", "action:greet")).toBeUndefined();
    speakers.pass(timing.holdTime);
    expect(speakers.way("b", "action:greet")).toBe("a: a");
  }
});

test("a large table is told in parts, each at once after the one before: others are heard between them", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  const routes = Array.from({ length: 6000 }, (_, n) => [`action:task-${n}`, ""] as const);
  speakers.tell("a", { type: "originate", announce: routes, withdraw: [] });
  speakers.join("a", "b");
  const told = known(speakers, "b").length;
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(routes.length);
  expect(speakers.speaker("a").deadline()).toBeLessThanOrEqual(speakers.now);
  speakers.pass(0);
  expect(known(speakers, "b")).toHaveLength(routes.length);
});
