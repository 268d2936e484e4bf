// Which neighbour is asked, and what becomes of what it answers: whatever it likes, by a peer that may lie, hang or go.

import { describe, expect, test } from "bun:test";
import { FaultError, fault, memoryLog } from "@capstan/orchestrator";
import { reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { startWithWays } from "../../executor/elsewhere/elsewhere.fixture.ts";
import { faultFrom } from "../../hub.fixture.ts";
import { Room } from "../links/room.ts";
import { asking, Fake, flipping, nthCall, REQUEST } from "./forward.fixture.ts";

/** What is asked by then has been. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("who is asked", () => {
  test("the neighbour of the best path, and nobody else; what is not said is not sent", async () => {
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    expect(await asking({ b, c }).perform()).toEqual({ output: "berlin", via: "berlin" });
    const data = { name: "greet", input: { a: 1 }, origin: "b" };
    expect(b.asked).toEqual([
      [
        { resource: "action", action: "perform", data },
        { key: "m-1", request: REQUEST, via: [], hops: 1 },
      ],
    ]);
    expect(c.asked).toEqual([]);
    expect(b.sentAtOnce).toEqual(["perform"]);
  });

  test("all that is said crosses", async () => {
    const b = new Fake("berlin");
    const said = { correlation: "c", traceparent: "00-…", via: ["n-x"], hops: 3 };
    await asking({ b }).perform({ ...said, deadline: 6000, publication: "none", input: undefined });
    expect(nthCall(b)).toEqual([
      { resource: "action", action: "perform", data: { name: "greet", publication: "none", origin: "b" } },
      { ...said, timeout: 5000, key: "m-1", request: REQUEST, hops: 4 },
    ]);
  });

  test("of a deadline what is left of it, which is never less than nothing nor more than a year", async () => {
    for (const [deadline, timeout] of [
      [999, 0],
      [Date.UTC(2200), 365 * 86_400_000],
    ]) {
      const b = new Fake("berlin");
      await asking({ b }).perform({ deadline });
      expect(nthCall(b)[1]).toMatchObject({ timeout });
    }
  });

  test("the next at once where a session died before anything was sent", async () => {
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    b.ended = true;
    expect(await asking({ b, c }, ["gone", "b", "c"]).perform()).toMatchObject({ via: "cairo" });
    expect(b.asked).toEqual([]);
  });

  test("never one that it came from", async () => {
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    expect(await asking({ b, c }).perform({ via: ["a", "b"] })).toMatchObject({ via: "cairo" });
    const back = await faultFrom(asking({ b, c }).perform({ via: ["c", "b"] }));
    expect(back).toMatchObject({ code: "ACTION_UNREACHABLE" });
    expect(b.asked).toEqual([]);
  });

  test("nobody where there is no path, or it is our own", async () => {
    const b = new Fake("berlin");
    expect(await faultFrom(asking({ b }, [undefined]).perform())).toMatchObject({ code: "ACTION_UNREACHABLE" });
    expect(await faultFrom(asking({ b }).perform({ name: "other" }))).toMatchObject({ code: "ACTION_UNREACHABLE" });
  });

  test("in place where nothing has to be noted: of many the first is sent while the others begin", async () => {
    const b = new Fake("berlin");
    const performed = asking({ b }).perform({ asks: () => undefined });
    expect(b.asked).toHaveLength(1);
    await performed;
  });

  test("is noted before anything is sent; nothing is sent where it cannot be", async () => {
    const b = new Fake("berlin");
    const noted: [string, number][] = [];
    await asking({ b }).perform({ asks: async (node) => void noted.push([node, b.asked.length]) });
    expect(noted).toEqual([["b", 0]]);
    const full = new FaultError(fault("LOG_UNAVAILABLE", "the disk is full"));
    expect(await faultFrom(asking({ b }).perform({ asks: () => Promise.reject(full) }))).toBe(full);
    expect(b.asked).toHaveLength(1);
  });

  test("the next, noted as well, where the session died while it was noted; nobody where it was cancelled", async () => {
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    const noted: string[] = [];
    const asks = async (node: string): Promise<void> => {
      noted.push(node);
      b.ended = true;
    };
    expect(await asking({ b, c }).perform({ asks })).toMatchObject({ via: "cairo" });
    expect([noted, b.asked]).toEqual([["b", "c"], []]);
    const controller = new AbortController();
    const reason = new FaultError(fault("CANCELLED", "cancelled"));
    const cancel = async (): Promise<void> => controller.abort(reason);
    expect(await faultFrom(asking({ c }).perform({ asks: cancel, signal: controller.signal }))).toBe(reason);
    expect(c.asked).toHaveLength(1);
  });

  test("of what is not known the one that was asked, whatever path is best, or nobody", async () => {
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    expect(await asking({ b, c }, ["b"]).perform({ again: "c" })).toMatchObject({ via: "cairo" });
    expect(await faultFrom(asking({ b }).perform({ again: "c" }))).toMatchObject({
      code: "ACTION_UNREACHABLE",
      message: "greet: there is no session with c, which was asked, nor another way to ask",
    });
    expect(b.asked).toEqual([]);
  });
});

test("what no frame has room for is refused, and nobody is noted or asked", async () => {
  const [b, noted] = [new Fake("berlin"), [] as string[]];
  const input = "y".repeat(4 * 1024 * 1024);
  const performed = asking({ b }).perform({ input, asks: async (node) => void noted.push(node) });
  expect(await faultFrom(performed)).toMatchObject({ code: "TOO_LARGE" });
  expect([noted, b.asked]).toEqual([[], []]);
});

describe("a neighbour with room for one at a time", () => {
  const busy = (answers: Promise<unknown>[]) =>
    Object.assign(new Fake("berlin", () => answers.shift()), { room: new Room({ calls: 1, characters: 9000 }) });
  const done = { execution: "x-1KJMMA2G0E0J38R2" };

  test("is asked for the next one when the one before is answered", async () => {
    const first = Promise.withResolvers<unknown>();
    const b = busy([first.promise, Promise.resolve(done), Promise.resolve(done)]);
    const performed = [1, 2, 3].map(() => asking({ b }).perform());
    await turn();
    expect(b.asked).toHaveLength(1);
    first.resolve(done);
    await Promise.all(performed);
    expect(b.asked).toHaveLength(3);
    expect(b.room.isEmpty).toBe(true);
  });

  test("is not asked for what was cancelled in line, and whoever is behind that comes next", async () => {
    const first = Promise.withResolvers<unknown>();
    const b = busy([first.promise, Promise.resolve(done)]);
    const controller = new AbortController();
    const reason = new FaultError(fault("CANCELLED", "cancelled"));
    const [one, two, three] = [{}, { signal: controller.signal }, {}].map((more) => asking({ b }).perform(more));
    await turn();
    controller.abort(reason);
    expect(await faultFrom(two as Promise<unknown>)).toBe(reason);
    first.resolve(done);
    await Promise.all([one, three]);
    expect(b.asked).toHaveLength(2);
  });

  test("that is gone has nobody in line: the next is asked, and what it had not answered is ambiguous", async () => {
    const first = Promise.withResolvers<unknown>();
    const b = busy([first.promise]);
    const c = new Fake("cairo");
    const [one, two] = [1, 2].map(() => asking({ b, c }).perform());
    await turn();
    b.ended = true;
    b.room.end();
    first.reject(new Error("connection lost"));
    expect(await two).toMatchObject({ via: "cairo" });
    expect(await faultFrom(one as Promise<unknown>)).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    expect([b.asked.length, c.asked.length]).toEqual([1, 1]);
  });

  test("that is being stopped by the time that there is room is not asked any more", async () => {
    const first = Promise.withResolvers<unknown>();
    const b = Object.assign(busy([first.promise]), { leaving: false });
    const c = new Fake("cairo");
    const [one, two] = [1, 2].map(() => asking({ b, c }).perform());
    await turn();
    b.leaving = true;
    first.resolve(done);
    expect(await two).toMatchObject({ via: "cairo" });
    expect([await one, b.asked.length, b.room.isEmpty]).toEqual([{ via: "berlin" }, 1, true]);
  });

  test("takes a large input when there is less of others under way", async () => {
    const first = Promise.withResolvers<unknown>();
    const b = Object.assign(busy([first.promise, Promise.resolve(done)]), {
      room: new Room({ calls: 9, characters: 9000 }),
    });
    const input = "y".repeat(10_000);
    const performed = [input, 1].map((one) => asking({ b }).perform({ input: one }));
    await turn();
    expect(b.asked).toHaveLength(1);
    first.resolve(done);
    await Promise.all(performed);
  });
});

describe("a session that ends after it was asked", () => {
  test.each([
    ["with a text", () => new Error("connection lost")],
    ["with a system's code", () => Object.assign(new Error("reset"), { code: "ECONNRESET" })],
    ["with what looks like a fault", () => new FaultError(fault("FRAME_TOO_LARGE", "a frame is larger"))],
    ["with nothing", () => undefined],
  ])("%s is ambiguous, and nobody else is asked", async (_, thrown) => {
    const b: Fake = new Fake("berlin", () => {
      // Whoever waits may hear of it first.
      setTimeout(() => {
        b.ended = true;
      }, 0);
      throw thrown();
    });
    const c = new Fake("cairo");
    expect(await faultFrom(asking({ b, c }).perform())).toMatchObject({
      code: "EXECUTION_AMBIGUOUS",
      details: { peer: { name: "berlin", node: "b" } },
    });
    expect(c.asked).toEqual([]);
  });

  test("even where it was told without a code and the session is still there", async () => {
    const b = new Fake("berlin", () => Promise.reject(new Error("odd")));
    expect(await faultFrom(asking({ b }).perform())).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
  });
});

describe("a fault of the far side", () => {
  const far = (error: object) => new Fake("berlin", () => Promise.reject(Object.assign(new Error("no"), error)));
  const refused = (error: object) => faultFrom(asking({ b: far(error) }).perform());

  test.each(["EMPTY", "EXPIRED", "ERASED"])("keeps its code, also one that looks like a system's: %s", async (code) => {
    expect(await refused({ code, message: "it is" })).toMatchObject({ code, message: "berlin: it is" });
  });

  test("keeps its code, behind the peer's name, with who said so and by which message", async () => {
    const error = {
      code: "REFUSED",
      message: "g-2 allows nothing",
      details: { clause: "x" },
      id: "m-1KJMMA2G0E0J38R2",
    };
    expect((await refused(error)).toFault()).toEqual({
      code: "REFUSED",
      message: "berlin: g-2 allows nothing",
      details: { clause: "x", peer: { name: "berlin", node: "b", id: "m-1KJMMA2G0E0J38R2" } },
    });
  });

  test("that was handed on twice names both", async () => {
    const peer = { name: "cairo", node: "c", id: "m-1KJMMA2G0E0J38R3" };
    expect(await refused({ code: "REFUSED", message: "cairo: no", details: { peer } })).toMatchObject({
      message: "berlin: cairo: no",
      details: { peer: { name: "berlin", node: "b", peer } },
    });
  });

  test("whose details are a list keeps them as they are", async () => {
    const details = [{ path: "/name", problem: "is required" }];
    expect((await refused({ code: "INPUT_INVALID", message: "greet: …", details })).details).toEqual(details);
  });

  test.each(["", "lower", "WITH SPACE", "A".repeat(65), "É", "X\n"])("with the code %p is PEER_FAULT", async (code) => {
    expect(await refused({ code, message: "no" })).toMatchObject({
      code: "PEER_FAULT",
      details: { peer: { node: "b" } },
    });
  });

  test.each([
    ["a text that moves the cursor", { message: "a\u001b[2Jb" }, (it: FaultError) => !it.message.includes("\u001b")],
    ["an endless text", { message: "a".repeat(1e6) }, (it: FaultError) => it.message.length < 3000],
    ["no text", { message: 7 }, (it: FaultError) => it.message === "berlin: it gave no reason"],
    [
      "endless details",
      { details: { a: "a".repeat(1e6) } },
      (it: FaultError) => JSON.stringify(it.details).length < 200,
    ],
    ["live details", { details: { a: () => 1 } }, (it: FaultError) => JSON.stringify(it.details).length < 200],
    ["an id that is none", { id: "../x" }, (it: FaultError) => !JSON.stringify(it.details).includes("../x")],
    [
      "a peer that is none",
      { details: { peer: "x" } },
      (it: FaultError) => !JSON.stringify(it.details).includes('"x"'),
    ],
    ["a stack", { stack: "at secret.ts" }, (it: FaultError) => !JSON.stringify(it.toFault()).includes("secret")],
  ])("with %s is bounded", async (_, error, holds) => {
    expect(holds(await refused({ code: "ODD", message: "no", ...error }))).toBe(true);
  });
});

describe("an answer", () => {
  const answered = (answer: unknown) => asking({ b: new Fake("berlin", () => answer) }).perform();
  const execution = "x-1KJMMA2G0E0J38R2";

  test("without an output has none", async () => {
    expect(await answered({ execution })).toEqual({ via: "berlin" });
    expect(await answered({ execution, output: null, more: 1 })).toEqual({ output: null, via: "berlin" });
  });

  test.each([
    ["nothing", undefined],
    ["a text", "x"],
    ["a list", [execution]],
    ["no execution", { output: 1 }],
    ["an execution that is none", { execution: "x-1", output: 1 }],
    ["another message's answer", { grant: "g-1", principal: "x" }],
    ["that it is pending", { execution, pending: true }],
    ["a function", { execution, output: () => 1 }],
    ["a date", { execution, output: new Date(0) }],
    ["a number that JSON does not have", { execution, output: Number.NaN }],
    ["what says itself how it is written", { execution, output: { toJSON: () => "x" } }],
    ["a prototype", { execution, output: JSON.parse('{"__proto__":{"a":1}}') }],
    ["what is deeper than the log takes", { execution, output: JSON.parse(`${"[".repeat(200)}${"]".repeat(200)}`) }],
    ["more than the log takes", { execution, output: "a".repeat(5 * 1024 * 1024) }],
  ])("that is %s is refused", async (_, answer) => {
    expect(await faultFrom(answered(answer))).toMatchObject({
      code: "PEER_ANSWER_INVALID",
      details: { peer: { node: "b" } },
    });
  });

  test("gives back what it holds on the other side", async () => {
    let released = 0;
    await answered({ execution, output: 1, [Symbol.dispose]: () => released++ });
    expect(released).toBe(1);
  });

  test("that comes after it was cancelled is nobody's", async () => {
    const controller = new AbortController();
    const late = Promise.withResolvers();
    const reason = new FaultError(fault("CANCELLED", "cancelled"));
    const sent = Promise.withResolvers<void>();
    const b = new Fake("berlin", () => {
      sent.resolve();
      return late.promise;
    });
    const cancelled = faultFrom(asking({ b }).perform({ signal: controller.signal }));
    await sent.promise;
    controller.abort(reason);
    expect(await cancelled).toBe(reason);
    late.reject(new Error("late"));
    // Nothing is sent for what is cancelled already.
    const c = new Fake("cairo");
    expect(await faultFrom(asking({ c }).perform({ signal: controller.signal }))).toBe(reason);
    expect(c.asked).toEqual([]);
  });
});

describe("schemas", () => {
  test("are asked of the same neighbour", async () => {
    const b = new Fake("berlin", () => ({ input: true }));
    expect(await asking({ b }).describe()).toEqual({ input: true });
    expect(nthCall(b)[0]).toEqual({ resource: "action", action: "schemas", data: { name: "greet", origin: "b" } });
  });

  test("that are refused, or not told, say so", async () => {
    const b = new Fake("berlin", () => Promise.reject(Object.assign(new Error("no"), { code: "REFUSED" })));
    expect(await faultFrom(asking({ b }).describe())).toMatchObject({ code: "REFUSED", message: "berlin: no" });
    const c = new Fake("cairo", () => Promise.reject(new Error("lost")));
    expect(await faultFrom(asking({ c }).describe())).toMatchObject({ code: "ACTION_UNREACHABLE" });
  });
});

describe("a node that dies after the route flipped", () => {
  test("asks again whoever was really asked, by the same key, and not whom it had decided for", async () => {
    const log = memoryLog();
    const sent = Promise.withResolvers<void>();
    const hanging = new Fake("cairo", () => {
      sent.resolve();
      return new Promise(() => {});
    });
    const first = await startWithWays({ carrier: flipping({ "n-c": hanging }), log });
    // As of the decision the way is by n-b; by the time that it is carried out, n-c alone leads there.
    await first.learn("greet", { node: "n-b" });
    const { execution: id } = await first.app.action.perform({ name: "greet", input: 3 }, { wait: 0 });
    await sent.promise;
    // It dies: nothing is stopped, and no outcome recorded.
    const [b, c] = [new Fake("berlin"), new Fake("cairo")];
    const second = await startWithWays({
      carrier: flipping({ "n-b": b, "n-c": c }),
      log: reopened(log),
      clock: first.clock,
    });
    await second.learn("greet", { node: "n-b" });
    expect(await second.app.execution.show({ id })).toMatchObject({ state: "ambiguous" });
    expect(await second.app.execution.retry({ id })).toMatchObject({ output: "cairo", via: "cairo" });
    expect(b.asked).toEqual([]);
    expect(nthCall(c)[1]).toMatchObject({ key: (nthCall(hanging)[1] as { key: string }).key });
    await second.hub.stop();
  });
});
