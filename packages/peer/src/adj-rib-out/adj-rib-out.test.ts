import { describe, expect, test } from "bun:test";
import { readChunk } from "../origin/read-chunk.ts";
import { disclose } from "../origin/sign.ts";
import { announce, Bench, chunks, digestOf, namesIn, peer, policy } from "../rib/rib.fixture.ts";
import type { Outgoing } from "../rib/rib.ts";
import type { Announcement } from "../wire/message.ts";
import { FRAME_BYTES } from "../wire/read-message.ts";

const A = "action:a";
const B = "action:b";
const routes = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `action:r${String(at).padStart(5, "0")}`);

const bytesOf = (sent: Outgoing): number => Buffer.byteLength(JSON.stringify(sent));

describe("what a peer is told", () => {
  test("RFC 4271 §5.1.2: our domain in front of the path, where it leaves our domain", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [[A, digestOf("a")]], { path: ["d-n-1", "d-n-o"], tags: ["fast"] }));
    const { announce: told } = bench.drain("n-2");
    expect(told).toMatchObject([{ path: "home d-n-1 d-n-o", tags: "fast", leaves: [[A, digestOf("a")]] }]);
    expect(told[0]).not.toHaveProperty("localPreference");
    expect(told[0]?.origin.node).toBe("n-o");
  });

  test("RFC 4271 §5.1.5: inside the domain the path as it is, and the preference", () => {
    const prefer = policy({ name: "prefer", then: "accept", unowned: true, set: { localPreference: 250 } });
    const bench = new Bench().open(peer("n-1", { import: prefer }), peer("n-2", { domain: "home", export: policy() }));
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.originate(chunks("n-home", [B], { domain: "home" }), [], bench.at);
    expect(bench.drain("n-2").announce).toMatchObject([
      { path: "d-n-1", localPreference: 250, leaves: [[A, ""]] },
      { path: "", localPreference: 100, leaves: [[B, ""]] },
    ]);
  });

  test("split horizon: nothing to the peer that it came from, nor from inside the domain to the inside", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2", { domain: "home" }), peer("n-3", { domain: "home" }));
    bench.receive("n-1", announce("n-1", [A]));
    bench.receive("n-2", announce("n-2", [B], { path: [], domain: "home" }));
    expect(namesIn(bench.drain("n-1").announce)).toEqual([B]);
    expect(namesIn(bench.drain("n-2").announce)).toEqual([A]);
    expect(namesIn(bench.drain("n-3").announce)).toEqual([A]);
  });

  test("split horizon: when the best path becomes one of the peer's own, it is told to forget ours", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-x", "d-n-o"] }));
    expect(namesIn(bench.drain("n-2").announce)).toEqual([A]);
    bench.receive("n-2", announce("n-o", [A], { path: ["d-n-2", "d-n-o"] }));
    expect(bench.drain("n-2")).toMatchObject({ withdraw: [A], announce: [] });
    expect(namesIn(bench.drain("n-1").announce)).toEqual([A]);
  });

  test("what has the peer's own domain in its path is not told to it: it would be a loop there", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-o", [A], { path: ["d-n-1", "d-n-2", "d-n-o"] }));
    expect(bench.drain("n-2").announce).toEqual([]);
  });

  test("RFC 8212: nothing leaves the domain that no policy lets out", () => {
    const bench = new Bench().open(peer("n-1", { export: policy() }));
    bench.rib.originate(chunks("n-home", [A], { domain: "home" }), [], bench.at);
    expect(bench.drain("n-1")).toMatchObject({ announce: [], ends: 1 });
  });

  test("the clause sets and prepends; what it lets out may follow from whom it was learned", () => {
    const out = policy(
      { name: "own", then: "accept", match: { learnedFrom: ["self"] }, set: { prepend: 2, addTags: ["own"] } },
      { name: "customer", then: "accept", match: { learnedFrom: ["n-1"] } },
    );
    const bench = new Bench().open(peer("n-1"), peer("n-3"), peer("n-2", { export: out }));
    bench.rib.originate(chunks("n-home", [A], { domain: "home" }), [], bench.at);
    bench.receive("n-1", announce("n-1", [B]));
    bench.receive("n-3", announce("n-3", ["action:c"]));
    expect(bench.drain("n-2").announce).toMatchObject([
      { path: "home home home", tags: "own", leaves: [[A, ""]] },
      { path: "home d-n-1", leaves: [[B, ""]] },
    ]);
  });

  test("of a chunk only what is let out, and hashes for the rest: the origin's signature still holds", () => {
    const noSecrets = policy(
      { name: "secrets", then: "reject", match: { routes: ["action:r00002", "action:r00005"] } },
      { name: "rest", then: "accept" },
    );
    const bench = new Bench().open(peer("n-1"), peer("n-2", { export: noSecrets }));
    const [original] = announce("n-1", routes(7));
    bench.receive("n-1", [original!]);
    const [told] = bench.drain("n-2").announce;
    expect(namesIn([told!])).toEqual(routes(7).filter((name) => !/[25]$/.test(name)));
    expect(JSON.stringify(told)).not.toContain("r00002");
    expect(readChunk(told!)).toMatchObject({ ok: true, chunk: { root: expect.any(String) } });
    const [whole, part] = [readChunk(original!), readChunk(told!)];
    expect(whole.ok && part.ok && whole.chunk.root === part.chunk.root).toBe(true);
  });
});

describe("only real changes are told", () => {
  test("a name that changes back before it is told is not told", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    const first = announce("n-1", [A]);
    bench.receive("n-1", first);
    bench.drain("n-2");
    bench.receive("n-1", [], [A]);
    bench.receive("n-1", first);
    expect(bench.drain("n-2")).toMatchObject({ withdraw: [], announce: [] });
  });

  test("a name that came and went before it was told is not told", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.drain("n-2");
    bench.receive("n-1", announce("n-1", [A]));
    bench.receive("n-1", [], [A]);
    expect(bench.rib.pending("n-2")).toBe(false);
  });

  test("a change of the best path that looks the same from outside is not told", () => {
    const tagged = policy({ name: "tag", then: "accept", unowned: true, set: { localPreference: 300 } });
    const bench = new Bench().open(peer("n-1", { domain: "d-x" }), peer("n-2"));
    const told = announce("n-o", [A], { path: ["d-x", "d-n-o"] });
    bench.receive("n-1", told);
    expect(bench.drain("n-2").announce).toHaveLength(1);
    bench.open(peer("n-3", { domain: "d-x", import: tagged }));
    bench.receive("n-3", told);
    expect(bench.bestFrom(A)).toBe("n-3");
    expect(bench.drain("n-2")).toMatchObject({ withdraw: [], announce: [] });
  });

  test("and then nothing is kept of the path that looked the same and is gone", () => {
    const bench = new Bench().open(peer("n-1", { domain: "d-x" }), peer("n-3", { domain: "d-x" }), peer("n-2"));
    const [whole] = announce("n-o", [A, B], { path: ["d-x", "d-n-o"] });
    const reading = readChunk(whole!);
    if (!reading.ok) throw new Error(reading.text);
    const part = { ...whole!, leaves: [...disclose(reading.chunk, new Set([A]))] as Announcement["leaves"] };
    bench.receive("n-1", [whole!]);
    bench.receive("n-3", [part]);
    bench.drain("n-2");
    bench.rib.closePeer("n-1", undefined, bench.at);
    expect(bench.drain("n-2")).toMatchObject({ withdraw: [B], announce: [] });
    expect([...bench.rib.advertised("n-2")].map(({ chunk }) => chunk.leaves)).toEqual([part.leaves]);
  });

  test("RFC 4271 §5.1.5: another preference is told inside the domain, and means nothing outside", () => {
    const prefer = (localPreference: number) =>
      peer("n-1", { import: policy({ name: "prefer", then: "accept", set: { localPreference } }) });
    const bench = new Bench().open(prefer(200), peer("n-2"), peer("n-3", { domain: "home" }));
    bench.receive("n-1", announce("n-1", [A]));
    for (const each of ["n-2", "n-3"]) bench.drain(each);
    bench.rib.reconfigure({ peers: [prefer(300)] }, bench.at);
    expect(bench.drain("n-2").announce).toEqual([]);
    expect(bench.drain("n-3").announce).toMatchObject([{ localPreference: 300 }]);
  });

  test("a route that is signed anew is told again, or it would expire there", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.drain("n-2");
    bench.receive("n-1", announce("n-1", [A], { expires: 1_700_005_000 }));
    expect(bench.drain("n-2").announce).toMatchObject([{ origin: { expires: 1_700_005_000 } }]);
  });

  test("a withdrawal is told to those who were told the route, and to nobody else", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"), peer("n-3", { export: policy() }));
    bench.receive("n-1", announce("n-1", [A]));
    for (const each of ["n-2", "n-3"]) bench.drain(each);
    bench.receive("n-1", [], [A]);
    expect(bench.drain("n-2").withdraw).toEqual([A]);
    expect(bench.drain("n-3").withdraw).toEqual([]);
  });
});

describe("the whole table", () => {
  test("comes first, in bounded updates, chunk by chunk, and then its end (RFC 4724 §2)", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", routes(1000), { chunkSize: 100 }));
    bench.open(peer("n-2"));
    let routesTold = 0;
    let announcements = 0;
    for (let ended = false; !ended; ) {
      const { announce: told, endOfTable } = bench.rib.take("n-2", 250);
      expect(namesIn(told).length).toBeLessThanOrEqual(250);
      routesTold += namesIn(told).length;
      announcements += told.length;
      ended = endOfTable;
    }
    expect([routesTold, announcements]).toEqual([1000, 10]);
    expect(bench.rib.pending("n-2")).toBe(false);
  });

  test("of nothing is its end", () => {
    const bench = new Bench().open(peer("n-1"));
    expect(bench.drain("n-1")).toMatchObject({ withdraw: [], announce: [], ends: 1 });
  });

  test("a chunk larger than an update goes out in parts", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", routes(200)));
    const { announce: told } = bench.drain("n-2", 64);
    expect(namesIn(told)).toEqual(routes(200));
    expect(told.every(({ leaves }) => leaves.length <= 64 + 8)).toBe(true);
  });

  test("an update is bounded in bytes too, however long names and paths were made", () => {
    const long = Array.from(
      { length: 4096 },
      (_, at) => `${"k".repeat(32)}:${String(at).padStart(4, "0")}${"𠮷".repeat(251)}`,
    );
    const hops = Array.from({ length: 60 }, (_, hop) => `d-${String(hop).padEnd(60, "x")}`);
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    const quotes = announce("n-o", [`action:${'"'.repeat(250)}`], { path: ["d-n-1", ...hops, "d-n-o"] });
    bench.receive("n-1", [...announce("n-1", long), ...quotes]);
    const sizes: number[] = [];
    while (bench.rib.pending("n-2")) sizes.push(bytesOf(bench.rib.take("n-2", 4096)));
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThan(FRAME_BYTES.proved);
    bench.rib.closePeer("n-1", undefined, bench.at);
    const withdrawals: number[] = [];
    while (bench.rib.pending("n-2")) withdrawals.push(bytesOf(bench.rib.take("n-2", 4096)));
    expect(Math.max(...withdrawals)).toBeLessThan(FRAME_BYTES.proved);
    expect([...bench.rib.advertised("n-2")]).toEqual([]);
  });

  test("an update has no more announcements and withdrawals than the wire's schema lets it have", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", routes(1100), { chunkSize: 1 }));
    const updates: number[] = [];
    while (bench.rib.pending("n-2")) updates.push(bench.rib.take("n-2", 20_000).announce.length);
    expect(updates).toEqual([1024, 76]);
    bench.rib.originate(chunks("n-home", routes(17_000), { domain: "home" }), [], bench.at);
    bench.drain("n-2", 20_000);
    bench.rib.closePeer("n-1", undefined, bench.at);
    bench.rib.originate([], routes(17_000), bench.at);
    const gone: number[] = [];
    while (bench.rib.pending("n-2")) gone.push(bench.rib.take("n-2", 20_000).withdraw.length);
    expect(gone).toEqual([16_384, 616]);
  });

  test("routes that are alone in their chunks fill an update at least by half", () => {
    const someOf = (_: string, at: number): boolean => at % 8 === 0;
    const few = policy({ name: "few", then: "accept", match: { routes: routes(240).filter(someOf) } });
    const bench = new Bench().open(peer("n-1"), peer("n-2", { export: few }));
    bench.receive("n-1", announce("n-1", routes(240), { chunkSize: 8 }));
    const { announce: told, updates } = bench.drain("n-2", 10);
    expect(namesIn(told)).toEqual(routes(240).filter(someOf));
    expect(updates).toBeLessThanOrEqual(6);
  });

  test("what changes while it is told is told, and does not keep it from its end", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", routes(1000), { chunkSize: 10 }));
    bench.open(peer("n-2"));
    let ended = false;
    for (let round = 0; round < 60 && !ended; round += 1) {
      const flapping = round % 2 === 0 ? digestOf("even") : digestOf("odd");
      const busy = routes(100).map((name): [string, string] => [name, flapping]);
      bench.receive("n-1", announce("n-1", busy, { chunkSize: 10 }));
      ended = bench.rib.take("n-2", 50).endOfTable;
    }
    expect(ended).toBe(true);
    bench.drain("n-2");
    expect([...bench.rib.advertised("n-2")]).toHaveLength(1000);
  });

  test("RFC 4724 §4.1: its end is held back while we wait for our peers' tables, and all that is not our own", () => {
    const bench = new Bench();
    bench.open(peer("n-1"), peer("n-2"));
    bench.rib.keepBack("n-1", "others");
    bench.receive("n-2", announce("n-2", [A]));
    bench.rib.originate(chunks("n-home", [B], { domain: "home" }), [], bench.at);
    const { ends, announce: told } = bench.drain("n-1");
    expect([ends, namesIn(told)]).toEqual([0, [B]]);
    expect(bench.rib.pending("n-1")).toBe(false);
    bench.rib.keepBack("n-1", "end");
    expect(bench.rib.pending("n-1")).toBe(true);
    const rest = bench.drain("n-1");
    expect([rest.ends, namesIn(rest.announce)]).toEqual([0, [A]]);
    bench.rib.keepBack("n-1", "nothing");
    expect(bench.rib.pending("n-1")).toBe(true);
    const after = bench.drain("n-1");
    expect([after.ends, namesIn(after.announce)]).toEqual([1, []]);
  });

  test("RFC 2918: is told again to its end, though the policy changes in between", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", routes(20), { chunkSize: 4 }));
    bench.drain("n-2");
    bench.rib.resend("n-2");
    const first = bench.rib.take("n-2", 8);
    const noneOf3 = policy(
      { name: "3", then: "reject", match: { routes: ["action:r00003"] } },
      { name: "rest", then: "accept" },
    );
    bench.rib.reconfigure({ peers: [peer("n-2", { export: noneOf3 })] }, bench.at);
    const rest = bench.drain("n-2");
    const told = new Set(namesIn([...first.announce, ...rest.announce]));
    expect(told.size).toBe(20);
    expect([rest.withdraw, rest.ends]).toEqual([["action:r00003"], 1]);
    expect([...bench.rib.advertised("n-2")]).toHaveLength(19);
  });

  test("RFC 2918: is told again, as it is, when the peer asks", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A, B]));
    bench.drain("n-2");
    bench.receive("n-1", [], [B]);
    bench.rib.resend("n-2");
    const told = bench.drain("n-2");
    expect([told.withdraw, namesIn(told.announce), told.ends]).toEqual([[B], [A], 1]);
  });
});

describe("what was told", () => {
  test("is known name by name", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"), peer("n-3", { domain: "home" }));
    bench.receive("n-1", announce("n-1", [[A, digestOf("a")], B], { tags: ["t"] }));
    expect([...bench.rib.advertised("n-2")]).toEqual([]);
    bench.drain("n-2");
    bench.drain("n-3");
    const shared = { tags: "t", chunk: expect.anything() };
    expect([...bench.rib.advertised("n-2")]).toEqual([
      { name: A, digest: digestOf("a"), path: "home d-n-1", ...shared },
      { name: B, digest: "", path: "home d-n-1", ...shared },
    ]);
    expect([...bench.rib.advertised("n-3")][0]).toMatchObject({ path: "d-n-1", localPreference: 100 });
  });

  test("is nothing once the session is over", () => {
    const bench = new Bench().open(peer("n-1"), peer("n-2"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.drain("n-2");
    bench.rib.closePeer("n-2", 10_000, bench.at);
    expect([...bench.rib.advertised("n-2")]).toEqual([]);
    expect([bench.rib.pending("n-2"), bench.rib.take("n-2", 10)]).toEqual([
      false,
      { withdraw: [], announce: [], endOfTable: false },
    ]);
    bench.open(peer("n-2"));
    expect(namesIn(bench.drain("n-2").announce)).toEqual([A]);
  });
});
