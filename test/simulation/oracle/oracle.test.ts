import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { judge } from "../oracle.ts";
import { ask, fits } from "./policy.ts";
import { bests, OPEN, obeyed, type Sketch, sketch, WALL, word } from "./small-world.ts";
import { Network } from "./solve.ts";
import type { Lie, Observed, Policy, World } from "./world.ts";

const TRIANGLE: Sketch = {
  domains: { a: "A", b: "B", c: "C" },
  sessions: [
    ["a", "b"],
    ["b", "c"],
    ["a", "c"],
  ],
  routes: { a: ["action:x"] },
};

describe("the oracle stands by itself", () => {
  const files = [join(import.meta.dir, "..", "oracle.ts")].concat(
    readdirSync(import.meta.dir).map((file) => join(import.meta.dir, file)),
  );
  test("nothing of it imports anything but its own files", () => {
    const imports = files
      .filter((file) => !file.endsWith(".test.ts"))
      .flatMap((file) => {
        const text = readFileSync(file, "utf8");
        expect(text).not.toMatch(/\b(import|require)\s*\(/);
        return [...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom "([^"]+)";$/gm)].map(([, specifier]) => specifier);
      });
    expect(imports.length).toBeGreaterThan(5);
    expect(imports.filter((specifier) => !/^\.\/(oracle\/)?[a-z-]+\.ts$/.test(specifier as string))).toEqual([]);
  });
});

describe("policies", () => {
  const asked = {
    name: "action:n3.a",
    origin: "n3",
    originDomain: "D",
    path: ["C", "D"],
    tags: ["t"],
    learnedFrom: "n2",
  };
  const policy = (match: NonNullable<Policy["clauses"][number]["match"]>): Policy => ({
    clauses: [{ name: "one", then: "accept", match }],
  });

  test("a star at the end stands for anything", () => {
    expect(["action:n3.*", "action:*", "*", "action:n3.a"].every((pattern) => fits(pattern, "action:n3.a"))).toBe(true);
    expect(["action:n3", "action:n3.", "topic:*"].some((pattern) => fits(pattern, "action:n3.a"))).toBe(false);
  });

  test("the first clause that matches decides; RFC 8212: between domains nothing passes by itself", () => {
    const clauses = [
      { name: "no", then: "reject" as const, match: { tags: ["t"] } },
      { name: "yes", then: "accept" as const },
    ];
    expect(ask({ clauses }, false, asked).accepted).toBe(false);
    expect(ask({ clauses }, false, { ...asked, tags: [] }).accepted).toBe(true);
    expect(ask({ clauses: [] }, false, asked).accepted).toBe(false);
    expect(ask({ clauses: [] }, true, asked).accepted).toBe(true);
  });

  test("all that a clause asks must hold", () => {
    expect(ask(policy({ origins: ["n3"], through: ["C"], maxPathLength: 2 }), false, asked).accepted).toBe(true);
    expect(ask(policy({ origins: ["n3"], maxPathLength: 1 }), false, asked).accepted).toBe(false);
    expect(ask(policy({ origins: ["n3"], through: ["E"] }), false, asked).accepted).toBe(false);
    expect(ask(policy({ originDomains: ["C"] }), false, asked).accepted).toBe(false);
    expect(ask(policy({ learnedFrom: ["self", "n1"] }), false, asked).accepted).toBe(false);
  });
});

describe("solving by hand-computed worlds", () => {
  test("a triangle: each takes the direct way, and keeps the other one", () => {
    const world = sketch(TRIANGLE);
    expect(bests(world, "action:x")).toEqual({ a: "self []", b: "a [A]", c: "a [A]" });
    const { heard, told } = new Network(world, () => false).solve("action:x");
    expect([...(heard.get("b")?.keys() ?? [])].sort()).toEqual(["a", "c"]);
    expect(told.get("b")?.get("c")?.path).toEqual(["B", "A"]);
    // Neither back to where it came from, nor to the domain that is in the path.
    expect(told.get("b")?.has("a")).toBe(false);
  });

  test("equal but for the peer: the lower node's", () => {
    const world = sketch({
      domains: { a: "A", b: "B", c: "C", d: "D" },
      sessions: [
        ["a", "c"],
        ["a", "b"],
        ["c", "d"],
        ["b", "d"],
      ],
      routes: { a: ["action:x"] },
    });
    expect(bests(world, "action:x").d).toBe("b [B A]");
  });

  test("two origins: the shorter way, and of equal ones the lower origin", () => {
    const world = sketch({
      domains: { a: "A", b: "B", c: "C", e: "E" },
      sessions: [
        ["a", "c"],
        ["b", "c"],
        ["b", "e"],
      ],
      routes: { a: ["action:x"], b: ["action:x"] },
    });
    expect(bests(world, "action:x")).toEqual({ a: "self []", b: "self []", c: "a [A]", e: "b [B]" });
  });

  test("a domain of three with two borders: split horizon, the border's own way first, preference carried", () => {
    // o — p1 — b1, o — p2 — p3 — b2; b1, b2 and i are the domain D, fully meshed.
    const shape: Sketch = {
      domains: { o: "O", p1: "P1", p2: "P2", p3: "P3", b1: "D", b2: "D", i: "D" },
      sessions: [
        ["o", "p1"],
        ["p1", "b1"],
        ["o", "p2"],
        ["p2", "p3"],
        ["p3", "b2"],
        ["b1", "b2"],
        ["b1", "i"],
        ["b2", "i"],
      ],
      routes: { o: ["action:x"], i: ["action:y"] },
    };
    const plain = sketch(shape);
    // b1's is shorter, so b2 follows it through the domain, although it has a way out of its own.
    expect(bests(plain, "action:x")).toMatchObject({ b1: "p1 [P1 O]", b2: "b1 [P1 O]", i: "b1 [P1 O]" });
    const { heard, told } = new Network(plain, () => false).solve("action:x");
    expect([...(heard.get("i")?.keys() ?? [])]).toEqual(["b1"]);
    expect(told.get("b2")?.has("i")).toBe(false);
    expect(told.get("b1")?.get("i")?.localPreference).toBe(100);
    // And b2 tells its neighbour the way that it uses, with its domain before it once.
    expect(told.get("b2")?.get("p3")?.path).toEqual(["D", "P1", "O"]);
    // What an inner node offers leaves the domain over both borders, with an empty path inside it.
    expect(bests(plain, "action:y")).toMatchObject({ b1: "i []", b2: "i []", p1: "b1 [D]", p3: "b2 [D]" });

    // b2's preference for p3 is the domain's: it is carried to all, and wins before the length.
    const prefer = { clauses: [{ name: "prefer", then: "accept" as const, set: { localPreference: 200 } }] };
    const preferring = sketch({ ...shape, policies: { "b2>p3": { import: prefer } } });
    expect(bests(preferring, "action:x")).toMatchObject({ b1: "b2 [P3 P2 O]", b2: "p3 [P3 P2 O]", i: "b2 [P3 P2 O]" });
  });

  test("equal ways out of a domain: each border keeps its own (RFC 4271 §9.1.2.2 d)", () => {
    const world = sketch({
      domains: { o: "O", b1: "D", b2: "D" },
      sessions: [
        ["o", "b1"],
        ["o", "b2"],
        ["b1", "b2"],
      ],
      routes: { o: ["action:x"] },
    });
    expect(bests(world, "action:x")).toEqual({ o: "self []", b1: "o [O]", b2: "o [O]" });
  });

  test("Gao–Rexford: no valley, and the customer's way before the shorter one", () => {
    // p is a's and b's provider; c is a customer of both a and b; q is a peer of p.
    const tagged = (tag: string, localPreference: number): Policy => ({
      clauses: [
        {
          name: tag,
          then: "accept",
          set: {
            localPreference,
            addTags: [tag],
            removeTags: ["customer", "peer", "provider"].filter((one) => one !== tag),
          },
        },
      ],
    });
    const own: Policy = {
      clauses: [
        { name: "own", then: "accept", match: { learnedFrom: ["self"] } },
        { name: "customers", then: "accept", match: { tags: ["customer"] } },
      ],
    };
    const up = (from: string) => ({ import: tagged("customer", 300), export: OPEN, from });
    const down = { import: tagged("provider", 100), export: own };
    const level = { import: tagged("peer", 200), export: own };
    const world = sketch({
      domains: { p: "P", q: "Q", a: "A", b: "B", c: "C" },
      sessions: [
        ["p", "a"],
        ["p", "b"],
        ["a", "c"],
        ["b", "c"],
        ["p", "q"],
      ],
      routes: { q: ["action:q"], c: ["action:c"] },
      policies: {
        "p>a": up("a"),
        "p>b": up("b"),
        "a>c": up("c"),
        "b>c": up("c"),
        "a>p": down,
        "b>p": down,
        "c>a": down,
        "c>b": down,
        "p>q": level,
        "q>p": level,
      },
    });
    expect(bests(world, "action:q")).toEqual({ q: "self []", p: "q [Q]", a: "p [P Q]", b: "p [P Q]", c: "a [A P Q]" });
    const { heard } = new Network(world, () => false).solve("action:q");
    // c does not carry a's provider's routes to b: that would be the valley.
    expect([...(heard.get("b")?.keys() ?? [])]).toEqual(["p"]);
    expect(bests(world, "action:c")).toMatchObject({ a: "c [C]", b: "c [C]", p: "a [A C]", q: "p [P A C]" });
  });

  test("prepending makes a way longer for others", () => {
    const prepend = { clauses: [{ name: "far", then: "accept" as const, set: { prepend: 2 } }] };
    const world = sketch({
      domains: { a: "A", b: "B", c: "C", d: "D", e: "E" },
      sessions: [
        ["a", "b"],
        ["b", "d"],
        ["a", "c"],
        ["c", "e"],
        ["e", "d"],
      ],
      routes: { a: ["action:x"] },
      policies: { "b>d": { export: prepend } },
    });
    expect(bests(world, "action:x").d).toBe("e [E C A]");
    expect(new Network(world, () => false).solve("action:x").told.get("b")?.get("d")?.path).toEqual([
      "B",
      "B",
      "B",
      "A",
    ]);
  });

  test("says when there is no stable state", () => {
    // Griffin and Wilfong's bad gadget: each of three around an origin prefers the way over its neighbour.
    const over = (neighbour: string): Policy => ({
      clauses: [
        {
          name: "over",
          then: "accept",
          match: { through: [neighbour], maxPathLength: 2 },
          set: { localPreference: 200 },
        },
        { name: "direct", then: "accept", match: { maxPathLength: 1 } },
      ],
    });
    const around = (a: string, b: string, to: string) => ({ [`${a}>${b}`]: { import: over(to) } });
    const world = sketch({
      domains: { o: "O", a: "A", b: "B", c: "C" },
      sessions: [
        ["o", "a"],
        ["o", "b"],
        ["o", "c"],
        ["a", "b"],
        ["b", "c"],
        ["c", "a"],
      ],
      routes: { o: ["action:x"] },
      policies: { ...around("a", "b", "B"), ...around("b", "c", "C"), ...around("c", "a", "A") },
    });
    expect(new Network(world, () => false).solve("action:x").converged).toBe(false);
    expect(judge(world, []).violations.map(({ kind }) => kind)).toContain("no-convergence");
  });
});

describe("liars", () => {
  // v — h — l: v owns action:x, l lies to h.
  const lying = (...routes: readonly Lie[]): World =>
    sketch({
      domains: { v: "V", h: "H", l: "L" },
      sessions: [
        ["v", "h"],
        ["h", "l"],
      ],
      routes: { v: ["action:x"] },
      liars: ["l"],
      lies: [{ from: "l", to: "h", routes }],
    });
  const heardOf = (world: World, name = "action:x") => {
    const receipt = new Network(world, () => false).solve(name).heard.get("h")?.get("l")?.receipt;
    return receipt?.usable ? "usable" : receipt && { why: receipt.why, absent: receipt.absent };
  };

  test("a hijack is filtered: the name is another's", () => {
    const world = lying(word("action:x", ["L"], "l"));
    expect(bests(world, "action:x").h).toBe("v [V]");
    expect(heardOf(world)).toEqual({ why: ["not-the-owner"], absent: false });
  });

  test("a name that nobody owns is let in of its neighbour, and of nobody else", () => {
    expect(heardOf(lying(word("action:l", ["L"], "l")), "action:l")).toBe("usable");
    expect(heardOf(lying(word("action:l", ["L", "Z"], "z")), "action:l")).toEqual({ why: ["unowned"], absent: false });
  });

  test("a forged signature, a path that is not the liar's, an expired word: refused", () => {
    const refused = (lie: Lie) => {
      const said = heardOf(lying(lie));
      return typeof said === "object" && said.absent ? said.why[0] : said;
    };
    expect(refused(word("action:x", ["L", "V"], "v", { genuine: false }))).toBe("signature");
    expect(refused(word("action:x", ["V"], "v"))).toBe("malformed");
    expect(refused(word("action:x", ["L", "W"], "v", { originDomain: "V" }))).toBe("malformed");
    expect(refused(word("action:x", ["L", "V"], "v", { expires: WALL - 300 }))).toBe("expired");
    expect(refused(word("action:x", ["L", "V"], "v", { expires: WALL - 299 }))).toBe("usable");
    expect(refused(word("action:x", ["L", "V"], "v", { expires: WALL + 7500 }))).toBe("usable");
    expect(refused(word("action:x", ["L", "V"], "v", { expires: WALL + 7501 }))).toBe("too-long");
  });

  test("an endless path and one through the receiver are filtered", () => {
    const endless = [...Array<string>(20).fill("L"), "V"];
    expect(heardOf(lying(word("action:x", endless, "v")))).toEqual({ why: ["path-too-long"], absent: false });
    expect(heardOf(lying(word("action:x", ["L", "H", "V"], "v")))).toEqual({ why: ["loop"], absent: false });
  });

  test("a leak is taken for what it says: longer, so not chosen while the origin is there", () => {
    const world = lying(word("action:x", ["L", "V"], "v"));
    expect(heardOf(world)).toBe("usable");
    expect(bests(world, "action:x").h).toBe("v [V]");
    const gone = { ...world, nodes: world.nodes.map((node) => (node.id === "v" ? { ...node, up: false } : node)) };
    expect(bests({ ...gone, sessions: [["h", "l"]] }, "action:x").h).toBe("l [L V]");
  });

  test("an earlier incarnation's word is taken by nobody who holds a later one's", () => {
    const world = lying(word("action:x", ["L", "V"], "v", { epoch: 0 }));
    const right = obeyed({ ...world, lies: [] });
    expect(judge(world, right).violations).toEqual([]);
    // h takes it nevertheless, and says so.
    const taking = right.map((node) =>
      node.node === "h"
        ? { ...node, in: [...node.in, { ...node.in[0]!, peer: "l", path: ["L", "V"], epoch: 0, localPreference: 100 }] }
        : node,
    );
    expect(judge(world, taking).violations.map(({ kind }) => kind)).toEqual(["old-epoch"]);
  });
});

describe("comparing", () => {
  const world = sketch({ ...TRIANGLE, routes: { a: ["action:x"], c: ["topic:y"] } });
  const right = obeyed(world);
  const kinds = (observed: Observed) => [...new Set(judge(world, observed).violations.map(({ kind }) => kind))].sort();
  const changed = (node: string, change: (one: Observed[number]) => Partial<Observed[number]>): Observed =>
    right.map((one) => (one.node === node ? { ...one, ...change(one) } : one));

  test("nodes that follow the rules pass, and all their entries are compared", () => {
    const { violations, compared, followed } = judge(world, right);
    expect(violations).toEqual([]);
    // Each name: everybody's best; two hear two ways, told by three; and nothing goes back.
    expect(compared).toEqual({ in: 8, best: 6, out: 8 });
    expect(followed).toBe(6);
  });

  test("each table is looked at, in both directions", () => {
    expect(kinds(changed("b", (one) => ({ in: one.in.slice(1) })))).toEqual(["adj-rib-in"]);
    expect(kinds(changed("b", (one) => ({ in: [...one.in, { ...one.in[0]!, peer: "z" }] })))).toEqual(["adj-rib-in"]);
    expect(kinds(changed("b", (one) => ({ out: one.out.slice(1) })))).toEqual(["adj-rib-out"]);
    expect(kinds(changed("b", (one) => ({ out: [...one.out, { ...one.out[0]!, name: "topic:z" }] })))).toEqual([
      "adj-rib-out",
    ]);
    expect(kinds(changed("b", ({ in: [first, ...rest] }) => ({ in: [{ ...first!, stale: true }, ...rest] })))).toEqual([
      "stale",
    ]);
    expect(
      kinds(changed("b", ({ in: [first, ...rest] }) => ({ in: [{ ...first!, filtered: "loop" }, ...rest] }))),
    ).toEqual(["adj-rib-in"]);
    expect(kinds(changed("b", () => ({ sessions: ["a"] })))).toEqual(["session"]);
    expect(kinds(right.slice(1))).toContain("session");
  });

  test("ways that go round, end nowhere, or at a foreign origin are found without a solution", () => {
    const best = (peer: string, more = {}) => ({
      name: "action:x",
      digest: "action:x@a",
      peer,
      origin: "a",
      epoch: 1,
      path: ["A"],
      ...more,
    });
    const others = (one: Observed[number]) => one.best.filter(({ name }) => name !== "action:x");
    const round = changed("b", (one) => ({ best: [best("c"), ...others(one)] })).map((one) =>
      one.node === "c" ? { ...one, best: [best("b"), ...others(one)] } : one,
    );
    expect(kinds(round)).toEqual(["forwarding-loop", "loc-rib"]);
    expect(kinds(changed("c", (one) => ({ best: others(one) })))).toEqual(["loc-rib"]);
    expect(kinds(changed("a", (one) => ({ best: others(one) })))).toEqual(["black-hole", "loc-rib"]);
    expect(kinds(changed("b", (one) => ({ best: [best("c"), ...others(one)] })))).toEqual(["loc-rib", "wrong-way"]);
    const foreign = changed("b", (one) => ({ best: [best("self", { origin: "b", path: [] }), ...others(one)] }));
    expect(kinds(foreign)).toEqual(["foreign-name", "loc-rib"]);
  });
});
