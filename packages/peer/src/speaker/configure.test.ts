// Peers that are configured, otherwise, wrongly, stopped and removed, in whatever state they are.

import { describe, expect, test } from "bun:test";
import { bytes } from "../session/session.fixture.ts";
import type { PeerConfig, SpeakerConfig } from "./speaker-config.ts";
import { everything, identity, limits, Speakers, timing } from "./speakers.fixture.ts";

function pair(): Speakers {
  const speakers = new Speakers();
  for (const node of ["a", "b"]) speakers.start(node);
  speakers.join("a", "b");
  return speakers;
}

const connection = (speakers: Speakers) => speakers.speaker("a").session("b")?.connection;
const dials = (speakers: Speakers, run: () => void): number => {
  const before = speakers.events.length;
  run();
  speakers.run();
  return speakers.events.slice(before).filter(({ at, event }) => at === "a" && event.kind === "session").length;
};

describe("a configuration that is wrong", () => {
  test.each<[string, Partial<PeerConfig>, string]>([
    ["a short secret", { secrets: [Buffer.alloc(31)] }, "has 31 bytes"],
    ["no secret", { secrets: [] }, "0 were given"],
    ["three secrets", { secrets: [1, 2, 3].map((one) => Buffer.alloc(32, one)) }, "3 were given"],
    ["a key that is none", { keys: ["ed25519:abc"] }, "keys.0 is not 32 bytes in base64url"],
    ["no key", { keys: [] }, "keys"],
    ["a domain that is none", { domain: "acme corp" }, "domain is not an id"],
    ["our own id", { node: "b", keys: [identity("b").publicKey] }, "b is this node's own id"],
    ["an id that is none", { node: "n 1" }, "node is not an id"],
  ])("of a peer, %s: is refused, and the speaker goes on as it was", (_what, change, text) => {
    const speakers = pair();
    const before = connection(speakers);
    for (const node of ["a", "c"]) {
      expect(() => speakers.peer("b", node, change)).toThrow(text);
      expect([...speakers.speaker("b").peers()]).toEqual(["a"]);
    }
    speakers.originate("a", "action:greet");
    speakers.pass(2 * timing.holdTime);
    expect(speakers.way("b", "action:greet")).toBe("a: a");
    expect(connection(speakers)).toBe(before as string);
  });

  test.each<[string, Partial<SpeakerConfig>, string]>([
    ["an id that is none", { node: "n 1" }, "node is not an id"],
    ["a name for people that is too long", { name: "x".repeat(65) }, "name has more than 64 characters"],
    ["a key that is none", { key: "abc" }, "key is not 32 bytes in base64url"],
    ["an epoch that is none", { epoch: -1 }, "epoch is under 0"],
    ["a restart time that no capability can say", { timing: { ...timing, restartTime: 4_096_000 } }, "4095"],
    ["a hold time that no open can say", { timing: { ...timing, holdTime: 65_536_000 } }, "65535"],
    ["chunks that nobody reads", { chunkSize: 1_025 }, "1024"],
  ])("of the speaker, %s: is refused at once, or every peer would refuse its open", (_what, change, text) => {
    expect(() => new Speakers().start("a", change)).toThrow(text);
  });
});

describe("a peer that is configured otherwise", () => {
  test("in its policies alone waited no longer for its next dial, nor for a limit's end", () => {
    const speakers = new Speakers();
    speakers.start("a");
    speakers.peer("a", "b", { address: "b" });
    speakers.pass(100_000);
    for (let count = 0; count < 20; count++) {
      expect(dials(speakers, () => speakers.peer("a", "b", { address: "b", import: { clauses: [] } }))).toBe(0);
    }

    const limited = new Speakers();
    for (const node of ["a", "b"]) limited.start(node);
    const few = { ...limits, routes: { routes: 1, warnAt: 1, then: "restart", restartAfter: 300_000 } } as const;
    limited.peer("a", "b");
    limited.peer("b", "a", { limits: few });
    limited.run();
    limited.originate("a", "action:1", "action:2");
    limited.peer("b", "a", { limits: few, import: { clauses: [] } });
    limited.pass(200_000);
    expect(limited.established("b", "a")).toBe(false);
    limited.pass(200_000);
    expect(limited.events.filter(({ at, event }) => at === "b" && event.kind === "established").length).toBe(2);
  });

  test("in what may have kept it away is tried at once", () => {
    for (const change of [{ address: "b" }, { secrets: [Buffer.alloc(32, 1)] }, { keys: [bytes("next")] }]) {
      const speakers = new Speakers();
      speakers.start("a");
      speakers.peer("a", "b", { address: "elsewhere" });
      speakers.pass(100_000);
      expect(dials(speakers, () => speakers.peer("a", "b", { address: "elsewhere", ...change }))).toBe(1);
    }
  });

  test("so that what was agreed on does not hold, begins anew; so that it does, stays", () => {
    const changes: readonly [Partial<PeerConfig>, boolean][] = [
      [{ domain: "elsewhere" }, false],
      [{ keys: [bytes("another")] }, false],
      [{ required: ["route-refresh"] }, false],
      [{ keys: [bytes("next"), identity("b").publicKey] }, true],
      [{ secrets: [Buffer.alloc(32, 1)], address: "elsewhere" }, true],
    ];
    for (const [change, stays] of changes) {
      const speakers = pair();
      const before = connection(speakers);
      speakers.sent.length = 0;
      speakers.peer("a", "b", change);
      const codes = speakers.sent.flatMap(({ from, text }) => (from === "a" ? [JSON.parse(text).subcode] : []));
      expect(codes.includes("configuration-change")).toBe(!stays);
      expect(connection(speakers) === before).toBe(stays);
    }
  });

  test("with an address or without one, from one attempt to the next", () => {
    const speakers = new Speakers();
    for (const node of ["a", "b"]) speakers.start(node);
    speakers.peer("b", "a");
    speakers.peer("a", "b", { address: undefined });
    speakers.pass(60_000);
    expect(connection(speakers)).toBeUndefined();
    speakers.peer("a", "b", { address: "b" });
    speakers.run();
    const first = connection(speakers);
    expect(first).toBeDefined();
    speakers.peer("a", "b", { address: undefined });
    speakers.peer("b", "a", { address: "a" });
    speakers.run();
    expect(connection(speakers)).toBe(first as string);
    speakers.tell("b", { type: "stop-peer", node: "a" });
    speakers.run();
    speakers.pass(300_000);
    speakers.tell("b", { type: "start-peer", node: "a" });
    speakers.run();
    expect(connection(speakers)).toStartWith("b#");
  });
});

test("a node whose count of starts went back stood there with all its routes void, and was told nothing", () => {
  for (const told of [true, false]) {
    const speakers = new Speakers();
    speakers.start("b");
    speakers.start("a", { epoch: 7 });
    speakers.join("a", "b");
    speakers.crash("a", told);
    speakers.start("a", { epoch: 6 });
    speakers.peer("a", "b");
    speakers.run();
    const [said] = speakers.events.filter(({ at }) => at === "a").slice(-1);
    expect(said?.event).toMatchObject({
      ...{ kind: "session", peer: "b" },
      reason: { kind: "was-notified", code: "open-error", subcode: "old-epoch" },
    });
    expect(speakers.established("b", "a")).toBe(!told);
    speakers.crash("a");
    speakers.start("a", { epoch: 8 });
    speakers.originate("a", "action:greet");
    speakers.peer("a", "b");
    speakers.pass(10_000);
    expect(speakers.way("b", "action:greet")).toBe("a: a");
  }
});

test("one that was put back, and may come again: with what it has, and nothing is held against it", () => {
  for (const dialler of ["a", "b"] as const) {
    const [told, other] = dialler === "a" ? ["b", "a"] : ["a", "b"];
    const speakers = new Speakers();
    speakers.start(told);
    speakers.start(other, { epoch: 7 });
    speakers.join("a", "b");
    speakers.originate(other, "action:greet");
    speakers.crash(other);
    speakers.start(other, { epoch: 5 });
    speakers.originate(other, "action:greet");
    speakers.peer(other, told);
    speakers.pass(300_000);
    expect(speakers.established(told, other)).toBe(false);
    const refused = speakers.events.flatMap(({ at, event }) =>
      at === told && event.kind === "session" && event.reason.kind === "complained" ? [event.reason] : [],
    );
    expect(refused.length).toBeGreaterThan(2);
    for (const reason of refused) expect(reason.rewound).toEqual({ epoch: 5, was: 7 });
    speakers.tell(told, { type: "forget-epoch", node: other });
    speakers.pass(61_000);
    expect(speakers.way(told, "action:greet")).toBe(`${other}: ${other}`);
    // And from now on by what it proved last.
    speakers.crash(other);
    speakers.start(other, { epoch: 4 });
    speakers.peer(other, told);
    speakers.pass(10_000);
    expect(speakers.established(told, other)).toBe(false);
  }
});

describe("a peer that is stopped or removed", () => {
  test("while it was away kept its stale routes", () => {
    for (const type of ["stop-peer", "remove-peer"] as const) {
      const speakers = pair();
      speakers.originate("a", "action:greet");
      speakers.crash("a");
      expect(speakers.way("b", "action:greet")).toBe("a: a");
      speakers.tell("b", { type, node: "a" });
      expect(speakers.way("b", "action:greet")).toBeUndefined();
    }
  });

  test("so did one whose key was taken away while it was away", () => {
    const speakers = pair();
    speakers.originate("a", "action:greet");
    speakers.crash("a");
    speakers.peer("b", "a", { keys: [identity("other").publicKey] });
    expect(speakers.way("b", "action:greet")).toBeUndefined();
  });

  test("while it is dialled, and added again at once: the first dial is nobody's", () => {
    const speakers = new Speakers();
    for (const node of ["a", "b"]) speakers.start(node);
    speakers.peer("b", "a");
    speakers.peer("a", "b");
    speakers.tell("a", { type: "remove-peer", node: "b" });
    speakers.peer("a", "b");
    speakers.run();
    speakers.pass(5_000);
    expect(speakers.established("a", "b") && speakers.established("b", "a")).toBe(true);
    expect(connection(speakers)).toBe(speakers.speaker("b").session("a")?.connection as string);
  });

  test("and stopped, then configured: stays stopped", () => {
    const speakers = pair();
    speakers.tell("a", { type: "stop-peer", node: "b" });
    speakers.peer("a", "b", { secrets: [Buffer.alloc(32, 1)], address: "elsewhere", domain: "b", import: everything });
    speakers.pass(100_000);
    expect(connection(speakers)).toBeUndefined();
    expect(speakers.speaker("a").peering("b")?.neighbor.running).toBe(false);
  });
});
