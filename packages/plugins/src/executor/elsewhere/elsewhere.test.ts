// Performing what is not here: what is sent for it, and what becomes of every way that it can end. The far side is the test.

import { describe, expect, test } from "bun:test";
import { FaultError, fault, memoryLog, siblingId } from "@capstan/orchestrator";
import { reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { faultFrom, protocol, scopeOf } from "../../hub.fixture.ts";
import type { Carried, CarriedCall } from "../../registry/elsewhere.ts";
import { recording, startWithWays } from "./elsewhere.fixture.ts";

const echoed = () => recording(({ input }) => ({ output: input, via: "berlin" }));
const throwing = (code: string, details?: unknown) =>
  new FaultError(fault(code, "berlin: no", details as { peer: object } | undefined));
const AMBIGUOUS = () => throwing("EXECUTION_AMBIGUOUS", { peer: { name: "berlin", node: "n-b" } });

describe("what is not here and can be reached", () => {
  test("is performed there, once, with what the caller said of the call", async () => {
    const carrier = echoed();
    const { app, learn, hub, clock } = await startWithWays({ carrier });
    await learn("team/greet");
    const deadline = clock.now() + 5000;
    const { execution, output, via } = await app.action.perform(
      { name: "team/greet", input: { name: "Yuki" } },
      { deadline, correlation: "c-1", key: "k" },
    );
    expect([output, via]).toEqual([{ name: "Yuki" }, "berlin"]);
    expect(carrier.calls).toHaveLength(1);
    expect(carrier.calls[0]).toMatchObject({
      ...{ name: "team/greet", input: { name: "Yuki" }, deadline, correlation: "c-1", via: [], again: undefined },
      // The message's id, and not the caller's own key: those of two callers may be the same.
      key: siblingId(execution, "m"),
    });
    expect(await app.execution.show({ id: execution })).toMatchObject({ state: "done", action: "team/greet" });
    await hub.stop();
  });

  test("the same key twice asks there once", async () => {
    const carrier = echoed();
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    const [one, two] = await Promise.all([
      app.action.perform({ name: "greet", input: 1 }, { key: "k" }),
      app.action.perform({ name: "greet", input: 1 }, { key: "k" }),
    ]);
    expect(one).toEqual(two);
    expect(carrier.calls).toHaveLength(1);
    await hub.stop();
  });

  test("is recorded with the way that was read", async () => {
    const { app, learn, hub } = await startWithWays({ carrier: echoed() });
    await learn("greet");
    const { execution } = await app.action.perform({ name: "greet" });
    const explained = await app.log.explain({ id: siblingId(execution, "m") });
    expect(JSON.stringify(explained)).toContain("by berlin, of n-b");
    await hub.stop();
  });

  test("what is here wins, and the way is there again when it is removed", async () => {
    const carrier = echoed();
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    await app.action.register({ name: "greet", protocol: "echo" });
    expect(await app.action.perform({ name: "greet", input: 1 })).not.toHaveProperty("via");
    await app.action.remove({ name: "greet" });
    expect(await app.action.perform({ name: "greet", input: 1 })).toHaveProperty("via", "berlin");
    expect(carrier.calls).toHaveLength(1);
    await hub.stop();
  });

  test("what is nowhere is unknown, and the suggestion is of what is here", async () => {
    const { app, learn, forget, hub } = await startWithWays({ carrier: echoed() });
    await app.action.register({ name: "great", protocol: "echo" });
    await learn("greet");
    await forget("greet");
    expect(await faultFrom(app.action.perform({ name: "greet" }))).toMatchObject({
      code: "ACTION_UNKNOWN",
      message: 'there is no action "greet"; did you mean "great"?',
    });
    await hub.stop();
  });

  test("takes the caller's right, like any other", async () => {
    const carrier = echoed();
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    const eve = scopeOf(hub, await app.grant.create({ principal: "eve", allow: ["action.perform:other"] }));
    expect(await faultFrom(eve.action.perform({ name: "greet" }))).toMatchObject({ code: "REFUSED" });
    expect(carrier.calls).toHaveLength(0);
    await hub.stop();
  });

  test("is published where the action is, and not here", async () => {
    const carrier = echoed();
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    await app.action.perform({ name: "greet", publication: "none" });
    await app.action.perform({ name: "greet" });
    expect(carrier.calls.map(({ publication }) => publication)).toEqual(["none", undefined]);
    const { items } = await app.log.list({});
    expect(JSON.stringify(items)).not.toContain('"publishes"');
    await hub.stop();
  });
});

describe("what comes of it", () => {
  test("a fault of the far side's keeps its code and details", async () => {
    const carrier = recording(() => Promise.reject(throwing("REFUSED", { peer: { name: "berlin", node: "n-b" } })));
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    const refused = await faultFrom(app.action.perform({ name: "greet" }));
    expect(refused).toMatchObject({ code: "REFUSED", message: "berlin: no", details: { peer: { node: "n-b" } } });
    // It is the fault of our message: `explain` begins here.
    expect(refused.id).toStartWith("m-");
    await hub.stop();
  });

  test("what throws anything else is ACTION_FAILED, and what answers no JSON OUTPUT_INVALID", async () => {
    const carrier = recording((_, nth) => {
      if (nth === 1) throw new Error("odd");
      return { output: { deep: 1n }, via: "berlin" };
    });
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    expect(await faultFrom(app.action.perform({ name: "greet" }))).toMatchObject({ code: "ACTION_FAILED" });
    expect(await faultFrom(app.action.perform({ name: "greet" }))).toMatchObject({ code: "OUTPUT_INVALID" });
    await hub.stop();
  });

  test("nobody who carries it is ACTION_UNREACHABLE", async () => {
    const { app, learn, hub } = await startWithWays({});
    await learn("greet");
    expect(await faultFrom(app.action.perform({ name: "greet" }))).toMatchObject({ code: "ACTION_UNREACHABLE" });
    await hub.stop();
  });

  test("a local action of the same name does not try again what failed there", async () => {
    let failed = 0;
    const { app, learn, hub } = await startWithWays({
      carrier: recording(async () => {
        failed++;
        await app.action.register({ name: "greet", protocol: "echo", idempotent: true, attempts: 3 });
        throw throwing("ACTION_FAILED");
      }),
    });
    await learn("greet");
    expect(await faultFrom(app.action.perform({ name: "greet" }))).toMatchObject({ code: "ACTION_FAILED" });
    expect(failed).toBe(1);
    await hub.stop();
  });

  test("its deadline is the caller's, or the way's, or ten minutes", async () => {
    const carrier = echoed();
    const { app, learn, hub, clock } = await startWithWays({ carrier });
    await learn("greet");
    await app.action.perform({ name: "greet" });
    await learn("greet", { timeout: 1000 });
    await app.action.perform({ name: "greet" });
    await app.action.perform({ name: "greet" }, { deadline: clock.now() + 10 });
    expect(carrier.calls.map(({ deadline }) => (deadline as number) - clock.now())).toEqual([600_000, 1000, 10]);
    await hub.stop();
  });

  test("past its deadline it has failed, and the carrier is told", async () => {
    let aborted = false;
    const carrier = recording(
      ({ signal }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => {
            aborted = true;
          });
        }),
    );
    const { app, learn, hub, clock } = await startWithWays({ carrier });
    await learn("greet", { timeout: 1000 });
    const late = faultFrom(app.action.perform({ name: "greet" }));
    await carrier.asked(1);
    clock.advance(1000);
    expect(await late).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(aborted).toBe(true);
    await hub.stop();
  });

  test("cancelled, the carrier is told", async () => {
    let aborted = false;
    const carrier = recording(
      ({ signal }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => {
            aborted = true;
          });
        }),
    );
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    const cancelled = faultFrom(app.action.perform({ name: "greet" }));
    await carrier.asked(1);
    await app.execution.cancel({ id: siblingId((carrier.calls[0] as CarriedCall).key, "x") });
    expect(await cancelled).toMatchObject({ code: "CANCELLED" });
    expect(aborted).toBe(true);
    await hub.stop();
  });
});

describe("what nobody knows", () => {
  test("is listed, and asked again by the same key of whoever was asked", async () => {
    const carrier = recording((_, nth) => {
      if (nth === 1) throw AMBIGUOUS();
      return { output: "done then", via: "berlin" };
    });
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet", { node: "n-other" });
    expect(await faultFrom(app.action.perform({ name: "greet", input: 7 }))).toMatchObject({
      code: "EXECUTION_AMBIGUOUS",
    });
    const { items } = await app.execution.list({ state: "ambiguous" });
    expect(items).toHaveLength(1);
    const id = (items[0] as { id: string }).id;
    expect(await app.execution.retry({ id })).toMatchObject({ output: "done then", via: "berlin" });
    const [first, second] = carrier.calls as [CarriedCall, CarriedCall];
    expect([second.key, second.input, second.again]).toEqual([first.key, 7, "n-b"]);
    expect(await app.execution.show({ id })).toMatchObject({ state: "done" });
    await hub.stop();
  });

  test("stays unknown where whoever was asked cannot be asked, and a deadline tells nothing either", async () => {
    const carrier = recording(({ signal }, nth) => {
      if (nth === 1) throw AMBIGUOUS();
      if (nth === 2) throw throwing("ACTION_UNREACHABLE");
      if (nth === 3) return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      throw throwing("INPUT_INVALID", [{ path: "/a" }]);
    });
    const { app, learn, forget, hub, clock } = await startWithWays({ carrier });
    await learn("greet");
    await faultFrom(app.action.perform({ name: "greet" }));
    const id = siblingId((carrier.calls[0] as CarriedCall).key, "x");
    // Nor does it matter that nobody announces it any more, or that it is here now.
    await forget("greet");
    await app.action.register({ name: "greet", protocol: "echo" });
    expect(await faultFrom(app.execution.retry({ id }))).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    const late = faultFrom(app.execution.retry({ id }, { deadline: clock.now() + 10 }));
    await carrier.asked(3);
    clock.advance(10);
    expect(await late).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    expect(await app.execution.show({ id })).toMatchObject({ state: "ambiguous" });
    // What it was refused with then is what became of it.
    expect(await faultFrom(app.execution.retry({ id }))).toMatchObject({ code: "INPUT_INVALID" });
    expect(await app.execution.show({ id })).toMatchObject({ state: "failed" });
    expect(new Set(carrier.calls.map(({ key, again }) => `${key} ${again}`).slice(1)).size).toBe(1);
    await hub.stop();
  });

  test("is known where whoever was asked found nobody to hand it to: that is what became of it there", async () => {
    const far = { peer: { name: "berlin", node: "n-b" } };
    const carrier = recording((_, nth) => {
      throw nth === 1 ? AMBIGUOUS() : throwing("ACTION_UNREACHABLE", far);
    });
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    await faultFrom(app.action.perform({ name: "greet" }));
    const id = siblingId((carrier.calls[0] as CarriedCall).key, "x");
    expect(await faultFrom(app.execution.retry({ id }))).toMatchObject({ code: "ACTION_UNREACHABLE", details: far });
    expect(await app.execution.show({ id })).toMatchObject({ state: "failed" });
    await hub.stop();
  });

  test("can be given up", async () => {
    const carrier = recording(() => Promise.reject(AMBIGUOUS()));
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    await faultFrom(app.action.perform({ name: "greet" }));
    const id = siblingId((carrier.calls[0] as CarriedCall).key, "x");
    await app.execution.abandon({ id });
    expect(await app.execution.show({ id })).toMatchObject({ state: "failed", error: { code: "EXECUTION_ABANDONED" } });
    await hub.stop();
  });

  test("is what was running when the node died, also where its origin promises that twice does no harm", async () => {
    const log = memoryLog();
    const hanging = recording(() => new Promise<Carried>(() => {}));
    const first = await startWithWays({ carrier: hanging, log });
    await first.learn("greet", { repeatable: "idempotent" });
    const { execution: id } = await first.app.action.perform({ name: "greet", input: 3 }, { wait: 0 });
    await hanging.asked(1);
    // It is begun again before anybody has told of a way: that says nothing of what became of it.
    const second = await startWithWays({ carrier: echoed(), log: reopened(log), clock: first.clock });
    expect(await second.app.execution.show({ id })).toMatchObject({ state: "ambiguous" });
    expect(await second.app.execution.retry({ id })).toMatchObject({ output: 3 });
    await second.hub.stop();
  });

  test("is what was running when the node died: the neighbour of then is asked", async () => {
    const log = memoryLog();
    const hanging = recording(() => new Promise<Carried>(() => {}));
    const first = await startWithWays({ carrier: hanging, log });
    await first.learn("greet");
    const accepted = await first.app.action.perform({ name: "greet", input: 3 }, { wait: 0 });
    await hanging.asked(1);
    // It dies: nothing is stopped.
    const carrier = echoed();
    const second = await startWithWays({ carrier, log: reopened(log), clock: first.clock });
    const id = accepted.execution;
    expect(await second.app.execution.show({ id })).toMatchObject({ state: "ambiguous" });
    expect(await second.app.execution.retry({ id })).toMatchObject({ output: 3 });
    expect(carrier.calls[0]).toMatchObject({ key: (hanging.calls[0] as CarriedCall).key, again: "n-b" });
    await second.hub.stop();
  });
});

test("what failed is asked anew: by another key, of whoever leads there now", async () => {
  const carrier = recording((_, nth) => {
    if (nth === 1) throw throwing("ACTION_FAILED");
    return { output: nth, via: "berlin" };
  });
  const { app, learn, hub } = await startWithWays({ carrier });
  await learn("greet");
  await faultFrom(app.action.perform({ name: "greet" }));
  const id = siblingId((carrier.calls[0] as CarriedCall).key, "x");
  expect(await app.execution.retry({ id })).toMatchObject({ output: 2 });
  const [first, second] = carrier.calls as [CarriedCall, CarriedCall];
  expect(second.key).not.toBe(first.key);
  expect(second.again).toBeUndefined();
  await hub.stop();
});

describe("what is handed on", () => {
  const asked = { resource: "action", action: "perform", data: { name: "greet" } };

  test("names the nodes that it came through, and counts on", async () => {
    const carrier = echoed();
    const { app, learn, runtime, hub } = await startWithWays({ carrier });
    await learn("greet");
    const as = await app.grant.create({ principal: "neighbour.x", allow: ["action.perform"] });
    await runtime.apply(asked, as, { key: "theirs" }, { via: ["n-y", "n-x"], hops: 2 });
    expect(carrier.calls[0]).toMatchObject({ via: ["n-y", "n-x"], hops: 2 });
    await hub.stop();
  });

  test.each([
    ["what came through here already", { via: ["n-a", "n-x"], hops: 1 }],
    ["what is sixteen deep", { via: ["n-x"], hops: 16 }],
  ])("%s goes no further, and nothing is owed", async (_, origin) => {
    const carrier = echoed();
    const { app, learn, runtime, hub } = await startWithWays({ carrier });
    await learn("greet");
    const as = await app.grant.create({ principal: "neighbour.x", allow: ["action.perform"] });
    expect(await faultFrom(runtime.apply(asked, as, {}, origin))).toMatchObject({ code: "HOPS_EXCEEDED" });
    expect(carrier.calls).toHaveLength(0);
    await hub.stop();
  });

  test("but to an action that is here it may come back", async () => {
    const { app, runtime, hub } = await startWithWays({});
    await app.action.register({ name: "greet", protocol: "echo" });
    const as = await app.grant.create({ principal: "neighbour.x", allow: ["action.perform"] });
    expect(await runtime.apply(asked, as, {}, { via: ["n-a", "n-x"], hops: 2 })).toHaveProperty("execution");
    await hub.stop();
  });

  test("what an action asks by itself is a request of its own: it may go where it came from", async () => {
    const carrier = echoed();
    const nests = protocol("nests", ({ capstan, input }) => capstan.perform("greet", input));
    const { app, learn, runtime, hub } = await startWithWays({ carrier, protocols: [nests] });
    await app.action.register({ name: "outer", protocol: "nests", may: ["action.perform:greet"] });
    await learn("greet");
    const as = await app.grant.create({ principal: "neighbour.x", allow: ["action.perform"] });
    await runtime.apply({ ...asked, data: { name: "outer" } }, as, {}, { via: ["n-x"], hops: 1 });
    expect(carrier.calls[0]).toMatchObject({ via: [], hops: 2 });
    await hub.stop();
  });
});
