import { describe, expect, test } from "bun:test";
import type { ScriptEvent } from "../scenario/script.ts";
import { type Run, simulate } from "../simulate.ts";
import { type SmallScript, smallScript } from "../small-script.fixture.ts";
import type { Lie, ObservedBest } from "../world.ts";
import { LIES, type LieKind } from "./lies.ts";

// The victim is three domains away from `b` over honest nodes, and as far over the liar, which has a session with `b`.
const NAME = "action:victim.x";
const around: SmallScript = {
  links: ["victim-c", "c-a", "a-b", "liar-c", "liar-b"],
  routes: { victim: [NAME], liar: ["action:liar.x"] },
  liars: ["liar"],
};
const lieAt = (at: number, ...kinds: LieKind[]): ScriptEvent => ({ at, type: "lie", node: "liar", kinds });
const run = (events: readonly ScriptEvent[], more: Partial<SmallScript> = {}): Run =>
  simulate(smallScript({ ...around, events, ...more }));
const bestOf = ({ observed }: Run, node: string, name = NAME): ObservedBest | undefined =>
  observed.find((one) => one.node === node)?.best.find((best) => best.name === name);
const lieTo = ({ world }: Run, to: string, name = NAME): Lie | undefined =>
  world.lies.find((lies) => lies.to === to)?.routes.find((lie) => lie.name === name);

const outcomes: Record<LieKind, "refused" | "taken" | "taken, and too long"> = {
  hijack: "refused",
  "borrowed-id": "refused",
  forged: "refused",
  altered: "refused",
  // The origin's signature is genuine, and says nothing of the way to it: a path is as true as the neighbours are.
  leak: "taken, and too long",
  shorten: "taken",
  replay: "taken",
  endless: "refused",
  loop: "refused",
  "first-domain": "refused",
  "last-domain": "refused",
  malformed: "refused",
  expired: "refused",
  promise: "refused",
};

describe("a lie", () => {
  for (const kind of LIES) {
    test(`of the kind "${kind}" is ${outcomes[kind]}`, () => {
      const result = run([lieAt(20_000, kind)]);
      expect(result.violations).toEqual([]);
      const taken = outcomes[kind] === "taken";
      expect(bestOf(result, "b")).toMatchObject({ origin: "victim", peer: taken ? "liar" : "a" });
      const promised = "action:liar.promised";
      expect(bestOf(result, "b", promised)).toBeUndefined();
      // It was told, and is known from the wire, except where it was nothing that can be told.
      const lie = lieTo(result, "b", kind === "expired" || kind === "promise" ? promised : NAME);
      if (kind === "malformed") expect(lie).toBeUndefined();
      else expect(lie).toBeDefined();
      if (outcomes[kind] !== "refused") expect(lie?.genuine).toBe(true);
      // The session lives, and so do the liar's honest words beside it (RFC 7606 §2).
      expect(result.observed.find(({ node }) => node === "b")?.sessions).toContain("liar");
      expect(bestOf(result, "b", "action:liar.x")).toMatchObject({ peer: "liar", origin: "liar" });
    });
  }

  test("that only a forged signature stands behind is not genuine to the reader of the wire", () => {
    for (const kind of ["borrowed-id", "forged", "altered", "promise"] as const) {
      const lie = lieTo(run([lieAt(20_000, kind)]), "b", kind === "promise" ? "action:liar.promised" : NAME);
      expect(lie?.genuine).toBe(false);
    }
  });

  test("that replays an earlier incarnation's word is refused by whoever heard of the later one", () => {
    const restart: ScriptEvent = { at: 10_000, type: "planned-restart", node: "victim", until: 12_000 };
    const result = run([restart, lieAt(20_000, "replay")]);
    expect(lieTo(result, "b")).toMatchObject({ epoch: 1, genuine: true });
    expect(bestOf(result, "b")).toMatchObject({ peer: "a", epoch: 2 });
  });

  test("that replays what was withdrawn in the same incarnation is taken until it expires", () => {
    const withdraw: ScriptEvent = { at: 15_000, type: "originate", node: "victim", announce: [], withdraw: [NAME] };
    const result = run([withdraw, lieAt(20_000, "replay")]);
    expect(bestOf(result, "b")).toMatchObject({ peer: "liar", origin: "victim" });
    const short = { lifetime: 60, maxLifetime: 120, tolerance: 5 };
    // Withdrawn for good: the origin renews its signatures without it.
    expect(bestOf(run([withdraw, lieAt(20_000, "replay")], { timing: short, quietAt: 60_000 }), "b")).toBeUndefined();
  });

  test("ends with the next one, and its honest words about the name stay back", () => {
    const result = run([lieAt(20_000, "shorten"), lieAt(25_000)]);
    expect(bestOf(result, "b")).toMatchObject({ peer: "a" });
    expect(lieTo(result, "b")).toBeUndefined();
  });

  test("is told again after the session was lost, and to whoever asks for the table again", () => {
    const cut: ScriptEvent = { at: 22_000, type: "cut", a: "b", b: "liar", kind: "reset", until: 24_000 };
    const refresh: ScriptEvent = { at: 29_000, type: "refresh-peer", node: "b", peer: "liar" };
    for (const event of [cut, refresh]) {
      expect(bestOf(run([lieAt(20_000, "shorten"), event]), "b")).toMatchObject({ peer: "liar" });
    }
  });
});

describe("a liar", () => {
  test("withdraws in vain what others announced", () => {
    // It knows of one name and lies about none, so that this one is left to withdraw.
    const result = run([lieAt(20_000)]);
    expect(bestOf(result, "b")).toMatchObject({ peer: "a", origin: "victim" });
    expect(bestOf(result, "c")).toMatchObject({ peer: "victim", origin: "victim" });
  });

  test("that says nonsense loses its session, and gets it back", () => {
    const nonsense = {
      "": "bad-message",
      '{"type":"update","seq":0': "bad-message",
      '{"type":"elephant","seq":0}': "bad-message-type",
    };
    for (const [text, subcode] of Object.entries(nonsense)) {
      const result = run([{ at: 20_000, type: "babble", node: "liar", text }]);
      expect(result.figures.complaints).toMatchObject({ [`complained message-header-error/${subcode}`]: 2 });
      expect(result.world.sessions).toContainEqual(["liar", "b"]);
      expect(result.observed.find(({ node }) => node === "b")?.sessions).toContain("liar");
    }
  });

  test("that claims to be somebody else gets no session, and does not disturb that one's", () => {
    const result = run([{ at: 20_000, type: "impersonate", node: "liar", victim: "a" }]);
    expect(result.observed.find(({ node }) => node === "b")?.sessions).toEqual(["a"]);
    expect(result.world.sessions).not.toContainEqual(["liar", "b"]);
    // Its offer is the other's to the last byte that is not secret, and all that is wrong is the proof.
    expect(result.figures.complaints["complained open-error/authentication-failure"]).toBeGreaterThan(1);
    expect(bestOf(result, "b", "action:liar.x")).toBeUndefined();
    // One session each of a-b, c-a and victim-c from the start to the end; two of the liar's, counted at both ends.
    expect(result.figures.established).toBe(10);
  });

  test("that flaps a hundred times a minute is damped where damping is on, and believed again when it has stopped", () => {
    const damping = { withdrawal: 1000, change: 500, suppressAt: 3000, reuseAt: 750, most: 6000, halfLife: 10_000 };
    const route = ["action:liar.flap", ""] as const;
    const flap: ScriptEvent = { at: 20_000, type: "flap", node: "liar", route, period: 600, until: 60_000 };
    const quietAt = 60_000;
    const damped = run([flap], { damping, quietAt });
    const undamped = run([flap], { quietAt });
    expect(damped.figures.routesWithdrawn).toBeLessThan(undamped.figures.routesWithdrawn / 2);
    for (const result of [damped, undamped]) {
      expect(bestOf(result, "b", "action:liar.flap")).toMatchObject({ peer: "liar" });
    }
  });
});
