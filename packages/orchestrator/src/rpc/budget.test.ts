import { describe, expect, test } from "bun:test";
import { SessionBudget } from "./budget.ts";
import type { SessionLimits } from "./limits.ts";

const call = '["push",["pipeline",0,["f"],[]]]';
const map = (steps: number, subject = 1) =>
  `["push",["remap",${subject},[],[],[${Array(steps).fill('["pipeline",0,["a"]]')}]]]`;
const refers = (...ids: number[]) => `["push",["pipeline",0,["f"],[${ids.map((id) => `["pipeline",${id}]`)}]]]`;

async function authenticated(limits: Partial<SessionLimits> = {}): Promise<SessionBudget> {
  const budget = new SessionBudget(limits);
  budget.authenticating(Promise.resolve());
  await budget.pendingAuthentication;
  return budget;
}

/** The limit that was breached. */
function breach(act: () => void): string | undefined {
  try {
    act();
  } catch (error) {
    const { code, details } = error as { code: string; details?: { limit: string } };
    return details?.limit ?? code;
  }
  return undefined;
}

describe("before authentication", () => {
  test("eight calls, and the ninth ends the session for good", () => {
    const budget = new SessionBudget();
    for (let i = 0; i < 8; i++) budget.frame(call);
    expect(breach(() => budget.frame(call))).toBe("calls");
    expect(breach(() => budget.frame('["pull",1]'))).toBe("calls");
  });

  test("no map", () => {
    expect(breach(() => new SessionBudget().frame(map(1)))).toBe("maps");
  });

  test("small frames only, judged before they are parsed", () => {
    expect(breach(() => new SessionBudget().frame(" ".repeat(64 * 1024 + 1)))).toBe("frameBytes");
  });

  test("few copies", () => {
    const budget = new SessionBudget();
    budget.frame(call);
    budget.result(Array(1_000).fill(0));
    expect(breach(() => budget.frame(refers(1, 1, 1, 1, 1)))).toBe("copiedValues");
  });

  test("a failed authentication changes nothing", async () => {
    const budget = new SessionBudget();
    budget.authenticating(Promise.reject(new Error("no")));
    expect(budget.pendingAuthentication).toBeDefined();
    await budget.pendingAuthentication;
    expect(budget.pendingAuthentication).toBeUndefined();
    expect(budget.authenticated).toBe(false);
    expect(breach(() => budget.frame(map(1)))).toBe("maps");
  });
});

describe("calls", () => {
  test("in flight are bounded and given back", async () => {
    const budget = await authenticated({ callsInFlight: 2 });
    budget.callStarted();
    budget.callStarted();
    budget.callEnded();
    budget.callStarted();
    expect(breach(() => budget.callStarted())).toBe("callsInFlight");
  });

  test("a breach inside a call tells whoever carries the session", async () => {
    const budget = await authenticated({ callsInFlight: 0 });
    const heard: string[] = [];
    budget.onBreach((fault) => heard.push(fault.code));
    expect(breach(() => budget.callStarted())).toBe("callsInFlight");
    expect(breach(() => budget.callStarted())).toBe("callsInFlight");
    expect(heard).toEqual(["SESSION_BUDGET"]);
  });

  test("are not taken where nobody can see them end", async () => {
    for (const frame of [
      '["push",["pipeline",0,["f"],[["pipeline",0,["f"],[]]]]]',
      '["resolve",1,["pipeline",0,["f"],[]]]',
    ]) {
      const budget = await authenticated();
      expect(breach(() => budget.frame(frame))).toBe("nestedCalls");
    }
  });
});

describe("maps", () => {
  test("inside maps are always refused", async () => {
    const budget = await authenticated();
    const nested = '["push",["remap",1,[],[],[["remap",0,[],[],[["pipeline",0]]]]]]';
    expect(breach(() => budget.frame(nested))).toBe("nestedMaps");
  });

  test("cost their steps times the longest list that was returned", async () => {
    const budget = await authenticated({ expansionsPerMap: 100 });
    budget.frame(call);
    budget.result({ deep: { items: Array(25).fill(1) } });
    budget.frame(map(4));
    expect(breach(() => budget.frame(map(5)))).toBe("expansionsPerMap");
  });

  test("are charged again for a list that arrives later", async () => {
    const budget = await authenticated({ expansionsPerMap: 100 });
    budget.frame(call);
    budget.frame(map(10));
    budget.result(Array(10).fill(1));
    expect(breach(() => budget.result(Array(11).fill(1)))).toBe("expansionsPerMap");
  });

  test("that are done are not", async () => {
    const budget = await authenticated({ expansionsPerMap: 100 });
    budget.frame(call);
    budget.frame(map(10));
    budget.frame('["pull",2]');
    budget.sent(["resolve", 2, []], '["resolve",2,[[]]]');
    budget.result(Array(11).fill(1));
  });

  test("over what a map spelled out cost that list's length", async () => {
    const budget = await authenticated({ expansionsPerMap: 100 });
    budget.frame(call);
    budget.frame(`["push",["remap",1,[],[],[[[${Array(50).fill(0)}]]]]]`);
    expect(breach(() => budget.frame(map(3, 2)))).toBe("expansionsPerMap");
  });
});

describe("copies", () => {
  test("of a result are charged while the push is not over", async () => {
    const budget = await authenticated({ copiedValues: 10_000 });
    budget.frame(call);
    budget.result(Array(4_000).fill(0));
    budget.frame(refers(1));
    budget.frame(refers(1));
    expect(breach(() => budget.frame(refers(1)))).toBe("copiedValues");
  });

  test("are given back with the push", async () => {
    const budget = await authenticated({ copiedValues: 10_000 });
    budget.frame(call);
    budget.result(Array(4_000).fill(0));
    for (let id = 2; id < 100; id++) {
      budget.frame(refers(1));
      budget.frame(`["pull",${id}]`);
      budget.sent(["resolve", id, 0], `["resolve",${id},0]`);
      budget.frame(`["release",${id},1]`);
    }
  });

  test("of a result that is still to come are charged when it comes", async () => {
    const budget = await authenticated({ copiedValues: 10_000 });
    budget.frame(call);
    budget.frame(refers(1, 1, 1, 1));
    expect(breach(() => budget.result(Array(4_000).fill(0)))).toBe("copiedValues");
  });

  test("that double with each map over the last end early", async () => {
    const budget = await authenticated();
    budget.frame(call);
    budget.result([1]);
    const ended = breach(() => {
      for (let id = 1; id < 40; id++)
        budget.frame(`["push",["remap",${id},[],[],[[[["pipeline",0],["pipeline",0]]]]]]`);
    });
    expect(ended).toBe("copiedValues");
  });

  test("an ordinary map of a thousand rows over and over is no copying", async () => {
    const budget = await authenticated();
    const rows = Array.from({ length: 1_000 }, (_, id) => ({ id, name: "n", at: 1, state: { code: "x", since: 2 } }));
    for (let id = 1; id < 200; id += 2) {
      budget.frame(call);
      budget.result(rows);
      budget.frame(
        `["push",["remap",${id},[],[["import",${id}]],[["pipeline",0,["id"]],["pipeline",-1,["show"],[{"id":["pipeline",1]}]],["pipeline",2]]]]`,
      );
      for (const done of [id, id + 1]) {
        budget.frame(`["pull",${done}]`);
        budget.sent(["resolve", done, 0], `["resolve",${done},0]`);
        budget.frame(`["release",${done},1]`);
      }
    }
    expect(budget.liveExports).toBe(0);
  });
});

describe("live exports", () => {
  test("a client that never releases is ended", async () => {
    const budget = await authenticated({ liveExports: 100 });
    for (let i = 0; i < 100; i++) budget.frame(call);
    expect(breach(() => budget.frame(call))).toBe("liveExports");
  });

  test("a released call that still runs is live, and is pulled to learn of its end", async () => {
    const budget = await authenticated({ liveExports: 2 });
    budget.frame(call);
    expect(budget.frame('["release",1,1]').pullFirst).toBe(true);
    expect(budget.liveExports).toBe(1);
    expect(budget.sent(["resolve", 1, 0], '["resolve",1,0]')).toBe(false);
    expect(budget.liveExports).toBe(0);
  });

  test("a released call keeps its bytes until it ends", async () => {
    const budget = await authenticated({ inboundBytes: 3 * call.length });
    const three = () => {
      for (let id = 1; id <= 4; id++) {
        budget.frame(call);
        budget.frame(`["release",${id},1]`);
      }
    };
    expect(breach(three)).toBe("inboundBytes");
  });

  test("stubs that were handed out and not given back are live", async () => {
    const budget = await authenticated({ liveExports: 2 });
    const hand = (id: number) => {
      const message = ["resolve", 1, { scope: ["export", id], text: '["export",' }];
      budget.sent(message, JSON.stringify(message));
    };
    hand(-1);
    hand(-2);
    budget.frame('["release",-1,1]');
    hand(-3);
    expect(breach(() => hand(-4))).toBe("liveExports");
  });

  test("stubs in the arguments of our own calls count too", async () => {
    const budget = await authenticated();
    const message = ["push", ["pipeline", -1, [], [["export", -2]]]];
    budget.sent(message, JSON.stringify(message));
    expect(budget.liveExports).toBe(1);
  });

  test("data that looks like a stub does not count", async () => {
    const budget = await authenticated();
    const message = ["resolve", 1, [["export", -1]]];
    budget.sent(message, JSON.stringify(message));
    expect(budget.liveExports).toBe(0);
  });
});

test("a malformed frame ends the session as invalid", async () => {
  const budget = await authenticated();
  expect(breach(() => budget.frame('["push"'))).toBe("FRAME_INVALID");
  expect(breach(() => budget.frame(call))).toBe("FRAME_INVALID");
});
