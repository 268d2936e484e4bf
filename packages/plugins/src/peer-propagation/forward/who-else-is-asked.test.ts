// Who is asked beside the neighbour of the best path, and after it: nobody by whom it could be done twice.

import { describe, expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import { faultFrom } from "../../hub.fixture.ts";
import { type CarriedCall, Unsettled } from "../../registry/elsewhere.ts";
import { asking, Fake, nthCall, REQUEST } from "./forward.fixture.ts";
import type { PathTo } from "./neighbour.ts";

describe("who else is asked", () => {
  const execution = "x-1KJMMA2G0E0J38R2";
  const path = (peer: string, origin: string, more: Partial<PathTo> = {}): PathTo => ({
    peer,
    origin,
    digest: "d",
    ...more,
  });
  /** Its session ends while it is asked. */
  const dying = (name: string): Fake => {
    const fake: Fake = new Fake(name, () => {
      fake.ended = true;
      throw new Error("connection lost");
    });
    return fake;
  };
  const refusing = (name: string, code: string, details?: object) =>
    new Fake(name, () => Promise.reject(Object.assign(new Error("no"), { code, details })));

  test("after a loss: another way to the same node, by the same key and request, noted before", async () => {
    const [b, c] = [dying("berlin"), new Fake("cairo")];
    const noted: unknown[] = [];
    const asks: CarriedCall["asks"] = async (node, way) => void noted.push([node, way, c.asked.length]);
    expect(await asking({ b, c }, [path("b", "o"), path("c", "o")]).perform({ asks })).toMatchObject({ via: "cairo" });
    expect(nthCall(c)).toEqual(nthCall(b));
    expect(nthCall(c)).toMatchObject([{ data: { origin: "o" } }, { key: "m-1", request: REQUEST }]);
    const way = { origin: "o", repeatable: undefined };
    expect(noted).toEqual([
      ["b", { ...way, open: [] }, 0],
      ["c", { ...way, open: ["b"] }, 0],
    ]);
  });

  test.each([
    ["to another node", path("b", "o"), path("c", "p"), {}],
    [
      "where that alone promises that it does no harm",
      path("b", "o"),
      path("c", "p", { repeatable: "idempotent" }),
      {},
    ],
    ["that does not promise it", path("b", "o", { repeatable: "idempotent" }), path("c", "p"), {}],
    [
      "to what takes something else",
      path("b", "o", { repeatable: "idempotent" }),
      path("c", "p", { repeatable: "idempotent", digest: "e" }),
      {},
    ],
    ["without a request", path("b", "o"), path("c", "o"), { request: undefined }],
    ["past the time for which it is remembered", path("b", "o"), path("c", "o"), { until: 1000 }],
    ["where it came from", path("b", "o"), path("c", "o"), { via: ["c"] }],
  ] as const)("no way %s", async (_, first, second, more) => {
    const [b, c] = [dying("berlin"), new Fake("cairo")];
    const lost = await faultFrom(asking({ b, c }, [first, second]).perform(more));
    expect(lost).toMatchObject({ code: "EXECUTION_AMBIGUOUS", details: { peer: { node: "b" } } });
    expect(c.asked).toEqual([]);
  });

  test("any provider of the same, where all promise that it does no harm; none of them is bound to a node", async () => {
    const [b, c, d] = [dying("berlin"), dying("cairo"), new Fake("delhi")];
    const paths = [path("b", "o", { repeatable: "read-only" }), path("c", "p", { repeatable: "idempotent" })];
    const last = path("d", "q", { repeatable: "idempotent" });
    expect(await asking({ b, c, d }, [...paths, last]).perform()).toMatchObject({ via: "delhi" });
    expect((nthCall(d)[0] as { data: object }).data).toEqual({ name: "greet", input: { a: 1 } });
  });

  test("where one of several did not promise it, none is that leads elsewhere", async () => {
    const [b, c, d] = [dying("berlin"), dying("cairo"), new Fake("delhi")];
    const idempotent = { repeatable: "idempotent" } as const;
    const paths = [path("b", "o", idempotent), path("c", "o"), path("d", "p", idempotent)];
    await asking({ b, c, d }, paths)
      .perform()
      .catch(() => {});
    expect([c.asked.length, d.asked.length]).toEqual([0, 1]);
  });

  test("after a loss a refusal tells nothing, and what an execution came to tells all", async () => {
    const both = [path("b", "o"), path("c", "o")];
    const refused = asking({ b: dying("berlin"), c: refusing("cairo", "REFUSED", { clause: "x" }) }, both);
    expect(await faultFrom(refused.perform())).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    const unknown = asking({ b: dying("berlin"), c: refusing("cairo", "EXECUTION_AMBIGUOUS") }, both);
    expect(await faultFrom(unknown.perform())).toMatchObject({ details: { peer: { node: "c" } } });
    const failed = asking({ b: dying("berlin"), c: refusing("cairo", "ACTION_FAILED", { execution }) }, both);
    expect(await faultFrom(failed.perform())).toMatchObject({ code: "ACTION_FAILED", details: { execution } });
  });

  test("where one says that it does not know, as after a loss", async () => {
    const [b, c] = [refusing("berlin", "EXECUTION_AMBIGUOUS"), new Fake("cairo")];
    expect(await asking({ b, c }, [path("b", "o"), path("c", "o")]).perform()).toMatchObject({ via: "cairo" });
    expect(await faultFrom(asking({ b, c }, [path("b", "o"), path("c", "p")]).perform())).toMatchObject({
      code: "EXECUTION_AMBIGUOUS",
    });
  });

  test("nobody, where that cannot be noted; and it is not known any better for it", async () => {
    const full = new FaultError(fault("LOG_UNAVAILABLE", "nothing was done"));
    const [b, c] = [dying("berlin"), new Fake("cairo")];
    const asks = async (node: string): Promise<void> => {
      if (node === "c") throw full;
    };
    const both = [path("b", "o"), path("c", "o")];
    const lost = await faultFrom(asking({ b, c }, both).perform({ asks }));
    expect(lost).toMatchObject({ code: "EXECUTION_AMBIGUOUS", details: { peer: { node: "b" } } });
    // Of what was asked before this began nothing is told, whatever was refused here.
    const again = await faultFrom(asking({ c }, both).perform({ asks, again: "b", origin: "o" }));
    expect([again.code, again.details]).toEqual(["ACTION_UNREACHABLE", undefined]);
    // Where nobody was asked, nothing was done.
    expect(await faultFrom(asking({ c }, both).perform({ asks }))).toBe(full);
    expect(c.asked).toEqual([]);
  });

  test("after a restart as well: none that takes something else", async () => {
    const promised = { again: "b", repeatable: "idempotent", digest: "d" } as const;
    const [c, d] = [new Fake("cairo"), new Fake("delhi")];
    const paths = [
      path("c", "p", { repeatable: "idempotent", digest: "e" }),
      path("d", "q", { repeatable: "idempotent" }),
    ];
    expect(await asking({ c, d }, paths).perform(promised)).toMatchObject({ via: "delhi" });
    expect(c.asked).toEqual([]);
  });

  test("who does not know is waited for once: whoever was asked again is asked again already", async () => {
    const unknown: string[] = [];
    const ask = (again?: string) =>
      faultFrom(
        asking(
          { b: refusing("berlin", "EXECUTION_AMBIGUOUS"), c: refusing("cairo", "EXECUTION_AMBIGUOUS") },
          [path("b", "o"), path("c", "o")],
          unknown,
        ).perform(again === undefined ? {} : { again, origin: "o" }),
      );
    await ask();
    expect(unknown).toEqual(["b", "c"]);
    await ask("b");
    expect(unknown.slice(2)).toEqual(["c"]);
  });

  test.each(["ACTION_UNREACHABLE", "ACTION_UNKNOWN", "PEER_SESSION_OVER", "STOPPING", "FORWARDED_BACK"])(
    "the next, where one says %s before it did anything; where all do, it is what they said",
    async (code) => {
      const [b, c] = [refusing("berlin", code), new Fake("cairo")];
      expect(await asking({ b, c }).perform()).toMatchObject({ via: "cairo" });
      expect(await faultFrom(asking({ b }).perform())).toMatchObject({ code, message: "berlin: no" });
    },
  );

  test.each([
    ["has no code", undefined, /^greet: berlin answered with no fault's code, so that it may have been running; /],
    ["is a system's", "ECONNRESET", /^greet: berlin answered with no fault's code, /],
    ["is one answer too many", "SESSION_BUDGET", /^greet: berlin: no; execution.retry asks berlin/],
  ])("later the same one, where its refusal %s: it says what is known", async (_, code, message) => {
    const unknown: string[] = [];
    const b = refusing("berlin", code as string);
    expect(await faultFrom(asking({ b }, ["b"], unknown).perform())).toMatchObject({
      code: "EXECUTION_AMBIGUOUS",
      message: expect.stringMatching(message),
    });
    expect(unknown).toEqual(["b"]);
  });

  test("nobody, where an execution's own fault has the code of an answer too many", async () => {
    for (const details of [{ execution }, [{ path: "/a", problem: "b" }]]) {
      const performed = asking({ b: refusing("berlin", "SESSION_BUDGET", details) }).perform();
      expect(await faultFrom(performed)).toMatchObject({ code: "SESSION_BUDGET" });
    }
  });

  test("nobody, where no session leads there; whoever would is named, a few of them", async () => {
    const paths = ["b", "c", "d", "e"].map((peer) => path(peer, "o"));
    const said = async (some: PathTo[], neighbours: Record<string, Fake> = {}) =>
      (await faultFrom(asking(neighbours, some).perform())).message;
    const b = new Fake("berlin");
    b.ended = true;
    const two = "greet: there is no session with berlin, c now, and nobody else leads there";
    expect(await said(paths.slice(0, 2), { b })).toBe(two);
    const four = "greet: there is no session with b, c, d, or another of 4 now, and nobody else leads there";
    expect(await said(paths)).toBe(four);
  });

  test.each([
    ["an execution's", { execution }],
    ["with details of its own", [{ path: "/a", problem: "b" }]],
  ])("nobody, where the same code is %s", async (_, details) => {
    const [b, c] = [refusing("berlin", "ACTION_UNREACHABLE", details), new Fake("cairo")];
    expect(await faultFrom(asking({ b, c }).perform())).toMatchObject({ code: "ACTION_UNREACHABLE" });
    expect(c.asked).toEqual([]);
  });

  test("of what is not known: whoever was asked first, then another way to that node", async () => {
    const again = { again: "b", origin: "o" };
    const [b, c, d] = [new Fake("berlin"), new Fake("cairo"), new Fake("delhi")];
    const paths = [path("d", "p"), path("c", "o"), path("b", "o")];
    expect(await asking({ b, c, d }, paths).perform(again)).toMatchObject({ via: "berlin" });
    b.ended = true;
    expect(await asking({ b, c, d }, paths).perform(again)).toMatchObject({ via: "cairo" });
    expect(d.asked).toEqual([]);
  });

  test("of what is not known: whoever says for good that it did nothing of it is asked anew, by a key that is noted before", async () => {
    const kept = (final = true): Fake =>
      new Fake("berlin", (_, { key }: { key?: string }) => {
        if (key === "x-1.2") return { execution, output: "now" };
        throw Object.assign(new Error("no session"), { code: "ACTION_UNREACHABLE", details: { final } });
      });
    const again = { again: "b", origin: "o" };
    const b = kept();
    const noted: unknown[] = [];
    const asks: CarriedCall["asks"] = async (node, { key }) => void noted.push([node, key, b.asked.length]);
    expect(await asking({ b }, [path("b", "o")]).perform({ ...again, asks })).toMatchObject({ output: "now" });
    expect(b.asked.map(([, options]) => options)).toMatchObject([{ key: "m-1" }, { key: "x-1.2", request: REQUEST }]);
    expect(noted).toEqual([
      ["b", undefined, 0],
      ["b", "x-1.2", 1],
    ]);
    const [unsure, forgotten, one] = [kept(false), kept(), kept()];
    const far = { ...again, until: 1000 - 12 * 3_600_000 };
    for (const [fake, more] of [
      [unsure, again],
      [forgotten, far],
      // The other one may have done it.
      [one, { ...again, open: ["c"] }],
    ] as const) {
      const unsettled = await faultFrom(asking({ b: fake }, [path("b", "o")]).perform(more));
      expect([unsettled instanceof Unsettled, fake.asked.length]).toEqual([true, 1]);
    }
  });
});

describe("whom the caller addressed", () => {
  const at = (neighbour: string, further?: string) => ({ address: { neighbour, node: neighbour, further } });

  test("is asked, whatever path there is, and told who is behind it", async () => {
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    expect(await asking({ b, c }, ["b"]).perform(at("c", "delhi/e"))).toMatchObject({ via: "cairo" });
    expect(nthCall(c)[0].data).toEqual({ name: "greet", input: { a: 1 }, at: "delhi/e" });
    expect(b.asked).toEqual([]);
  });

  test("alone: nobody else where there is no session, or it breaks", async () => {
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    c.ended = true;
    expect(await faultFrom(asking({ b, c }).perform(at("c")))).toMatchObject({
      code: "ACTION_UNREACHABLE",
      message: "greet: there is no session with c now",
    });
    const d: Fake = new Fake("delhi", () => {
      d.ended = true;
      throw new Error("lost");
    });
    expect(await faultFrom(asking({ b, d }, ["b", "d"]).perform(at("d")))).toMatchObject({
      code: "EXECUTION_AMBIGUOUS",
    });
    expect(b.asked).toEqual([]);
  });

  test("as an origin: by the best way that leads there, by its node or its domain, and by no other", async () => {
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    const paths = [
      { peer: "b", origin: "n-p" },
      { peer: "c", origin: "n-o", domain: "acme" },
    ];
    for (const origin of ["n-o", "acme"])
      expect(await asking({ b, c }, paths).perform({ address: { origin } })).toMatchObject({ via: "cairo" });
    expect(nthCall(c)[0].data).toMatchObject({ origin: "n-o" });
    expect(await faultFrom(asking({ b, c }, paths).perform({ address: { origin: "n-q" } }))).toMatchObject({
      code: "ACTION_UNREACHABLE",
      message: 'greet: no way leads to an origin "n-q", and no peer of that name has a session',
    });
  });
});

describe("of what is not known, asked again", () => {
  const path = (peer: string, origin: string): PathTo => ({ peer, origin, digest: "d" });
  const saying = (name: string, code: string, details: object) =>
    new Fake(name, () => Promise.reject(Object.assign(new Error("no"), { code, details })));
  const both = [path("b", "o"), path("c", "o")];
  const again = { again: "b", origin: "o" } as const;

  test("a last word is what became of it, and is told without saying that it is ours", async () => {
    const b = saying("berlin", "REFUSED", { final: true, clause: "x" });
    const told = await faultFrom(asking({ b }, [path("b", "o")]).perform(again));
    expect(told).toMatchObject({ code: "REFUSED", details: { clause: "x", peer: { node: "b" } } });
    expect([told.details, b.asked.length]).toEqual([{ clause: "x", peer: { name: "berlin", node: "b" } }, 1]);
  });

  test("where it was that nothing was done, others may do it now", async () => {
    const b = saying("berlin", "ACTION_UNREACHABLE", { final: true });
    expect(await asking({ b, c: new Fake("cairo") }, both).perform(again)).toMatchObject({ via: "cairo" });
    const gone = await faultFrom(asking({ b }, [path("b", "o")]).perform(again));
    expect(gone).toMatchObject({ code: "ACTION_UNREACHABLE", details: { peer: { node: "b" } } });
  });

  test("a refusal that is no last word tells nothing, nor does the last word of one who was not asked before", async () => {
    const b = saying("berlin", "REFUSED", { clause: "x" });
    const c = saying("cairo", "REFUSED", { final: true });
    expect(await thrownBy(asking({ b, c }, both).perform(again))).toEqual(new Set(["b"]));
  });

  test.each([
    ["that its deadline passed, as of another one", "DEADLINE_EXCEEDED", { execution: "x-1KJMMA2G0E0J38R2" }, true],
    ["a last word", "REFUSED", { final: true }, true],
    ["an input that does not fit", "INPUT_INVALID", [{ path: "/a", problem: "b" }], true],
    ["what an execution failed with", "ACTION_FAILED", { execution: "x-1KJMMA2G0E0J38R2" }, false],
  ])("where it may be forgotten by then: %s", async (_, code, details, isUnknown) => {
    const ask = (until: number) =>
      faultFrom(asking({ b: saying("berlin", code, details) }, []).perform({ ...again, until }));
    expect(await ask(1000 - 12 * 3_600_000)).toMatchObject({ code: isUnknown ? "ACTION_UNREACHABLE" : code });
    expect((await ask(1000 - 12 * 3_600_000)) instanceof Unsettled).toBe(isUnknown);
    expect(await ask(1001 - 12 * 3_600_000)).toMatchObject({ code });
  });

  test("as long as one is left of whom nobody knows, it is not known; each is asked, by the same key", async () => {
    const [b, c] = [saying("berlin", "REFUSED", { final: true }), saying("cairo", "REFUSED", { final: true })];
    const open = { ...again, open: ["c", "d"] };
    expect(await thrownBy(asking({ b, c }, []).perform(open))).toEqual(new Set(["d"]));
    expect([b, c].map((one) => (nthCall(one)[1] as { key: string }).key)).toEqual(["m-1", "m-1"]);
    const told = await faultFrom(asking({ b, c, d: saying("delhi", "DENIED", { final: true }) }, []).perform(open));
    expect(told).toMatchObject({ code: "DENIED", details: { peer: { node: "d" } } });
    // Of an execution's outcome one is enough.
    const d = new Fake("delhi");
    expect(await asking({ b, d }, []).perform(open)).toMatchObject({ via: "delhi" });
  });
});

/** Who may still see to what nobody knows. */
async function thrownBy(asked: Promise<unknown>): Promise<ReadonlySet<string>> {
  const thrown = await faultFrom(asked);
  if (!(thrown instanceof Unsettled)) throw thrown;
  return new Set(thrown.open);
}

test("what was cancelled is waited for no more, and asked of nobody else", async () => {
  const controller = new AbortController();
  const [b, c] = [new Fake("berlin", () => new Promise(() => {})), new Fake("cairo")];
  const cancelled = faultFrom(asking({ b, c }).perform({ signal: controller.signal }));
  await new Promise((resolve) => setImmediate(resolve));
  const reason = new FaultError(fault("CANCELLED", "cancelled"));
  controller.abort(reason);
  expect(await cancelled).toBe(reason);
  expect([b.asked.length, c.asked.length]).toEqual([1, 0]);
});
