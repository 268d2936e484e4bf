// What somebody gives up is told to whoever asked: a node between ends it by that, and tells on; whoever began it is told, keeps it, and is not
// asked for it any more.

import { describe, expect, test } from "bun:test";
import { type FaultError, FINAL, fault, forwardedBy, memoryLog, siblingId } from "@capstan/orchestrator";
import { reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { startWithWays } from "../../executor/elsewhere/elsewhere.fixture.ts";
import { type ExecutionRow, executionTable } from "../../executor/schema.ts";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { Unsettled } from "../../registry/elsewhere.ts";
import { asking, Fake } from "./forward.fixture.ts";
import { forwarder } from "./forward.ts";
import type { Neighbour } from "./neighbour.ts";

type Node = Awaited<ReturnType<typeof startWithWays>>;

/** Whoever is asked is given a turn of the timers, by which a lost session would be known (forward.ts). */
const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

/** n-a over n-b to n-d, where what was performed hangs, and then is not known any more. */
async function chain() {
  const hangs = protocol("hangs", () => new Promise(() => {}));
  const leading = (node: string, to: Node, as: { principal: string; grant: string }, by: string) => {
    const call: Neighbour["call"] = (message, said) =>
      to.runtime.apply(message, as, said, forwardedBy(by, to.runtime.node.id, said));
    return forwarder({
      now: () => 0,
      pathsOf: () => [{ peer: node, origin: "n-d" }],
      neighbour: () => ({ name: node, ended: false, call }),
    });
  };
  const log = memoryLog();
  const d = await startWithWays({ id: "n-d", protocols: [hangs] });
  await d.app.action.register({ name: "greet", protocol: "hangs" });
  const allow = ["action.perform"];
  const b = await startWithWays({
    id: "n-b",
    carrier: leading("n-d", d, await d.app.grant.create({ principal: "by-b", allow }), "n-b"),
  });
  await b.learn("greet", { node: "n-d", origin: "n-d" });
  const carrier = leading("n-b", b, await b.app.grant.create({ principal: "by-a", allow }), "n-a");
  const a = await startWithWays({ id: "n-a", log, carrier });
  await a.learn("greet", { node: "n-b", origin: "n-d" });
  const performed = faultFrom(a.app.action.perform({ name: "greet", input: 7 }));
  performed.catch(() => {});
  const open = (node: Node) => [...node.hub.reader.rows(executionTable)].filter(([, row]) => row.state === "ambiguous");
  const only = (node: Node) => [...node.hub.reader.rows(executionTable)][0] as [string, ExecutionRow];
  while (only(d) === undefined) await turn();
  const note = (node: Node, action: string) =>
    node.runtime.note({ resource: "execution", action, data: { execution: only(node)[0] } });
  const again = async (node: Node) => {
    await note(node, "again");
    while (only(node)?.[1].state === "running") await turn();
    await node.hub.committer.whenDurable(node.hub.committer.tip);
  };
  await note(d, "lose");
  expect(await performed).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
  return { a, b, d, log, carrier, open, only, again };
}

describe("what is given up where it was done", () => {
  test("ends at the node between; whoever began it is told by whom, and has it to give up", async () => {
    const { a, b, d, open, only, again } = await chain();
    const [mine] = only(a);
    const [theirs] = only(d);
    await d.app.execution.abandon({ id: theirs });
    const [between] = only(b);
    await again(b);
    expect([...b.hub.reader.rows(executionTable)]).toEqual([]);
    const text = `n-d: ${theirs} was given up by app`;
    const error = { code: "EXECUTION_ABANDONED", message: text, details: { peer: { node: "n-d" } } };
    expect(await b.app.execution.show({ id: between })).toMatchObject({ state: "failed", error });
    await again(a);
    expect(open(a)).toMatchObject([[mine, { elsewhere: { to: "n-b", again: true, givenUp: true } }]]);
    const toDo = "; nobody else knows whether it ran: execution.abandon gives it up here as well";
    const message = `n-b: ${text}${toDo}`;
    const told = { code: "EXECUTION_AMBIGUOUS", message, details: { peer: { node: "n-b", peer: { node: "n-d" } } } };
    expect(await faultFrom(a.app.message.attach({ id: siblingId(mine, "m") }))).toMatchObject(told);
    // A retry asks whoever was asked, and nobody else: it says the same.
    expect(await faultFrom(a.app.execution.retry({ id: mine }))).toMatchObject(told);
    expect(await a.app.execution.show({ id: mine })).toMatchObject({ state: "ambiguous", error: told });
    expect(await a.app.execution.abandon({ id: mine })).toEqual({ execution: mine });
    expect(open(a)).toEqual([]);
  });

  test("is told after a restart as before", async () => {
    const { a, b, d, log, carrier, only, again } = await chain();
    const [mine] = only(a);
    await d.app.execution.abandon({ id: only(d)[0] });
    await again(b);
    await a.hub.stop();
    const next = await startWithWays({ id: "n-a", log: reopened(log), carrier, clock: a.clock });
    await again(next);
    expect(next.hub.reader.get(executionTable, mine)).toMatchObject({ elsewhere: { givenUp: true } });
  });
});

test("what was only handed on can be given up by the node itself; whoever had it handed on is told", async () => {
  const { a, b, only, open, again } = await chain();
  const [between] = only(b);
  const error = { code: "EXECUTION_ABANDONED", message: "kept no longer" };
  await b.runtime.note({ resource: "execution", action: "lose", data: { execution: between, error } });
  expect(await b.app.execution.show({ id: between })).toMatchObject({ state: "failed", error });
  await again(a);
  expect(open(a)).toMatchObject([[expect.any(String), { elsewhere: { givenUp: true } }]]);
});

describe("giving up while it is asked again", () => {
  test("whoever waits for what comes of that is told", async () => {
    const { a, only } = await chain();
    const [mine, { message }] = only(a);
    // The neighbour does not answer.
    const retried = faultFrom(a.app.execution.retry({ id: mine }));
    const joined = faultFrom(a.app.execution.retry({ id: mine }));
    expect(await a.app.execution.abandon({ id: mine })).toEqual({ execution: mine });
    for (const one of [retried, joined, faultFrom(a.app.message.attach({ id: message }))])
      expect(await one).toMatchObject({ code: "EXECUTION_ABANDONED", message: `${mine} was given up by app` });
    expect(await faultFrom(a.app.execution.abandon({ id: mine }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
  });
});

test("who asks while it is tried again there is told at once that it is not known, and afterwards what became of it", async () => {
  const { a, b, d, only, again } = await chain();
  const [[mine], [theirs]] = [only(a), only(d)];
  // It hangs once more.
  const retried = faultFrom(d.app.execution.retry({ id: theirs }));
  while (only(d)[1].state !== "running") await turn();
  await again(b);
  expect([only(b)[1].state, only(d)[1].state]).toEqual(["ambiguous", "running"]);
  expect(await faultFrom(a.app.execution.retry({ id: mine }))).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
  await d.app.execution.cancel({ id: theirs });
  expect(await retried).toMatchObject({ code: "CANCELLED" });
  await again(b);
  expect(await faultFrom(a.app.execution.retry({ id: mine }))).toMatchObject({
    code: "CANCELLED",
    details: { peer: { node: "n-b", peer: { node: "n-d" } } },
  });
  expect([only(a), only(b), only(d)]).toEqual([undefined, undefined, undefined] as never);
});

describe("of several that were asked", () => {
  const throwing = (code: string, details?: object) => () => {
    throw Object.assign(new Error(code), fault(code, code, details));
  };
  const gaveUp = throwing("EXECUTION_ABANDONED", { [FINAL]: true });
  const again = { again: "n-b", open: ["n-c"] };
  const cameTo = async (asked: Promise<unknown>) => {
    const thrown = await asked.then(
      () => undefined,
      (one: unknown) => one,
    );
    return thrown instanceof Unsettled ? { code: thrown.code, open: new Set(thrown.open) } : thrown;
  };

  test("one that gives it up says nothing for another, whose refusal is not what became of it", async () => {
    const [b, c] = [new Fake("berlin", gaveUp), new Fake("cairo", throwing("REFUSED", { [FINAL]: true }))];
    const other = new Fake("delhi");
    const paths = ["n-b", "n-c", { peer: "n-d", origin: "n-d" }];
    const { perform } = asking({ "n-b": b, "n-c": c, "n-d": other }, paths);
    const code = "EXECUTION_ABANDONED";
    expect(await cameTo(perform({ ...again, origin: "n-b" }))).toEqual({ code, open: new Set(["n-b"]) });
    expect(other.asked).toEqual([]);
  });

  test("it is open while one of them cannot be asked, or says no last word", async () => {
    const b = new Fake("berlin", gaveUp);
    const open = new Set(["n-b", "n-c"]);
    expect(await cameTo(asking({ "n-b": b }).perform(again))).toMatchObject({ code: "ACTION_UNREACHABLE", open });
    const c = new Fake("cairo", throwing("EXECUTION_ABANDONED"));
    expect(await cameTo(asking({ "n-b": b, "n-c": c }).perform(again))).toMatchObject({ open });
  });

  test("what another knows became of it is what did", async () => {
    const [b, c] = [new Fake("berlin", gaveUp), new Fake("cairo")];
    expect(await asking({ "n-b": b, "n-c": c }).perform(again)).toMatchObject({ output: "cairo" });
    const done = throwing("ACTION_FAILED", { execution: "x-1KJMMA2G0E0J38R2" });
    const failed = asking({ "n-b": b, "n-c": new Fake("cairo", done) }).perform(again);
    expect(await failed.catch((one: FaultError) => one.code)).toBe("ACTION_FAILED");
  });
});
