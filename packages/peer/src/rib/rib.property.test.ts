// Whatever happens, in whatever order: the best paths are those of what is there, and what a peer was told is what it
// has.

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Owner } from "../policy/route-policy.ts";
import { separately } from "../simulator/liar/separately.ts";
import type { NodeId, RouteName } from "../wire/names.ts";
import { listOf } from "../wire/words.ts";
import type { RibPeer } from "./config.ts";
import type { Path } from "./path.ts";
import {
  type Announcing,
  announce,
  Bench,
  chunks,
  config,
  digestOf,
  keyOf,
  peer,
  policy,
  update,
} from "./rib.fixture.ts";
import { Rib } from "./rib.ts";

const NAMES = ["action:a", "action:b", "action:c", "action:owned.a", "action:owned.b", "topic:t"];
const owners: readonly Owner[] = [{ routes: ["action:owned.*"], node: "n-o1", keys: [keyOf("n-o1")] }];

const reject = (routes: string) => ({ name: `reject ${routes}`, then: "reject" as const, match: { routes: [routes] } });
const accept = { name: "accept", then: "accept" as const, unowned: true };
const POLICIES = [
  policy(accept),
  policy(reject("action:a"), accept),
  policy({ name: "prefer", then: "accept", match: { routes: ["action:*"] }, set: { localPreference: 200 } }, accept),
  policy({ ...accept, set: { addTags: ["seen"] } }),
];

const PEERS: readonly RibPeer[] = [
  peer("n-1"),
  peer("n-2"),
  peer("n-3", { domain: "home" }),
  peer("n-4", { domain: "home" }),
];
const nodeOf = (index: number): NodeId => PEERS[index]!.node;

type Operation =
  | { readonly do: "announce"; readonly peer: number; readonly names: number[]; readonly how: How }
  | { readonly do: "withdraw" | "malformed"; readonly peer: number; readonly names: number[] }
  | { readonly do: "open" | "end" | "refresh" | "resend"; readonly peer: number }
  | { readonly do: "close"; readonly peer: number; readonly graceful: boolean }
  | { readonly do: "configure"; readonly peer: number; readonly policies: readonly [number, number] }
  | { readonly do: "own"; readonly names: number[]; readonly gone: number[] }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "take"; readonly peer: number; readonly routes: number };

interface How {
  readonly origin: number;
  readonly hops: number;
  readonly epoch: number;
  readonly preference: number;
  readonly digest: number;
  readonly lies: boolean;
}

const peerIndex = fc.nat(PEERS.length - 1);
const names = fc.uniqueArray(fc.nat(NAMES.length - 1), { minLength: 1 });
const how: fc.Arbitrary<How> = fc.record({
  origin: fc.nat(2),
  hops: fc.nat(2),
  epoch: fc.constantFrom(1, 1, 1, 2),
  preference: fc.constantFrom(100, 100, 150),
  digest: fc.nat(1),
  lies: fc.nat(9).map((die) => die === 0),
});
const always = <const D extends string>(what: D) => fc.constant(what);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: always("announce"), peer: peerIndex, names, how }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("withdraw", "malformed"), peer: peerIndex, names }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("open", "end", "refresh", "resend"), peer: peerIndex }) },
  { weight: 2, arbitrary: fc.record({ do: always("close"), peer: peerIndex, graceful: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: always("configure"), peer: peerIndex, policies: fc.tuple(fc.nat(3), fc.nat(3)) }),
  },
  { weight: 1, arbitrary: fc.record({ do: always("own"), names, gone: names }) },
  { weight: 1, arbitrary: fc.record({ do: always("wait"), ms: fc.constantFrom(100, 5000, 130_000) }) },
  { weight: 3, arbitrary: fc.record({ do: always("take"), peer: peerIndex, routes: fc.integer({ min: 1, max: 4 }) }) },
);

/** The announcement that the indices stand for. */
function announcing(from: RibPeer, chosen: readonly RouteName[], { origin, hops, digest, lies, ...rest }: How) {
  const node = `n-o${origin}`;
  const between = Array.from({ length: hops }, (_, hop) => `d-hop${hop}`);
  const path = from.domain === "home" ? [...between, `d-${node}`] : [from.domain, ...between, `d-${node}`];
  const attributes: Announcing = {
    path,
    epoch: rest.epoch,
    localPreference: rest.preference,
    ...(lies ? { key: keyOf("a liar's") } : {}),
  };
  const leaves = chosen.map((name): [string, string] => [name, digestOf(String(digest))]);
  return announce(node, leaves, attributes);
}

/** Runs operations on a RIB, and says of each what it came to. */
class Run extends Bench {
  readonly peers = [...PEERS];
  own = 0;

  constructor() {
    super({ owners });
  }

  apply(step: Operation): void {
    const { rib } = this;
    switch (step.do) {
      case "announce": {
        const chosen = step.names.map((index) => NAMES[index]!);
        this.receive(nodeOf(step.peer), announcing(this.peers[step.peer]!, chosen, step.how));
        break;
      }
      case "withdraw":
      case "malformed": {
        const chosen = step.names.map((index) => NAMES[index]!);
        if (step.do === "withdraw") this.receive(nodeOf(step.peer), [], chosen);
        else this.malformed(nodeOf(step.peer), ...chosen);
        break;
      }
      case "open":
        this.open(this.peers[step.peer]!);
        break;
      case "end":
        rib.endOfTable(nodeOf(step.peer), this.at);
        break;
      case "refresh":
        rib.refreshBegins(nodeOf(step.peer), this.at);
        break;
      case "resend":
        rib.resend(nodeOf(step.peer));
        break;
      case "close":
        rib.closePeer(nodeOf(step.peer), step.graceful ? this.now + 3000 : undefined, this.at);
        break;
      case "configure": {
        const [imports, exports] = step.policies;
        const changed = { ...PEERS[step.peer]!, import: POLICIES[imports]!, export: POLICIES[exports]! };
        this.peers[step.peer] = changed;
        rib.reconfigure({ peers: [changed] }, this.at);
        break;
      }
      case "own": {
        this.own += 1;
        const routes = step.names.map((index): [string, string] => [NAMES[index]!, digestOf(`own ${this.own}`)]);
        const signed = chunks("n-home", routes, { domain: "home" });
        const gone = step.gone.map((index) => NAMES[index]!);
        rib.originate([], gone, this.at);
        rib.originate(signed, [], this.at);
        break;
      }
      case "wait":
        this.advanceTo(this.now + step.ms);
        break;
      case "take":
        rib.take(nodeOf(step.peer), step.routes);
        break;
      default:
        step satisfies never;
    }
  }
}

/**
 * What the decision compares, as one list of words and numbers. Written apart from decide-best.ts, to be compared with
 * it.
 */
function rank({
  attributes: { peer: from, localPreference, path, internal, chunk },
}: Path): readonly (string | number)[] {
  const { node } = chunk.claim;
  return [from === undefined ? 0 : 1, -localPreference, listOf(path).length, node, internal ? 1 : 0, from ?? ""];
}

function ranksBefore(a: Path, b: Path): boolean {
  const [ofA, ofB] = [rank(a), rank(b)];
  const at = ofA.findIndex((value, index) => value !== ofB[index]);
  return at >= 0 && ofA[at]! < ofB[at]!;
}

test("the best path of each name is what a search through all that is there finds", () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 5, maxLength: 60 }), (steps) => {
      const run = new Run().open(...PEERS);
      const known = new Map<RouteName, Path | undefined>();
      for (const step of steps) {
        run.apply(step);
        const there = PEERS.flatMap(({ node }) => [...run.rib.received(node)]).filter(
          ({ filtered }) => filtered === undefined,
        );
        for (const name of NAMES) {
          const best = run.rib.best(name);
          const candidates = there.filter((path) => path.name === name);
          if (best?.attributes.peer === undefined && best !== undefined) candidates.push(best);
          expect(candidates.some((path) => best === undefined || ranksBefore(path, best))).toBe(false);
          expect(best === undefined).toBe(candidates.length === 0);
          const listed = run.rib.pathsOf(name).filter(({ filtered }) => filtered === undefined);
          expect(listed).toEqual(candidates.toSorted((a, b) => (ranksBefore(a, b) ? -1 : 1)));
        }
        for (const { name, before, now } of run.rib.takeChanges()) {
          expect(known.get(name)).toBe(before);
          known.set(name, now);
        }
        for (const name of NAMES) expect(known.get(name)).toBe(run.rib.best(name));
      }
    }),
    { numRuns: 100 },
  );
});

test("and does not follow from the order in which it came", () => {
  const table = fc.array(fc.record({ peer: peerIndex, name: fc.nat(NAMES.length - 1), how }), { maxLength: 20 });
  const seed = fc.nat();
  fc.assert(
    fc.property(table, seed, (entries, salt) => {
      const last = new Map(
        entries.map(({ peer: from, name, how: { origin, hops, preference, digest } }) => {
          const told = { origin, hops, preference, digest, epoch: 1, lies: false };
          return [`${from} ${name}`, { do: "announce" as const, peer: from, names: [name], how: told }];
        }),
      );
      const steps = [...last.values()];
      const shuffled = steps.toSorted((a, b) => shuffleKey(a, salt) - shuffleKey(b, salt));
      const [one, other] = [new Run().open(...PEERS), new Run().open(...PEERS.toReversed())];
      for (const step of steps) one.apply(step);
      for (const step of shuffled) other.apply(step);
      for (const name of NAMES) expect(one.rib.pathsOf(name)).toEqual(other.rib.pathsOf(name));
    }),
    { numRuns: 100 },
  );
});

const shuffleKey = (
  { peer: from, names: [name = 0] }: { peer: number; names: readonly number[] },
  salt: number,
): number => Math.imul((from * 8 + name + 1) ^ salt, 0x9e3779b1) >>> 0;

test("nor does what peers are told: however what each peer says falls between what the others say, and is told meanwhile", () => {
  const said = fc.array(
    fc.record({ peer: peerIndex, names, how, gone: fc.nat(3).map((die) => die === 0), take: peerIndex }),
    { maxLength: 30 },
  );
  const orders = fc.tuple(fc.array(fc.nat(PEERS.length - 1)), fc.array(fc.nat(PEERS.length - 1)));
  fc.assert(
    fc.property(said, orders, (all, [first, second]) => {
      const tables = [first, second].map((order) => {
        const run = new Run().open(...PEERS);
        const queues = PEERS.map((_, index) => all.filter((one) => one.peer === index));
        // What is left when the order ends: peer by peer.
        for (const from of [...order, ...PEERS.flatMap((_, index) => Array<number>(all.length).fill(index))]) {
          const next = queues[from]?.shift();
          if (next === undefined) continue;
          run.apply({ do: "take", peer: next.take, routes: 2 });
          if (next.gone) run.apply({ do: "withdraw", peer: from, names: next.names });
          else run.apply({ do: "announce", peer: from, names: next.names, how: { ...next.how, epoch: 1 } });
        }
        return PEERS.map(({ node }) => {
          run.drain(node, 3);
          const told = [...run.rib.advertised(node)].map(({ chunk, ...rest }) => ({ ...rest, claim: chunk.claim }));
          return told.toSorted((a, b) => (a.name < b.name ? -1 : 1));
        });
      });
      expect(tables[0]).toEqual(tables[1]!);
    }),
    { numRuns: 100 },
  );
});

/** The other end of a session: what it was sent, and what it makes of it. */
class Neighbour {
  readonly rib = new Rib(config({ node: "n-2", domain: "d-n-2", epochGrace: 1e9 }));
  constructor(private readonly run: Run) {}

  connect(): void {
    const home = peer("n-home", { domain: "home", keys: [keyOf("n-home")] });
    this.rib.openPeer(home, this.run.at);
  }

  deliver(routes: number): void {
    const { withdraw, announce: told, endOfTable } = this.run.rib.take("n-2", routes);
    const received = this.rib.receive("n-home", update(told, withdraw), this.run.at);
    expect(received.malformed.filter(({ text }) => !/epoch/.test(text))).toEqual([]);
    if (endOfTable) this.rib.endOfTable("n-home", this.run.at);
  }
}

test("what a peer has of us is what we remember to have told it, through restarts and refreshes", () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 5, maxLength: 60 }), (steps) => {
      const run = new Run().open(...PEERS);
      const neighbour = new Neighbour(run);
      neighbour.connect();
      let up = true;
      for (const step of steps) {
        const ours = "peer" in step && nodeOf(step.peer) === "n-2";
        if (ours && step.do === "take") {
          if (up) neighbour.deliver(step.routes);
          continue;
        }
        // Both ends see the same: epochs would make the neighbour refuse what we still have.
        run.apply(step.do === "announce" ? { ...step, how: { ...step.how, epoch: 1 } } : step);
        if (!ours) continue;
        if (step.do === "open") {
          if (up) neighbour.rib.closePeer("n-home", run.now + 1e9, run.at);
          neighbour.connect();
          up = true;
        } else if (step.do === "close") {
          if (up) neighbour.rib.closePeer("n-home", run.now + 1e9, run.at);
          up = false;
        } else if (step.do === "resend") {
          neighbour.rib.refreshBegins("n-home", run.at);
        }
      }
      if (!up) {
        run.open(run.peers[1]!);
        neighbour.connect();
      }
      while (run.rib.pending("n-2")) neighbour.deliver(3);
      const told = [...run.rib.advertised("n-2")].map(({ name, digest, path, tags, chunk }) => ({
        name,
        digest,
        path,
        tags,
        root: chunk.root,
      }));
      const has = [...neighbour.rib.received("n-home")].map(({ name, digest, received: { path, tags, chunk } }) => ({
        name,
        digest,
        path,
        tags,
        root: chunk.root,
      }));
      const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
      expect(has.toSorted(byName)).toEqual(told.toSorted(byName));
      // And it is what a table told from the beginning says.
      run.rib.resend("n-2");
      const again = run.drain("n-2", 3);
      expect(again.withdraw).toEqual([]);
      const afresh = again.announce
        .flatMap(separately)
        .flatMap(({ path, tags = "", leaves }) =>
          leaves.flatMap(([name, digest]) => (typeof name === "string" ? [{ name, digest, path, tags }] : [])),
        );
      expect(afresh.toSorted(byName)).toEqual(
        told.map(({ root: _, ...rest }) => rest).toSorted(byName) as typeof afresh,
      );
    }),
    { numRuns: 100 },
  );
});
