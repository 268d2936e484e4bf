// A host sleeps until the deadline, ticks, and sleeps again. So a tick at a deadline must move it on, whatever happened before,
// or the host turns in a circle; and somebody who is lost, stopped, cut off or refused must come back by ticks alone.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { NodeId } from "../wire/names.ts";
import { limits, Speakers, timing } from "./speakers.fixture.ts";

const NODES = ["a", "b", "c"] as const;
const node = fc.constantFrom<NodeId>(...NODES);
const names = fc.uniqueArray(fc.nat(6), { minLength: 1, maxLength: 3 });
const ALONE = ["crash", "vanish", "begin", "going-down", "stranger"] as const;

type Towards = (speakers: Speakers, node: NodeId, other: NodeId) => void;
const configured =
  (change: Parameters<Speakers["peer"]>[2]): Towards =>
  (speakers, node, other) =>
    speakers.peer(node, other, { address: other, ...change });
const told =
  (type: "stop-peer" | "start-peer" | "remove-peer" | "refresh-peer"): Towards =>
  (speakers, node, other) => {
    speakers.tell(node, { type, node: other });
  };
const FEW = { routes: 2, warnAt: 0.5, then: "restart", restartAfter: 5_000 } as const;
const TOWARDS = {
  cut: (speakers, node, other) => speakers.cut(node, other),
  heal: (speakers, node, other) => speakers.heal(node, other),
  stop: told("stop-peer"),
  start: told("start-peer"),
  remove: told("remove-peer"),
  refresh: told("refresh-peer"),
  add: configured({}),
  policy: configured({ import: { clauses: [] } }),
  few: configured({ limits: { ...limits, routes: FEW } }),
} satisfies Readonly<Record<string, Towards>>;

type Happening =
  | { readonly what: "pass"; readonly time: number }
  | { readonly what: (typeof ALONE)[number]; readonly node: NodeId }
  | { readonly what: keyof typeof TOWARDS; readonly node: NodeId; readonly other: NodeId }
  | { readonly what: "offer" | "withdraw"; readonly node: NodeId; readonly names: readonly number[] };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ what: fc.constant("pass" as const), time: fc.constantFrom(0, 1, 99, 1_000, 9_999, 90_000, 200_000) }),
  fc.record({ what: fc.constantFrom(...ALONE), node }),
  fc.record({ what: fc.constantFrom(...(Object.keys(TOWARDS) as (keyof typeof TOWARDS)[])), node, other: node }),
  fc.record({ what: fc.constantFrom("offer" as const, "withdraw" as const), node, names }),
);

class Life {
  readonly speakers = new Speakers();
  readonly #up = new Set<NodeId>();
  #strangers = 0;

  constructor() {
    for (const one of NODES) this.start(one);
    this.speakers.run();
  }

  start(one: NodeId): void {
    if (this.#up.has(one)) return;
    this.#up.add(one);
    this.speakers.start(one, { timing: { ...timing, advertisementInterval: 100 } });
    for (const other of NODES) if (other !== one) this.speakers.peer(one, other, { address: other });
  }

  live(one: Happening): void {
    if (one.what === "pass") this.pass(one.time);
    else {
      this.#act(one);
      this.speakers.run();
      this.#settled();
    }
  }

  #act(one: Exclude<Happening, { what: "pass" }>): void {
    const { speakers } = this;
    if (one.what === "begin") this.start(one.node);
    if (!this.#up.has(one.node)) return;
    if ("other" in one) {
      if (one.other !== one.node) TOWARDS[one.what](speakers, one.node, one.other);
    } else if ("names" in one) {
      const routes = one.names.map((name) => `action:${name}`);
      if (one.what === "offer") speakers.originate(one.node, ...routes);
      else speakers.withdraw(one.node, ...routes);
    } else if (one.what === "going-down") speakers.tell(one.node, { type: "going-down" });
    else if (one.what === "stranger") {
      speakers.tell(one.node, { type: "accepted", connection: `stranger ${this.#strangers++}` });
    } else if (one.what !== "begin") {
      this.#up.delete(one.node);
      speakers.crash(one.node, one.what === "crash");
    }
  }

  /** As `Speakers.pass`, but that each tick has to move its speaker's deadline. */
  pass(milliseconds: number): void {
    const { speakers } = this;
    const until = speakers.now + milliseconds;
    for (;;) {
      let next: [NodeId, number] | undefined;
      for (const one of this.#up) {
        const deadline = speakers.speaker(one).deadline();
        if (deadline !== undefined && (next === undefined || deadline < next[1])) next = [one, deadline];
      }
      if (next === undefined || next[1] > until) break;
      speakers.now = Math.max(speakers.now, next[1]);
      speakers.tell(next[0], { type: "tick" });
      const after = speakers.speaker(next[0]).deadline();
      if (after !== undefined && after <= speakers.now) throw new Error(`${next[0]} is due at once again`);
      speakers.run();
    }
    speakers.now = until;
  }

  /** After any input nothing is due in the past. */
  #settled(): void {
    const { speakers } = this;
    for (const one of this.#up) {
      speakers.tell(one, { type: "tick" });
      const deadline = speakers.speaker(one).deadline();
      if (deadline !== undefined && deadline <= speakers.now) throw new Error(`${one} is due after a tick`);
    }
    speakers.run();
  }

  /** Everybody is there, means to be, and can be reached. */
  recover(): void {
    for (const one of NODES) {
      this.start(one);
      for (const other of NODES) if (one < other) this.speakers.heal(one, other);
    }
    for (const one of NODES) {
      for (const other of NODES) {
        if (one === other) continue;
        this.speakers.peer(one, other, { address: other });
        this.speakers.tell(one, { type: "start-peer", node: other });
      }
    }
    this.speakers.run();
    this.pass(600_000);
  }
}

test("a tick at its deadline moves it on, and whatever happened, sessions and tables come back by ticks alone", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 25 }), (happenings) => {
      const life = new Life();
      for (const one of happenings) life.live(one);
      life.recover();
      for (const one of NODES) {
        life.speakers.originate(one, `action:of-${one}`);
      }
      life.pass(1_000);
      for (const one of NODES) {
        for (const other of NODES) {
          if (one === other) continue;
          expect(life.speakers.way(one, `action:of-${other}`)).toBe(`${other}: ${other}`);
        }
      }
    }),
    { numRuns: 60, seed: 5 },
  );
});
