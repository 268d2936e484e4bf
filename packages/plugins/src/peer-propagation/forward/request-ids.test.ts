// A request is done once whichever way it goes, and wherever its first node is killed between two steps: the far end is a real hub,
// which two neighbours lead to; what is killed is the log's process.

import { describe, expect, test } from "bun:test";
import { forwardedBy, type Log, memoryLog } from "@capstan/orchestrator";
import { altered, dyingAfter, reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { startWithWays } from "../../executor/elsewhere/elsewhere.fixture.ts";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { forwarder } from "./forward.ts";
import type { Neighbour } from "./neighbour.ts";

/** The node that has the action, as its peers `b` and `c` ask it. */
async function farEnd(may = ["action.perform", "action.recall"]) {
  const runs: unknown[] = [];
  const greet = protocol("greet", async ({ input }) => {
    runs.push(input);
    await new Promise((resolve) => setImmediate(resolve));
    return runs.length;
  });
  const far = await startWithWays({ id: "n-o", protocols: [greet] });
  await far.app.action.register({ name: "greet", protocol: "greet" });
  const grants = new Map<string, { principal: string; grant: string }>();
  for (const name of ["b", "c"]) grants.set(name, await far.app.grant.create({ principal: `by-${name}`, allow: may }));
  const ask: (by: string) => Neighbour["call"] = (by) => (message, options) => {
    const as = grants.get(by) as { principal: string; grant: string };
    return far.runtime.apply(message, as, options, forwardedBy(`n-${by}`, far.runtime.node.id, options));
  };
  return { ...far, runs, ask };
}

type FarEnd = Awaited<ReturnType<typeof farEnd>>;

/** A neighbour whose session can end. */
class Middle implements Neighbour {
  ended = false;
  /** Told when something is asked of it; what it answers is done before, or in the place of, the asking. */
  during: (ask: () => Promise<unknown>) => Promise<unknown> = (ask) => ask();

  constructor(
    readonly name: string,
    readonly far: FarEnd,
  ) {}

  call: Neighbour["call"] = (message, options) => this.during(() => this.far.ask(this.name)(message, options));

  /** Its session ends while it was asked. */
  break(): Promise<never> {
    this.ended = true;
    return Promise.reject(new Error("connection lost"));
  }
}

/** From some moment on nothing more is kept. */
function killable(log: Log) {
  let dead = false;
  const kill = (): void => {
    dead = true;
  };
  const dying = altered(log, {
    append: (expectedHead, entries) => (dead ? hanging() : log.append(expectedHead, entries)),
  });
  return { log: dying, kill };
}

const hanging = (): Promise<never> => new Promise(() => {});

function first(log: Log, far: FarEnd) {
  const [b, c] = [new Middle("b", far), new Middle("c", far)];
  const carrier = forwarder({
    now: () => 0,
    pathsOf: () => ["b", "c"].map((peer) => ({ peer, origin: "n-o" })),
    neighbour: (node) => ({ b, c })[node],
  });
  return { b, c, start: () => startWithWays({ carrier, log }) };
}

describe.each([
  ["the first neighbour had handed it on", true],
  ["it had not", false],
])("%s, and the node is killed", (_, handedOn) => {
  test.each([
    ["when it was decided, before anything is sent", "decided"],
    ["when the first neighbour was asked", "sent"],
    ["when its session had ended, before the next one is noted", "lost"],
    ["when the next one was noted, before it is asked", "noted"],
    ["when the next one was asked", "asked"],
    ["when that one had answered, before it is kept", "answered"],
  ])("%s: it is done once", async (_, moment) => {
    const far = await farEnd();
    const stored = memoryLog();
    const after = { decided: "action.perform", noted: "execution.ask" }[moment];
    const { log, kill } = killable(after === undefined ? stored : dyingAfter(stored, (message) => message === after));
    const at = (name: string): void => {
      if (name === moment) kill();
    };
    const { b, c, start } = first(log, far);
    const over = Promise.withResolvers<void>();
    b.during = async (ask) => {
      at("sent");
      if (handedOn) await ask();
      if (moment === "sent") over.resolve();
      at("lost");
      if (moment === "lost") setImmediate(over.resolve);
      return b.break();
    };
    c.during = async (ask) => {
      at("asked");
      const answer = await ask();
      at("answered");
      setImmediate(over.resolve);
      return moment === "asked" ? hanging() : answer;
    };
    const one = await start();
    await one.learn("greet", { node: "b", origin: "n-o" });
    one.app.action.perform({ name: "greet", input: 7 }, { key: "k" }).catch(() => {});
    if (after !== undefined)
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    else await over.promise;

    const again = first(reopened(stored), far);
    const two = await again.start();
    await two.learn("greet", { node: "b", origin: "n-o" });
    const { items } = (await two.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
    const [{ id }, ...more] = items as [{ id: string }];
    expect(more).toEqual([]);
    expect(await two.app.execution.retry({ id })).toMatchObject({ output: 1 });
    expect(far.runs).toEqual([7]);
    await two.hub.stop();
    await far.hub.stop();
  });
});

test("the disk fails as the next way is noted: what the first may have done is not known, and no failure", async () => {
  const far = await farEnd();
  const stored = memoryLog();
  let full = false;
  const check = (): void => {
    if (full) throw new Error("ENOSPC");
  };
  const log = altered(stored, {
    append(expectedHead, entries) {
      check();
      return stored.append(expectedHead, entries);
    },
    probe: check,
  });
  const { b, start } = first(log, far);
  b.during = async (ask) => {
    await ask();
    full = true;
    return b.break();
  };
  const { app, learn, hub, clock } = await start();
  await learn("greet", { node: "b", origin: "n-o" });
  const asked = faultFrom(app.action.perform({ name: "greet", input: 7 }, { key: "k" }));
  while (!full) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  full = false;
  clock.advance(1000);
  expect(await asked).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
  const { items } = (await app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
  expect(await app.execution.retry({ id: items[0]?.id as string })).toMatchObject({ output: 1 });
  expect(far.runs).toEqual([7]);
  await hub.stop();
  await far.hub.stop();
});

test("what comes of it where it was tried again is told as the execution's, too", async () => {
  const log = memoryLog();
  const far = (work: () => Promise<unknown>, of: Log) =>
    startWithWays({ id: "n-o", protocols: [protocol("greet", work)], log: of });
  const one = await far(hanging, log);
  await one.app.action.register({ name: "greet", protocol: "greet" });
  const as = await one.app.grant.create({ principal: "by-b", allow: ["action.perform"] });
  const message = { resource: "action", action: "perform", data: { name: "greet" } };
  const by = { via: ["n-b"], hops: 1, request: Buffer.alloc(16, 7).toString("base64url") };
  one.runtime.apply(message, as, {}, by).catch(() => {});
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  const two = await far(() => Promise.reject(new Error("no")), reopened(log));
  const { items } = (await two.app.execution.list({ state: "ambiguous" })) as { items: { id: string }[] };
  const id = items[0]?.id as string;
  await faultFrom(two.app.execution.retry({ id }));
  const told = await faultFrom(two.runtime.apply(message, as, {}, by));
  expect(told).toMatchObject({ code: "ACTION_FAILED", details: { execution: id } });
  await two.hub.stop();
});

describe("what a request gives nobody", () => {
  test("a neighbour on the way that asks with another input is refused, and so is whoever comes after it with the right one", async () => {
    const far = await farEnd();
    const { b, c, start } = first(memoryLog(), far);
    // It alters what it hands on, and goes.
    const handOn = b.call;
    b.call = (message, options) => handOn({ ...message, data: { ...(message.data as object), input: 8 } }, options);
    b.during = async (ask) => {
      await ask();
      return b.break();
    };
    const told: unknown[] = [];
    c.during = (ask) =>
      ask().catch((thrown: { code: string }) => {
        told.push(thrown.code);
        throw thrown;
      });
    const { app, learn, hub } = await start();
    await learn("greet", { node: "b", origin: "n-o" });
    const lost = await faultFrom(app.action.perform({ name: "greet", input: 7 }));
    expect([lost.code, told, far.runs]).toEqual(["EXECUTION_AMBIGUOUS", ["KEY_REUSED"], [8]]);
    await hub.stop();
    await far.hub.stop();
  });

  test("whoever may not perform it himself learns nothing by knowing it", async () => {
    const far = await farEnd(["action.perform:other"]);
    const options = { key: "k", via: [], hops: 1, request: Buffer.alloc(16, 3).toString("base64url") };
    const message = { resource: "action", action: "perform", data: { name: "greet", input: 7 } };
    await far.runtime.apply(message, await far.app.grant.create({ principal: "q", allow: ["*"] }), {}, options);
    expect((await faultFrom(far.ask("b")(message, options))).code).toBe("REFUSED");
    await far.hub.stop();
  });
});
