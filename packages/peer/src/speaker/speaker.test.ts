// Speakers with each other: what the parts come to, and five faults that an earlier system of this kind had.

import { expect, test } from "bun:test";
import { everything, identity, limits, owner, pairSecret, Speakers, timing } from "./speakers.fixture.ts";

/** a – b – c, each a domain of its own. */
function line(): Speakers {
  const speakers = new Speakers();
  for (const node of ["a", "b", "c"]) speakers.start(node);
  speakers.join("a", "b");
  speakers.join("b", "c");
  return speakers;
}

function triangle(): Speakers {
  const speakers = line();
  speakers.join("a", "c");
  return speakers;
}

test("what one offers is known two peers away, by its path", () => {
  const speakers = line();
  speakers.originate("a", "action:greet");
  expect(speakers.way("b", "action:greet")).toBe("a: a");
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
  speakers.withdraw("a", "action:greet");
  expect(speakers.way("c", "action:greet")).toBeUndefined();
});

test("whoever comes later gets the whole table, and its end", () => {
  const speakers = line();
  speakers.originate("a", "action:greet", "topic:news");
  speakers.start("d");
  speakers.join("c", "d");
  expect(speakers.way("d", "topic:news")).toBe("c: c b a");
  const received = speakers.sent.filter(({ to }) => to === "d").map(({ type }) => type);
  expect(received).toEqual(["open", "proof", "update", "end-of-table"]);
});

test("two dials at once come to one session", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  speakers.peer("a", "b", { address: "b" });
  speakers.peer("b", "a", { address: "a" });
  speakers.pass(5_000);
  expect(speakers.established("a", "b")).toBe(true);
  const connections = (node: string, other: string) => speakers.speaker(node).session(other)?.connection;
  expect(connections("a", "b")).toBe(connections("b", "a") as string);
  // RFC 4271 §6.8: the one that the higher id dialled.
  expect(connections("a", "b")).toStartWith("b#");
});

test("an earlier system ignored a re-announcement of equal length: here it replaces", () => {
  const speakers = line();
  speakers.tell("a", { type: "originate", announce: [["action:greet", identity("one").publicKey]], withdraw: [] });
  speakers.run();
  const second = identity("two").publicKey;
  speakers.tell("a", { type: "originate", announce: [["action:greet", second]], withdraw: [] });
  speakers.run();
  expect(speakers.speaker("c").best("action:greet")?.digest).toBe(second);
});

test("an earlier system let any peer's withdrawal delete any route: here one withdraws its own", () => {
  const speakers = triangle();
  speakers.originate("a", "action:greet");
  const session = speakers.speaker("b").session("c");
  speakers.tell("c", {
    type: "received",
    connection: session?.connection as string,
    value: {
      type: "update",
      seq: speakers.speaker("c").session("b")?.received,
      withdraw: ["action:greet"],
      announce: [],
    },
  });
  speakers.run();
  expect(speakers.way("c", "action:greet")).toBe("a: a");
  expect(speakers.established("c", "b")).toBe(true);
});

test("an earlier system kept no alternatives: here a lost session falls over at once", () => {
  const speakers = triangle();
  speakers.originate("a", "action:greet");
  expect(speakers.way("c", "action:greet")).toBe("a: a");
  speakers.sent.length = 0;
  speakers.tell("a", { type: "stop-peer", node: "c" });
  speakers.run();
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
  expect(speakers.sent.filter(({ to, type }) => to === "c" && type === "update")).toEqual([]);
});

test("an earlier system replayed rejected routes after a restart: here they are judged again", () => {
  const speakers = new Speakers();
  speakers.start("a");
  speakers.start("b", { owners: [owner("z", "action:greet")] });
  speakers.join("a", "b");
  speakers.originate("a", "action:greet", "action:other");
  expect([speakers.way("b", "action:greet"), speakers.way("b", "action:other")]).toEqual([undefined, "a: a"]);
  speakers.crash("b");
  speakers.start("b", { owners: [owner("z", "action:greet")] });
  speakers.peer("b", "a");
  speakers.pass(10_000);
  expect([speakers.way("b", "action:greet"), speakers.way("b", "action:other")]).toEqual([undefined, "a: a"]);
});

test("an earlier system reused dead stubs: here nothing is sent on a connection that is gone", () => {
  const speakers = line();
  const dead = speakers.speaker("a").session("b")?.connection;
  speakers.crash("b");
  const effects = speakers.tell("a", { type: "originate", announce: [["action:late", ""]], withdraw: [] });
  expect(effects.filter(({ type }) => type === "send")).toEqual([]);
  speakers.start("b");
  speakers.peer("b", "a");
  speakers.pass(10_000);
  expect(speakers.way("b", "action:late")).toBe("a: a");
  expect(speakers.speaker("a").session("b")?.connection).not.toBe(dead as string);
});

test("RFC 4724: a node that restarts within the window causes no withdrawal, its transit routes included", () => {
  const speakers = line();
  speakers.originate("a", "action:greet");
  speakers.originate("b", "action:middle");
  speakers.sent.length = 0;
  speakers.crash("b");
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
  speakers.pass(2_000);
  speakers.start("b");
  speakers.peer("b", "a");
  speakers.peer("b", "c");
  speakers.originate("b", "action:middle");
  speakers.pass(30_000);
  expect(speakers.established("b", "c")).toBe(true);
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
  expect(speakers.way("c", "action:middle")).toBe("b: b");
  const withdrawn = speakers.sent.filter(({ type, text }) => type === "update" && JSON.parse(text).withdraw.length > 0);
  expect(withdrawn).toEqual([]);
  expect(
    speakers
      .speaker("c")
      .rib.pathsOf("action:greet")
      .some(({ stale }) => stale),
  ).toBe(false);
});

test("RFC 4724 §4.2: what a peer that came back does not announce again goes with its end-of-table", () => {
  const speakers = line();
  speakers.originate("b", "action:middle", "action:old");
  speakers.crash("b");
  speakers.start("b");
  speakers.peer("b", "a");
  speakers.peer("b", "c");
  speakers.originate("b", "action:middle");
  speakers.pass(90_000);
  expect([speakers.way("c", "action:middle"), speakers.way("c", "action:old")]).toEqual(["b: b", undefined]);
});

test("RFC 4724 §4.2: what a peer that stays away had goes when its time is over", () => {
  const speakers = line();
  speakers.originate("a", "action:greet");
  speakers.crash("b");
  speakers.pass(timing.restartTime - 1_000);
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
  speakers.pass(2_000);
  expect(speakers.way("c", "action:greet")).toBeUndefined();
});

test("RFC 4724: whoever asks for no time has nothing kept when it is lost", () => {
  const speakers = new Speakers();
  speakers.start("a");
  speakers.start("b", { timing: { ...timing, restartTime: 0 } });
  speakers.join("a", "b");
  speakers.originate("a", "action:of-a");
  speakers.originate("b", "action:of-b");
  speakers.crash("b");
  expect(speakers.way("a", "action:of-b")).toBeUndefined();
});

test("RFC 4724 §4.2: of a peer that comes back and can restart gracefully no more nothing stale is kept", () => {
  const speakers = line();
  speakers.originate("b", "action:middle");
  speakers.crash("b");
  expect(speakers.way("c", "action:middle")).toBe("b: b");
  speakers.start("b", { timing: { ...timing, restartTime: 0 }, restarting: true });
  speakers.cut("a", "b"); // so that its table's end is not said
  speakers.peer("b", "a");
  speakers.peer("b", "c");
  speakers.pass(5_000);
  expect(speakers.established("c", "b")).toBe(true);
  expect(speakers.way("c", "action:middle")).toBeUndefined();
});

test("a peer that an operator stops keeps nothing with us", () => {
  const speakers = line();
  speakers.originate("a", "action:greet");
  speakers.tell("b", { type: "stop-peer", node: "c" });
  speakers.run();
  expect(speakers.way("c", "action:greet")).toBeUndefined();
  speakers.pass(600_000);
  expect(speakers.established("b", "c")).toBe(false);
  speakers.tell("b", { type: "start-peer", node: "c" });
  speakers.pass(90_000);
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
});

test("a peer that is removed is a stranger, and strangers learn nothing", () => {
  const speakers = line();
  speakers.tell("b", { type: "remove-peer", node: "a" });
  speakers.run();
  speakers.sent.length = 0;
  speakers.pass(60_000);
  expect(speakers.established("a", "b")).toBe(false);
  const told = speakers.sent.filter(({ from }) => from === "b").filter(({ to }) => to === "a");
  expect(told.length).toBeGreaterThan(0);
  for (const { text } of told) {
    expect(JSON.parse(text)).toEqual({
      ...{ type: "notification", seq: 0, code: "open-error", subcode: "authentication-failure" },
      reason: "the proof is wrong, of another exchange, or by a secret or a key that we do not have",
    });
  }
});

test("a pair's secret is rotated while the session lives, and the old one is then worth nothing", () => {
  const speakers = line();
  speakers.originate("a", "action:greet");
  const [old, next] = [pairSecret("a", "b"), Buffer.alloc(32, "next ")];
  const epochs = () => speakers.speaker("a").session("b")?.connection;
  const before = epochs();
  speakers.join("a", "b", { secrets: [old, next] });
  speakers.join("a", "b", { secrets: [next] });
  expect(epochs()).toBe(before as string);
  speakers.crash("a");
  speakers.start("a");
  speakers.peer("a", "b"); // with the old one
  speakers.pass(30_000);
  expect(speakers.established("a", "b")).toBe(false);
  speakers.peer("a", "b", { secrets: [next] });
  speakers.pass(120_000);
  expect(speakers.established("a", "b")).toBe(true);
});

test("a pinned key that is no more ends the session that it carried", () => {
  const speakers = line();
  speakers.peer("b", "a", { keys: [identity("other").publicKey] });
  speakers.run();
  expect(speakers.established("b", "a")).toBe(false);
});

test("a change of policy needs nothing sent again by the peer (soft reset), and goes on to the others", () => {
  const speakers = line();
  speakers.originate("a", "action:greet", "action:secret.key");
  speakers.sent.length = 0;
  const policy = {
    clauses: [{ name: "no secrets", then: "reject", match: { routes: ["action:secret.*"] } }, ...everything.clauses],
  } as const;
  speakers.peer("b", "a", { import: policy });
  speakers.run();
  expect(speakers.way("b", "action:secret.key")).toBeUndefined();
  expect(speakers.way("c", "action:secret.key")).toBeUndefined();
  const [filtered] = speakers.speaker("b").rib.pathsOf("action:secret.key");
  expect(filtered?.filtered).toEqual({ why: "import-policy", by: "no secrets" });
  speakers.peer("b", "a");
  speakers.run();
  expect(speakers.way("c", "action:secret.key")).toBe("b: b a");
  expect(speakers.sent.filter(({ from }) => from === "a")).toEqual([]);
});

test("RFC 8212: between domains nothing passes that no policy lets pass", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  speakers.join("a", "b", { import: { clauses: [] }, export: everything });
  speakers.originate("a", "action:greet");
  expect(speakers.way("b", "action:greet")).toBeUndefined();
  expect(speakers.speaker("b").rib.pathsOf("action:greet")[0]?.filtered).toEqual({
    why: "import-policy",
    by: "default",
  });
});

test("inside a domain everything passes, and nothing is passed on (split horizon, full mesh)", () => {
  const speakers = new Speakers();
  const none = { import: { clauses: [] }, export: { clauses: [] }, domain: "acme" };
  for (const node of ["a", "b", "c"]) speakers.start(node, { domain: "acme" });
  speakers.join("a", "b", none);
  speakers.join("b", "c", none);
  speakers.originate("a", "action:greet");
  expect([speakers.way("b", "action:greet"), speakers.way("c", "action:greet")]).toEqual(["a: ", undefined]);
  speakers.join("a", "c", none);
  expect(speakers.way("c", "action:greet")).toBe("a: ");
});

test("the limit of routes: restart ends the session, forgets its routes, and tries again later", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  const few = { ...limits, routes: { routes: 3, warnAt: 0.5, then: "restart", restartAfter: 300_000 } } as const;
  speakers.peer("a", "b");
  speakers.peer("b", "a", { limits: few });
  speakers.run();
  speakers.originate("a", "action:1", "action:2", "action:3", "action:4");
  expect(speakers.established("b", "a")).toBe(false);
  expect([...speakers.speaker("b").rib.names()]).toEqual([]);
  expect(speakers.events.some(({ event }) => event.kind === "limit" && event.then === "restart")).toBe(true);
  speakers.withdraw("a", "action:4");
  speakers.pass(600_000);
  expect(speakers.established("b", "a")).toBe(true);
  expect(speakers.way("b", "action:3")).toBe("a: a");
});

test("RFC 4486 §4, drop: there is no more than the limit, and the rest is asked for once there is room", () => {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  const few = { ...limits, routes: { routes: 4, warnAt: 0.5, then: "drop", restartAfter: 0 } } as const;
  speakers.peer("a", "b");
  speakers.peer("b", "a", { limits: few });
  speakers.run();
  speakers.originate("a", ...[1, 2, 3, 4, 5, 6].map((n) => `action:${n}`));
  expect([...speakers.speaker("b").rib.names()].length).toBe(4);
  speakers.withdraw("a", "action:1", "action:2", "action:3");
  expect([...speakers.speaker("b").rib.names()].sort()).toEqual(["action:4", "action:5", "action:6"]);
});

test("RFC 2918: a refresh brings the table again, and what is not in it goes (RFC 7313)", () => {
  const speakers = line();
  speakers.originate("a", "action:greet");
  speakers.sent.length = 0;
  speakers.tell("b", { type: "refresh-peer", node: "a" });
  speakers.run();
  const between = speakers.sent.filter(({ to, from }) => [to, from].sort().join("") === "ab").map(({ type }) => type);
  expect(between).toEqual(["route-refresh", "route-refresh", "update", "end-of-table"]);
  expect(speakers.way("c", "action:greet")).toBe("b: b a");
});

test("what we sign is signed anew before it expires", () => {
  const speakers = line();
  speakers.originate("a", "action:greet");
  const first = speakers.speaker("c").best("action:greet")?.attributes.chunk.claim.expires as number;
  speakers.pass(3 * timing.lifetime * 1000);
  const later = speakers.speaker("c").best("action:greet")?.attributes.chunk.claim.expires as number;
  expect(later).toBeGreaterThan(first + timing.lifetime);
});

test("many who dial and say nothing cost neither memory nor the peers", () => {
  const speakers = line();
  for (let i = 0; i < 1_000; i++) speakers.tell("a", { type: "accepted", connection: `stranger ${i}` });
  expect(speakers.events.filter(({ event }) => event.kind === "refused").length).toBe(1_000 - 64);
  speakers.pass(timing.openTime);
  expect(speakers.events.filter(({ event }) => event.kind === "refused").length).toBe(1_000);
  expect(speakers.established("a", "b")).toBe(true);
});

test("the interval between updates gathers what changes in it (RFC 4271 §9.2.1.1)", () => {
  const speakers = new Speakers();
  const slow = { timing: { ...timing, advertisementInterval: 1_000 } };
  for (const node of ["a", "b"]) speakers.start(node, slow);
  speakers.join("a", "b");
  speakers.sent.length = 0;
  speakers.pass(1_000);
  for (let n = 0; n < 10; n++) speakers.originate("a", `action:${n}`);
  speakers.pass(1_000);
  expect(speakers.sent.filter(({ type }) => type === "update").length).toBe(2);
  expect([...speakers.speaker("b").rib.names()].length).toBe(10);
});
