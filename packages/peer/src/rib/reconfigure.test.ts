// Soft resets (RFC 2918 §1 has why they are wanted): policies, owners, keys and limits change, and no peer is asked for
// anything that is here.

import { describe, expect, test } from "bun:test";
import { defaultLimits } from "../limits/default-limits.ts";
import { announce, Bench, chunks, keyOf, limits, namesIn, peer, policy, WALL } from "./rib.fixture.ts";

const A = "action:a";
const B = "action:b";

describe("an import policy", () => {
  test("lets in what it kept out, and keeps out what it let in", () => {
    const onlyA = policy({ name: "only a", then: "accept", match: { routes: [A] } });
    const bench = new Bench().open(peer("n-1", { import: onlyA }), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A, B]));
    bench.drain("n-2");
    bench.rib.takeChanges();
    const onlyB = policy({ name: "only b", then: "accept", match: { routes: [B] } });
    bench.rib.reconfigure({ peers: [peer("n-1", { import: onlyB })] }, bench.at);
    expect([bench.why(A, "n-1"), bench.why(B, "n-1")]).toEqual(["import-policy default", ""]);
    expect(bench.rib.takeChanges().map(({ name }) => name)).toEqual([A, B]);
    const told = bench.drain("n-2");
    expect([told.withdraw, namesIn(told.announce)]).toEqual([[A], [B]]);
  });

  test("that says the same changes nothing, though it is another object", () => {
    const bench = new Bench().open(peer("n-1", { import: policy({ name: "all", then: "accept" }) }), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.drain("n-2");
    bench.rib.takeChanges();
    const path = bench.rib.best(A);
    bench.rib.reconfigure({ peers: [peer("n-1", { import: policy({ name: "every", then: "accept" }) })] }, bench.at);
    expect(bench.rib.best(A)).toBe(path!);
    expect(bench.rib.takeChanges()).toEqual([]);
    expect(bench.rib.pending("n-2")).toBe(false);
  });

  test("that filters a path by another clause says so, and nobody else hears of it", () => {
    const refuse = (name: string) => peer("n-1", { import: policy({ name, then: "reject" }) });
    const bench = new Bench().open(refuse("first"), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.reconfigure({ peers: [refuse("second")] }, bench.at);
    expect(bench.why(A, "n-1")).toBe("import-policy second");
    expect(bench.rib.takeChanges()).toEqual([]);
  });

  test("is in force for stale paths, and for what comes after", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.closePeer("n-1", 10_000, bench.at);
    bench.rib.reconfigure({ peers: [peer("n-1", { import: policy() })] }, bench.at);
    expect([bench.why(A, "n-1"), bench.path(A, "n-1")?.stale]).toEqual(["import-policy default", true]);
    bench.open(peer("n-1", { import: policy({ name: "b", then: "accept", match: { routes: [B] } }) }));
    bench.receive("n-1", announce("n-1", [A, B]));
    expect([bench.why(A, "n-1"), bench.why(B, "n-1")]).toEqual(["import-policy default", ""]);
  });

  test("of a peer that is not there is no error", () => {
    const bench = new Bench();
    bench.rib.reconfigure({ peers: [peer("n-1")] }, bench.at);
    expect(bench.receive("n-1", announce("n-1", [A]))).toMatchObject({ accepted: 0 });
  });
});

describe("an export policy", () => {
  test("is told as the difference that it makes", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A, B]));
    bench.drain("n-2");
    const tagB = policy(
      { name: "no a", then: "reject", match: { routes: [A] } },
      { name: "tag", then: "accept", set: { addTags: ["tagged"] } },
    );
    bench.rib.reconfigure({ peers: [peer("n-2", { export: tagB })] }, bench.at);
    const told = bench.drain("n-2");
    expect(told.withdraw).toEqual([A]);
    expect(told.announce).toMatchObject([{ tags: "tagged" }]);
    expect(namesIn(told.announce)).toEqual([B]);
    expect(told.ends).toBe(0);
    bench.rib.reconfigure({ peers: [peer("n-2", { export: tagB })] }, bench.at);
    expect(bench.rib.pending("n-2")).toBe(false);
  });
});

describe("owners", () => {
  const owner = (node: string, key = keyOf(node)) => ({ routes: ["action:*"], node, keys: [key] });

  test("a name that gets an owner is nobody else's from then on, and comes back when it loses it", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.reconfigure({ owners: [owner("n-2")] }, bench.at);
    expect(bench.why(A, "n-1")).toBe("not-the-owner n-2");
    bench.rib.reconfigure({ owners: [] }, bench.at);
    expect(bench.bestFrom(A)).toBe("n-1");
  });

  test("a key that is none of the owner's any more takes its paths with it, and the peer is asked when it is one again", () => {
    const bench = new Bench({ owners: [owner("n-o")] }).open(peer("n-1"));
    bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-n-o"] }));
    expect(bench.bestFrom(A)).toBe("n-1");
    bench.rib.reconfigure({ owners: [owner("n-o", keyOf("next"))] }, bench.at);
    expect(bench.path(A, "n-1")).toBeUndefined();
    expect(bench.rib.wantsRefresh("n-1")).toBe(false);
    bench.rib.reconfigure({ owners: [owner("n-o")] }, bench.at);
    expect(bench.rib.wantsRefresh("n-1")).toBe(true);
  });

  test("what was refused for its key is asked for when owners change", () => {
    const bench = new Bench({ owners: [owner("n-o")] }).open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-n-o"], key: keyOf("next") }));
    bench.rib.reconfigure({ owners: [owner("n-o", keyOf("next"))] }, bench.at);
    expect([bench.rib.wantsRefresh("n-1"), bench.rib.wantsRefresh("n-2")]).toEqual([true, false]);
  });

  test("do not make good what was refused for its epoch or its signature: nobody is asked", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A], { epoch: 2 }));
    bench.receive("n-1", announce("n-1", [B], { epoch: 1 }));
    const [broken] = announce("n-2", [B]);
    bench.receive("n-2", [{ ...broken!, origin: { ...broken!.origin, signature: "" } }]);
    bench.rib.reconfigure({ owners: [owner("n-1")] }, bench.at);
    expect([bench.rib.wantsRefresh("n-1"), bench.rib.wantsRefresh("n-2")]).toEqual([false, false]);
  });

  test("do not cost what a clock was wrong about, or what is of an earlier start and in its grace", () => {
    const bench = new Bench({ owners: [owner("n-o")] }).open(peer("n-1"), peer("n-2"));
    const told = (via: string, names: string[], epoch: number) =>
      bench.receive(via, announce("n-o", names, { path: [`d-${via}`, "d-n-o"], epoch }));
    told("n-1", [A, B], 1);
    told("n-2", [A], 2);
    const before = bench.rib.pathsOf(B);
    bench.rib.tick({ now: 1000, wall: WALL - 1_000_000 });
    bench.rib.reconfigure({ owners: [owner("n-o"), owner("n-x")] }, { now: 1000, wall: WALL - 1_000_000 });
    expect([bench.why(A, "n-1"), bench.why(B, "n-1"), bench.why(A, "n-2")]).toEqual(["", "", ""]);
    expect(bench.rib.pathsOf(B)).toEqual(before);
  });

  test("do not revive what has expired, nor forget it", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A], { expires: WALL + 100 }));
    bench.advanceTo(200_000);
    bench.rib.reconfigure({ owners: [owner("n-1")] }, bench.at);
    expect(bench.why(A, "n-1")).toBe("expired");
  });
});

describe("limits", () => {
  const length = (pathLength: number) => peer("n-1", { limits: limits({ pathLength }) });

  test("a path that is too long now is filtered; one that was cut for it has to be sent again when it no longer is", () => {
    const bench = new Bench().open(length(3));
    const path = ["d-n-1", "d-x", "d-n-o"];
    bench.receive("n-1", announce("n-o", [A], { path }));
    bench.rib.reconfigure({ peers: [length(2)] }, bench.at);
    expect(bench.why(A, "n-1")).toBe("path-too-long 2");
    bench.rib.reconfigure({ peers: [length(3)] }, bench.at);
    expect(bench.path(A, "n-1")).toBeUndefined();
    expect(bench.rib.wantsRefresh("n-1")).toBe(true);
  });

  test("a path that was cut and has expired is not taken for a whole one when both are forgiven", () => {
    const bench = new Bench().open(length(2));
    const announced = announce("n-o", [A], { path: ["d-n-1", "d-x", "d-y", "d-n-o"], expires: WALL + 10 });
    bench.receive("n-1", announced);
    bench.advanceTo(100_000);
    expect(bench.why(A, "n-1")).toBe("expired");
    bench.rib.reconfigure({ peers: [length(9)] }, bench.at);
    bench.rib.tick({ now: 101_000, wall: WALL });
    expect(bench.path(A, "n-1")).toBeUndefined();
    expect(bench.rib.wantsRefresh("n-1")).toBe(true);
  });

  test("damping that is switched off lets go of what it held", () => {
    const bench = new Bench().open(peer("n-1", { limits: limits({ damping: defaultLimits.damping }) }));
    for (let round = 0; round < 10; round += 1) {
      bench.receive("n-1", announce("n-1", [A]));
      bench.receive("n-1", [], [A]);
    }
    bench.receive("n-1", announce("n-1", [A]));
    expect(bench.why(A, "n-1")).toBe("damped");
    bench.rib.reconfigure({ peers: [peer("n-1")] }, bench.at);
    expect(bench.bestFrom(A)).toBe("n-1");
  });
});

test("our own routes are nobody's to filter", () => {
  const bench = new Bench().open(peer("n-1"));
  bench.rib.originate(chunks("n-home", [A], { domain: "home", expires: WALL + 10 }), [], bench.at);
  bench.rib.reconfigure({ owners: [{ routes: ["*"], node: "n-2", keys: [] }] }, bench.at);
  bench.advanceTo(1_000_000);
  expect(bench.bestFrom(A)).toBe("self");
});

test("what a peer signed with a key that was not pinned is asked for when it is; another change asks for nothing", () => {
  const [key, next] = [keyOf("n-1"), keyOf("n-1's next")];
  const bench = new Bench().open(peer("n-1"));
  bench.receive("n-1", announce("n-1", [A], { key: next }));
  expect(bench.path(A, "n-1")).toBeUndefined();
  bench.rib.reconfigure({ peers: [peer("n-1", { import: policy({ name: "all", then: "accept" }) })] }, bench.at);
  expect(bench.rib.wantsRefresh("n-1")).toBe(false);
  bench.rib.reconfigure({ peers: [peer("n-1", { keys: [key, next] })] }, bench.at);
  expect(bench.rib.wantsRefresh("n-1")).toBe(true);
  bench.receive("n-1", announce("n-1", [A], { key: next }));
  bench.rib.reconfigure({ peers: [peer("n-1", { keys: [key] })] }, bench.at);
  expect(bench.path(A, "n-1")).toBeUndefined();
  expect(bench.rib.wantsRefresh("n-1")).toBe(false);
  bench.rib.reconfigure({ peers: [peer("n-1", { keys: [next] })] }, bench.at);
  expect(bench.rib.wantsRefresh("n-1")).toBe(true);
});
