// Sessions that end and come back (RFC 4724), tables that are sent again (RFC 2918, RFC 7313), and peers that fail for
// good.

import { describe, expect, test } from "bun:test";
import { announce, Bench, digestOf, namesIn, peer, policy } from "./rib.fixture.ts";

const A = "action:a";
const B = "action:b";
const C = "action:c";

const withTable = (): Bench => {
  const bench = new Bench().open(peer("n-1"), peer("n-2"));
  bench.receive("n-1", announce("n-1", [A, B]));
  bench.rib.endOfTable("n-1", bench.at);
  bench.drain("n-2");
  bench.rib.takeChanges();
  return bench;
};

describe("a session that is over for good", () => {
  test("takes the peer's paths with it, and alternatives take over at once", () => {
    const bench = withTable();
    bench.receive("n-2", announce("n-o", [A], { path: ["d-n-2", "d-x", "d-n-o"] }));
    bench.rib.closePeer("n-1", undefined, bench.at);
    expect([bench.bestFrom(A), bench.bestFrom(B)]).toEqual(["n-2", undefined]);
    expect([...bench.rib.received("n-1")]).toEqual([]);
    expect(bench.rib.takeChanges().map(({ name, now }) => [name, now?.attributes.peer])).toEqual([
      [A, "n-2"],
      [B, undefined],
    ]);
    expect(bench.drain("n-2").withdraw).toEqual([A, B]);
  });

  test("is no error for a peer that is not there", () => {
    const bench = new Bench();
    bench.rib.closePeer("n-x", undefined, bench.at);
    bench.rib.closePeer("n-x", 5000, bench.at);
    expect(bench.rib.endOfTable("n-x", bench.at)).toBe(0);
    expect(bench.rib.deadline()).toBeUndefined();
  });
});

describe("RFC 4724 §4.2: the receiving speaker", () => {
  const restarting = (): Bench => {
    const bench = withTable();
    bench.rib.closePeer("n-1", 10_000, bench.at);
    return bench;
  };

  test("keeps the paths as stale, chosen from as before, and tells nobody anything", () => {
    const bench = restarting();
    expect([bench.path(A, "n-1")?.stale, bench.bestFrom(A)]).toEqual([true, "n-1"]);
    expect(bench.rib.takeChanges()).toEqual([]);
    expect(bench.rib.pending("n-2")).toBe(false);
  });

  test("forgets what was not announced again when the table has come to its end", () => {
    const bench = restarting().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A, C]));
    expect([bench.path(A, "n-1")?.stale, bench.path(B, "n-1")?.stale]).toEqual([false, true]);
    expect(bench.rib.endOfTable("n-1", bench.at)).toBe(1);
    expect([bench.bestFrom(A), bench.bestFrom(B), bench.bestFrom(C)]).toEqual(["n-1", undefined, "n-1"]);
    bench.advanceTo(20_000);
    expect(bench.bestFrom(A)).toBe("n-1");
  });

  test("a path that is announced again as it was is no change, and not told again", () => {
    const bench = restarting().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A, B]));
    bench.rib.endOfTable("n-1", bench.at);
    expect(bench.rib.takeChanges()).toEqual([]);
    expect(bench.rib.pending("n-2")).toBe(false);
  });

  test("forgets them when the peer does not come back in time", () => {
    const bench = restarting();
    expect(bench.rib.deadline()).toBe(10_000);
    bench.advanceTo(9999);
    expect(bench.bestFrom(A)).toBe("n-1");
    bench.advanceTo(10_000);
    expect(bench.rib.best(A)).toBeUndefined();
    expect(bench.drain("n-2").withdraw).toEqual([A, B]);
  });

  test("a peer that comes back and never ends its table loses its stale paths all the same", () => {
    const bench = restarting();
    bench.advanceTo(9000);
    bench.open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.advanceTo(18_999);
    expect(bench.bestFrom(B)).toBe("n-1");
    bench.advanceTo(19_000);
    expect([bench.bestFrom(A), bench.bestFrom(B)]).toEqual(["n-1", undefined]);
  });

  test("consecutive restarts: what was stale already is deleted", () => {
    const bench = restarting().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.closePeer("n-1", 20_000, bench.at);
    expect([bench.path(A, "n-1")?.stale, bench.path(B, "n-1")]).toEqual([true, undefined]);
  });

  test("paths that a change of policy touches meanwhile are stale as before", () => {
    const bench = restarting();
    const tagged = policy({ name: "tag", then: "accept", set: { addTags: ["tag"] } });
    bench.rib.reconfigure({ peers: [peer("n-1", { import: tagged })] }, bench.at);
    expect(bench.path(A, "n-1")).toMatchObject({ stale: true, attributes: { tags: "tag" } });
    bench.open(peer("n-1", { import: tagged }));
    expect(bench.rib.endOfTable("n-1", bench.at)).toBe(2);
    expect([...bench.rib.names()]).toEqual([]);
  });

  test("to hear once more that the session is lost changes nothing", () => {
    const bench = restarting();
    bench.rib.closePeer("n-1", 90_000, bench.at);
    expect([bench.bestFrom(A), bench.rib.deadline()]).toEqual(["n-1", 10_000]);
  });

  test("a hard end after a graceful one forgets them", () => {
    const bench = restarting();
    bench.rib.closePeer("n-1", undefined, bench.at);
    expect(bench.rib.best(A)).toBeUndefined();
    expect(bench.rib.deadline()).toBeUndefined();
  });

  test("a stale path is withdrawn and replaced as any other", () => {
    const bench = restarting().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [[B, digestOf("new")]]), [A]);
    expect([bench.bestFrom(A), bench.rib.best(B)?.digest]).toEqual([undefined, digestOf("new")]);
    expect(bench.rib.endOfTable("n-1", bench.at)).toBe(0);
  });

  test("a peer that comes back as one of another domain starts from nothing", () => {
    const bench = restarting().open(peer("n-1", { domain: "d-other" }));
    expect(bench.rib.best(A)).toBeUndefined();
    bench.receive("n-1", announce("n-1", [A], { domain: "d-other" }));
    expect(bench.rib.best(A)?.attributes.path).toBe("d-other");
  });

  test("a session that replaces another without a word starts from nothing", () => {
    const bench = withTable().open(peer("n-1"));
    expect(bench.rib.best(A)).toBeUndefined();
    bench.receive("n-1", announce("n-1", [B]));
    bench.receive("n-2", announce("n-2", [C]));
    expect(namesIn(bench.drain("n-1").announce)).toEqual([C]);
  });
});

describe("RFC 7313: a refresh", () => {
  test("§4: what is not in the table that is sent again goes with its end", () => {
    const bench = withTable();
    bench.rib.refreshBegins("n-1", bench.at);
    expect(bench.path(A, "n-1")?.stale).toBe(true);
    bench.receive("n-1", announce("n-1", [A]));
    expect(bench.rib.endOfTable("n-1", bench.at)).toBe(1);
    expect([bench.bestFrom(A), bench.bestFrom(B)]).toEqual(["n-1", undefined]);
  });

  test("§4: is not taken to begin before the session's first table is whole", () => {
    const bench = new Bench().open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.refreshBegins("n-1", bench.at);
    expect(bench.path(A, "n-1")?.stale).toBe(false);
    expect(bench.rib.endOfTable("n-1", bench.at)).toBe(0);
    bench.rib.closePeer("n-1", 10_000, bench.at);
    bench.open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.refreshBegins("n-1", bench.at);
    expect(bench.path(A, "n-1")?.stale).toBe(false);
  });

  test("that a loss of the session cuts short costs no path: all were announced in that session", () => {
    const bench = withTable();
    bench.rib.refreshBegins("n-1", bench.at);
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.closePeer("n-1", 10_000, bench.at);
    expect([bench.path(A, "n-1")?.stale, bench.path(B, "n-1")?.stale]).toEqual([true, true]);
  });

  test("that begins again before its end is one refresh: nothing that came in between is looked at twice", () => {
    const bench = withTable();
    bench.rib.refreshBegins("n-1", bench.at);
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.refreshBegins("n-1", bench.at);
    expect([bench.path(A, "n-1")?.stale, bench.path(B, "n-1")?.stale]).toEqual([false, true]);
    expect(bench.rib.endOfTable("n-1", bench.at)).toBe(1);
    bench.rib.refreshBegins("n-1", bench.at);
    expect(bench.path(A, "n-1")?.stale).toBe(true);
    bench.rib.closePeer("n-1", 10_000, bench.at);
    bench.open(peer("n-1"));
    bench.receive("n-1", announce("n-1", [A]));
    bench.rib.endOfTable("n-1", bench.at);
    bench.rib.refreshBegins("n-1", bench.at);
    expect(bench.path(A, "n-1")?.stale).toBe(true);
  });

  test("an end-of-table without a beginning sweeps nothing", () => {
    const bench = withTable();
    expect(bench.rib.endOfTable("n-1", bench.at)).toBe(0);
    expect(bench.bestFrom(A)).toBe("n-1");
  });
});
