// Explaining what was refused, done or lost two hops away, at home: over real sessions, as far as each node on the way tells.

import { afterEach, describe, expect, test } from "bun:test";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { allOut, complete, everything, keepSecret, pairSecret, peered, until } from "../peers.fixture.ts";
import { rawIdentity } from "../raw-peer.fixture.ts";
import type { Account } from "./account.ts";
import { explained, first, known, newest, Site } from "./explain.fixture.ts";

const site = new Site();
const start: Site["start"] = (...asked) => site.start(...asked);
afterEach(() => site.close());

const input = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };

async function line(disclosed: { readonly b?: Account["disclosed"]; readonly c?: Account["disclosed"] } = {}) {
  const held = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const slow = protocol("slow", () => {
    begun.resolve();
    return held.promise;
  });
  const [a, b, c] = [await start("n-a"), await start("n-b"), await start("n-c", { protocols: [slow] })];
  await c.app.action.register({ name: "greet", protocol: "echo", input });
  await c.app.action.register({ name: "slow", protocol: "slow" });
  await peered(a, b);
  await peered(c, b);
  await b.app.peer.configure({ name: "n-a", ...(disclosed.b && { disclose: disclosed.b }) });
  await c.app.peer.configure({ name: "n-b", ...(disclosed.c && { disclose: disclosed.c }) });
  await known(a, "greet");
  await known(a, "slow");
  return { a, b, c, held, begun: begun.promise };
}

const misfit = { name: "greet", input: {} };

describe("a refusal two hops away", () => {
  test("is explained at home with the clause, where both tell clauses", async () => {
    const { a, b, c } = await line({ b: "clauses", c: "clauses" });
    const { id } = await faultFrom(a.app.action.perform(misfit));
    const told = await explained(a, id);
    expect(told).toMatchObject({ id, state: "failed" });
    const atB = first(told);
    expect(atB).toMatchObject({
      ...{ name: "n-b", node: "n-b" },
      said: { disclosed: "clauses", id: await newest(b, "action.perform"), state: "failed", code: "INPUT_INVALID" },
    });
    expect(atB.said?.plugins).toContainEqual({ plugin: "auth", verdict: "next", clause: "action.perform" });
    expect(atB.said?.plugins).toContainEqual({
      ...{ plugin: "peer-propagation", verdict: "next", clause: "export n-a: everything" },
    });
    const atC = first(atB.said);
    expect(atC).toMatchObject({
      ...{ name: "n-c", node: "n-c" },
      said: {
        ...{ disclosed: "clauses", id: await newest(c, "action.perform"), state: "refused", code: "INPUT_INVALID" },
        ...{ plugin: "executor", text: 'greet: "name" is required' },
      },
    });
    // Nothing of what was asked, and of nobody else.
    expect(JSON.stringify(told)).not.toMatch(/"(data|grant|rows|principal|wrote|facts)"/);
  });

  test("is explained by its code and the plugin where nothing is configured, and each node decides for its own part", async () => {
    const { a, c } = await line();
    const { id } = await faultFrom(a.app.action.perform(misfit));
    const atB = first(await explained(a, id));
    expect(Object.keys(atB.said ?? {}).sort()).toEqual(["code", "disclosed", "id", "peers", "state"]);
    const atC = first(atB.said);
    expect(atC.said).toEqual({
      ...{ disclosed: "outcome", id: await newest(c, "action.perform"), state: "refused" },
      ...{ code: "INPUT_INVALID", plugin: "executor" },
    });
    await c.app.peer.configure({ name: "n-b", disclose: "clauses" });
    const again = first(await explained(a, id));
    expect(again.said).not.toHaveProperty("plugins");
    expect(first(again.said).said).toMatchObject({ text: 'greet: "name" is required' });
  });

  test("is not told of by a node that tells nothing, nor what lies behind it", async () => {
    const { a } = await line({ b: "nothing", c: "clauses" });
    const { id } = await faultFrom(a.app.action.perform(misfit));
    const told = await explained(a, id);
    expect(told.peers).toEqual([{ name: "n-b", node: "n-b", said: { disclosed: "nothing" } }]);
  });

  test("by the neighbour's own policy names the clause of its export", async () => {
    const { a, b } = await line({ b: "clauses" });
    const reject = { name: "not greet", then: "reject" as const, match: { routes: ["action:greet"] } };
    const narrowed = b.app.peer.configure({ name: "n-a", export: { clauses: [reject, ...allOut.clauses] } });
    const { id, code } = await faultFrom(a.app.action.perform({ name: "greet", input: { name: "Ada" } }));
    await narrowed;
    expect(code).toBe("ROUTE_NOT_EXPORTED");
    expect((await explained(a, id)).peers).toMatchObject([
      { said: { state: "refused", code: "ROUTE_NOT_EXPORTED", plugin: "peer-propagation" } },
    ]);
    expect(JSON.stringify(await explained(a, id))).toContain("export n-a: not greet");
  });
});

describe("what was not refused", () => {
  test("and is done says who carried it out, under which clause", async () => {
    const { a, b, c } = await line({ b: "clauses", c: "clauses" });
    await a.app.action.perform({ name: "greet", input: { name: "Ada" } });
    const told = await explained(a, await newest(a, "action.perform"));
    const atB = first(told);
    expect(atB.said).toMatchObject({ state: "done", id: await newest(b, "action.perform") });
    const atC = first(atB.said);
    expect(atC.said).toMatchObject({ state: "done", id: await newest(c, "action.perform") });
    expect(atC.said?.plugins).toContainEqual({ plugin: "auth", verdict: "next", clause: "action.perform" });
    expect(JSON.stringify(told)).not.toContain("Ada");
  });

  test("and still runs says so; and of what is ambiguous, what became of it there", async () => {
    const { a, b, held, begun } = await line();
    const lost = faultFrom(a.app.action.perform({ name: "slow" }));
    await begun;
    const id = await newest(a, "action.perform");
    expect(await explained(a, id)).toMatchObject({
      state: "running",
      peers: [{ said: { state: "running", peers: [{ name: "n-c", said: { state: "running" } }] } }],
    });
    await a.app.peer.stop({ name: "n-b", now: true });
    expect(await lost).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    expect(await explained(a, id)).toEqual({
      ...{ id, state: "ambiguous" },
      peers: [{ name: "n-b", node: "n-b", silent: "there is no session with it now" }],
    });
    held.resolve("done");
    await until(async () => (await b.app.execution.list({ state: "running" })).items.length === 0);
    await a.app.peer.start({ name: "n-b" });
    await complete(a, "n-b");
    await complete(b, "n-a");
    expect(first(await explained(a, id))).toMatchObject({ said: { state: "done" } });
    // It is asked again by the same key, and so is the same message there.
    const again = await until(async () => {
      const told = await explained(a, id);
      return told.state === "done" ? told : undefined;
    });
    expect(first(again)).toMatchObject({ name: "n-b", said: { state: "done", peers: [{ name: "n-c" }] } });
  });

  test("and was refused unrecorded, because it is one of too many, is said to be found nowhere", async () => {
    const at = Date.now(); // of a clock that stands still: with time some of the many are recorded (refusal-meter.ts)
    const [a, b] = [await start("n-a"), await start("n-b", { now: () => at })];
    await b.app.action.register({ name: "greet", protocol: "echo", input });
    await peered(a, b);
    await known(a, "greet");
    const many = Array.from({ length: 130 }, () => faultFrom(a.app.action.perform(misfit)));
    const { id } = (await Promise.all(many)).at(-1) ?? {};
    expect(first(await explained(a, id))).toEqual({
      ...{ name: "n-b", node: "n-b", silent: expect.stringContaining("it has no entry of this") },
    });
  });

  test("and was done by a peer whose name is another's by now is not asked of that one", async () => {
    const [a, b] = [await start("n-a"), await start("n-b")];
    await b.app.action.register({ name: "greet", protocol: "echo" });
    await peered(a, b);
    await known(a, "greet");
    await a.app.action.perform({ name: "greet", input: 1 });
    const id = await newest(a, "action.perform");
    expect(first(await explained(a, id))).toMatchObject({ node: "n-b", said: { state: "done" } });
    await a.app.peer.remove({ name: "n-b" });
    await a.app.peer.add({
      ...{ name: "n-b", node: "n-next", keys: [rawIdentity("n-next").publicKey], import: everything, export: allOut },
      secrets: [keepSecret("EXPLAIN_NEXT", pairSecret("next"))] as never,
    });
    expect(first(await explained(a, id))).toMatchObject({ node: "n-b", silent: "there is no session with it now" });
  });

  test("and was never asked of anybody has nobody to tell of it", async () => {
    const a = await start("n-a");
    await a.app.action.register({ name: "own", protocol: "echo" });
    await a.app.action.perform({ name: "own", input: 1 });
    const id = await newest(a, "action.perform");
    expect(await explained(a, id)).toEqual({ id, state: "done", peers: [] });
  });
});

describe("who asks", () => {
  test("may read of the message here, or is refused; and names it by its id", async () => {
    const a = await start("n-a");
    await a.app.action.register({ name: "own", protocol: "echo" });
    const id = await newest(a, "action.register");
    using other = await a.hub.scope({ principal: "other", allow: ["peer.*"] });
    expect(await faultFrom(other.peer.explain({ id }))).toMatchObject({
      code: "REFUSED",
      message: expect.stringContaining("log.explain"),
    });
    expect(await faultFrom(a.app.peer.explain({ key: "k" }))).toMatchObject({ code: "MESSAGE_INVALID" });
    expect(await faultFrom(a.app.peer.explain({}))).toMatchObject({ code: "MESSAGE_INVALID" });
    expect(await faultFrom(a.app.peer.explain({ id: "m-0123456789ABCDEF" }))).toMatchObject({
      code: "MESSAGE_NOT_FOUND",
    });
  });
});
