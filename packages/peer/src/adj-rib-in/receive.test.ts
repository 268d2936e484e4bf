// What becomes of what peers announce and withdraw: RFC 4271 §9, RFC 7606, and the lies of THREATS.md's rows on routes.

import { describe, expect, test } from "bun:test";
import { announce, Bench, chunks, digestOf, keyOf, limits, namesIn, peer, policy, WALL } from "../rib/rib.fixture.ts";

const A = "action:a";
const B = "action:b";

describe("announcements and withdrawals", () => {
  test("a re-announcement of equal length replaces (an earlier system ignored it)", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-o", [[A, digestOf("old")]], { path: ["d-n-1", "d-x", "d-n-o"] }));
    const outcome = bench.receive("n-1", announce("n-o", [[A, digestOf("new")]], { path: ["d-n-1", "d-y", "d-n-o"] }));
    expect(outcome).toMatchObject({ accepted: 1, withdrawn: 0 });
    expect(bench.rib.best(A)).toMatchObject({
      digest: digestOf("new"),
      attributes: { path: "d-n-1 d-y d-n-o" },
    });
    expect(bench.rib.pathsOf(A)).toHaveLength(1);
  });

  test("RFC 4271 §9: a longer re-announcement replaces too, and the alternative takes over", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-n-o"] }));
    bench.receive("n-2", announce("n-o", [A], { path: ["d-n-2", "d-x", "d-n-o"] }));
    expect(bench.bestFrom(A)).toBe("n-1");
    bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-x", "d-y", "d-n-o"] }));
    expect(bench.bestFrom(A)).toBe("n-2");
    expect(bench.rib.pathsOf(A).map(({ attributes }) => attributes.peer)).toEqual(["n-2", "n-1"]);
  });

  test("THREATS, withdrawals: only what that peer announced can be withdrawn by it", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A]));
    const outcome = bench.receive("n-2", [], [A]);
    expect(outcome).toMatchObject({ withdrawn: 0 });
    expect(bench.bestFrom(A)).toBe("n-1");
    expect(bench.malformed("n-2", A)).toMatchObject({ withdrawn: 0 });
    expect(bench.bestFrom(A)).toBe("n-1");
    expect(bench.receive("n-1", [], [A])).toMatchObject({ withdrawn: 1 });
    expect(bench.rib.best(A)).toBeUndefined();
  });

  test("a withdrawal of what nobody announced changes nothing", () => {
    const bench = new Bench().open(peer("n-1"));
    expect(bench.receive("n-1", [], [A])).toMatchObject({ withdrawn: 0, malformed: [] });
    expect(bench.rib.takeChanges()).toEqual([]);
  });

  test("of two announcements of a name in one update the last one holds", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", [
      ...announce("n-1", [[A, digestOf("first")]]),
      ...announce("n-1", [
        [A, digestOf("last")],
        [B, ""],
      ]),
    ]);
    expect(bench.rib.best(A)?.digest).toBe(digestOf("last"));
  });

  test("what is announced again as it was is no change", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    const path = bench.rib.best(A);
    bench.rib.takeChanges();
    expect(bench.receive("n-1", announce("n-1", [A]))).toMatchObject({ accepted: 1 });
    expect(bench.rib.best(A)).toBe(path!);
    expect(bench.rib.takeChanges()).toEqual([]);
  });

  test("from a peer without a session nothing is taken", () => {
    const bench = new Bench();
    expect(bench.receive("n-1", announce("n-1", [A]))).toMatchObject({ accepted: 0 });
    expect(bench.rib.best(A)).toBeUndefined();
  });

  test("our own routes are before all others, and only we withdraw them", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.rib.originate(chunks("n-home", [A], { domain: "home" }), [], bench.at);
    bench.receive("n-1", announce("n-1", [A]), []);
    expect(bench.bestFrom(A)).toBe("self");
    bench.receive("n-1", [], [A]);
    expect(bench.bestFrom(A)).toBe("self");
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.originate([], [A], bench.at);
    expect(bench.bestFrom(A)).toBe("n-1");
  });
});

describe("RFC 7606 §2: what is malformed is treated as withdrawn, and its siblings live", () => {
  const withRoute = (): Bench => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A, B], { chunkSize: 1 }));
    return bench;
  };

  test("what the reader of updates calls malformed", () => {
    const bench = withRoute();
    expect(bench.malformed("n-1", A)).toMatchObject({ withdrawn: 1, malformed: [{ routes: 1, text: "malformed" }] });
    expect(bench.rib.best(A)).toBeUndefined();
    expect(bench.bestFrom(B)).toBe("n-1");
  });

  test("leaves that are no tree", () => {
    const bench = withRoute();
    const [bad] = announce("n-1", [A, B]);
    const outcome = bench.receive("n-1", [{ ...bad!, leaves: [[A, ""]] }, ...announce("n-1", ["action:c"])]);
    expect(outcome).toMatchObject({ accepted: 1, withdrawn: 1, malformed: [{ routes: 1 }] });
    expect([bench.bestFrom(A), bench.bestFrom(B), bench.bestFrom("action:c")]).toEqual([undefined, "n-1", "n-1"]);
  });

  const broken: readonly [what: string, text: RegExp, announced: ReturnType<typeof announce>][] = [
    [
      "a signature that is not over these routes",
      /signature/,
      announce("n-1", [[A, digestOf("said")]]).map((one) => ({ ...one, leaves: [[A, digestOf("meant")]] })),
    ],
    [
      "no signature",
      /signature/,
      announce("n-1", [A]).map((one) => ({ ...one, origin: { ...one.origin, signature: "" } })),
    ],
    ["another key than the peer's", /none of its keys/, announce("n-1", [A], { key: keyOf("n-x") })],
    ["an origin that has expired", /expired/, announce("n-1", [A], { expires: WALL - 61 })],
    ["an origin that promises for too long", /longest/, announce("n-1", [A], { expires: WALL + 7261 })],
    [
      "RFC 4271 §6.3: a path that does not begin with the peer's domain",
      /begins with/,
      announce("n-1", [A], { path: ["d-x", "d-n-1"] }),
    ],
    [
      "a path that does not end in the origin's domain",
      /ends in/,
      announce("n-1", [A], { path: ["d-n-1", "d-x"], domain: "d-n-1" }),
    ],
    ["an empty path from another domain", /not in the path/, announce("n-1", [A], { path: [], domain: "d-n-1" })],
  ];
  for (const [what, text, announced] of broken) {
    test(what, () => {
      const bench = withRoute();
      const outcome = bench.receive("n-1", [...announced, ...announce("n-1", ["action:c"])]);
      expect(outcome).toMatchObject({ accepted: 1, filtered: 0, withdrawn: 1 });
      expect(outcome.malformed).toHaveLength(1);
      expect(outcome.malformed[0]?.routes).toBe(1);
      expect(outcome.malformed[0]?.text).toMatch(text);
      expect([bench.bestFrom(A), bench.bestFrom(B), bench.bestFrom("action:c")]).toEqual([undefined, "n-1", "n-1"]);
      expect(bench.path(A, "n-1")).toBeUndefined();
    });
  }

  test("an empty path inside the domain of another origin", () => {
    const bench = new Bench().open(peer("n-2", { domain: "home" }));
    const outcome = bench.receive("n-2", announce("n-2", [A], { path: [], domain: "elsewhere" }));
    expect(outcome.malformed[0]?.text).toMatch(/empty path/);
  });

  test("an origin's clock may be wrong by the tolerance", () => {
    const bench = withRoute();
    expect(bench.receive("n-1", announce("n-1", [A], { expires: WALL - 59 })).malformed).toEqual([]);
    expect(bench.receive("n-1", announce("n-1", [A], { expires: WALL + 7260 })).malformed).toEqual([]);
  });
});

describe("filtered paths are kept, with what filtered them, and are not chosen from", () => {
  const bench = (): Bench =>
    new Bench({ owners: [{ routes: ["action:tokyo.*"], node: "n-tokyo", keys: [keyOf("n-tokyo")] }] });

  test("RFC 8212: between domains nothing passes that no policy lets pass", () => {
    const here = bench().open(peer("n-1", { import: policy() }));
    expect(here.receive("n-1", announce("n-1", [A]))).toMatchObject({ accepted: 0, filtered: 1 });
    expect(here.why(A, "n-1")).toBe("import-policy default");
    expect(here.rib.best(A)).toBeUndefined();
    expect(here.rib.pathsOf(A)).toHaveLength(1);
    expect([...here.rib.names()]).toEqual([]);
  });

  test("the clause that rejects is told", () => {
    const refuse = { name: "osaka 2: reject secrets", then: "reject", match: { routes: ["action:secret.*"] } } as const;
    const here = bench().open(peer("n-1", { import: policy(refuse, { name: "rest", then: "accept" }) }));
    here.receive("n-1", announce("n-1", ["action:secret.key", A]));
    expect(here.why("action:secret.key", "n-1")).toBe("import-policy osaka 2: reject secrets");
    expect(here.bestFrom(A)).toBe("n-1");
  });

  test("RFC 4271 §9.1.2: our own domain in the path is a loop", () => {
    const here = bench().open(peer("n-1"), peer("n-2", { domain: "home" }));
    here.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "home", "d-n-o"] }));
    here.receive("n-2", announce("n-o", [A], { path: ["d-x", "home", "d-n-o"] }));
    expect([here.why(A, "n-1"), here.why(A, "n-2")]).toEqual(["loop home", "loop home"]);
  });

  test("RFC 4456 §8: what has our own node as its origin is a loop", () => {
    const here = bench().open(peer("n-2", { domain: "home" }));
    here.receive("n-2", announce("n-home", [A], { path: [], domain: "home" }));
    expect(here.why(A, "n-2")).toBe("loop n-home");
  });

  test("THREATS, endless paths: what is longer than the limit is filtered, and not kept to its end", () => {
    const here = bench().open(peer("n-1", { limits: limits({ pathLength: 3 }) }));
    const endless = ["d-n-1", ...Array.from({ length: 900 }, (_, hop) => `d-${hop}`), "d-n-o"];
    here.receive("n-1", announce("n-o", [A], { path: endless }));
    here.receive("n-1", announce("n-o", [B], { path: ["d-n-1", "d-x", "d-n-o"] }));
    expect([here.why(A, "n-1"), here.why(B, "n-1")]).toEqual(["path-too-long 3", ""]);
    expect(here.path(A, "n-1")?.received.path).toBe("d-n-1 d-0 d-1 d-2");
  });

  test("THREATS, hijack: a name that has an owner is nobody else's, however attractive the path and whatever the policy", () => {
    const here = bench().open(peer("n-1"), peer("n-2"));
    here.receive("n-1", announce("n-tokyo", ["action:tokyo.x"], { path: ["d-n-1", "d-y", "d-n-tokyo"] }));
    here.receive("n-2", announce("n-2", ["action:tokyo.x"]));
    expect(here.why("action:tokyo.x", "n-2")).toBe("not-the-owner n-tokyo");
    expect(here.bestFrom("action:tokyo.x")).toBe("n-1");
  });

  test("THREATS, hijack: an owner's id under a foreign key is not even a path", () => {
    const here = bench().open(peer("n-2"));
    const stolen = announce("n-tokyo", ["action:tokyo.x"], { path: ["d-n-2", "d-n-tokyo"], key: keyOf("n-2") });
    expect(here.receive("n-2", stolen).malformed[0]?.text).toMatch(/none of its keys/);
    expect(here.path("action:tokyo.x", "n-2")).toBeUndefined();
  });

  describe("a name that nobody owns", () => {
    const plain = policy({ name: "plain", then: "accept" });

    test("comes in from its origin itself", () => {
      const here = bench().open(peer("n-1", { import: plain }));
      here.receive("n-1", announce("n-1", [A]));
      expect(here.why(A, "n-1")).toBe("");
    });

    test("does not come in from a peer of whom no key is known, though it says that it is the origin", () => {
      const here = bench().open(peer("n-1", { import: plain, keys: [] }));
      here.receive("n-1", announce("n-1", [A]));
      expect(here.why(A, "n-1")).toBe("unowned");
    });

    test("does not come in over others", () => {
      const here = bench().open(peer("n-1", { import: plain }));
      here.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-n-o"] }));
      expect(here.why(A, "n-1")).toBe("unowned");
    });

    test("comes in over others where the clause says so", () => {
      const here = bench().open(peer("n-1"));
      here.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-n-o"] }));
      expect(here.why(A, "n-1")).toBe("");
    });

    test("comes in inside the domain", () => {
      const here = bench().open(peer("n-2", { domain: "home", import: policy() }));
      here.receive("n-2", announce("n-o", [A], { path: ["d-x", "d-n-o"] }));
      expect(here.why(A, "n-2")).toBe("");
    });
  });
});

describe("attributes", () => {
  test("RFC 4271 §5.1.5: the preference of another domain is ignored, that of our own counts", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2", { domain: "home" }));
    bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-n-o"], localPreference: 900 }));
    bench.receive("n-2", announce("n-o", [A], { path: ["d-x", "d-n-o"], localPreference: 300 }));
    expect(bench.path(A, "n-1")?.received.localPreference).toBe(100);
    expect(bench.bestFrom(A)).toBe("n-2");
    bench.receive("n-2", announce("n-o", [A], { path: ["d-x", "d-n-o"] }));
    expect(bench.path(A, "n-2")?.received.localPreference).toBe(100);
    // RFC 4271 §9.1.2.2 d.
    expect(bench.bestFrom(A)).toBe("n-1");
  });

  test("the clause sets them; as they came is kept beside", () => {
    const set = { localPreference: 250, addTags: ["from-osaka"], removeTags: ["cheap"] };
    const bench = new Bench().open(peer("n-1", { import: policy({ name: "set", then: "accept", set }) }));
    bench.receive("n-1", announce("n-1", [A], { tags: ["cheap", "fast"] }));
    expect(bench.rib.best(A)).toMatchObject({
      received: { localPreference: 100, tags: "cheap fast" },
      attributes: { localPreference: 250, tags: "fast from-osaka" },
    });
  });

  test("routes that came together share their attributes and their chunk, also with those that another peer passes on", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [A, B], { path: ["d-n-1", "d-n-o"] }));
    bench.receive("n-2", announce("n-o", [A, B], { path: ["d-n-2", "d-n-o"] }));
    const [a1, b1, a2] = [bench.path(A, "n-1"), bench.path(B, "n-1"), bench.path(A, "n-2")];
    expect(a1?.attributes).toBe(b1!.attributes);
    expect<unknown>(a1?.received).toBe(a1!.attributes);
    expect(a2?.attributes.chunk).toBe(a1!.attributes.chunk);
  });
});

test("stubs of an earlier life: a RIB starts empty, and what was filtered is filtered again (an earlier system replayed it)", () => {
  const refusing = peer("n-1", { import: policy() });
  const told = announce("n-1", [A]);
  const before = new Bench().open(refusing);
  before.receive("n-1", told);
  const after = new Bench().open(refusing);
  expect([...after.rib.received("n-1")]).toEqual([]);
  expect(namesIn(after.drain("n-1").announce)).toEqual([]);
  after.receive("n-1", told);
  expect(after.why(A, "n-1")).toBe("import-policy default");
  expect(after.rib.best(A)).toBeUndefined();
});
