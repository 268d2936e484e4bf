// What a neighbour holds for an approval is taken back like what it has queued: over every node between, and whoever is at the other end of it.

import { afterEach, expect, test } from "bun:test";
import { authority, definePlugin, hold, next } from "@capstan/orchestrator";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { type PeerNode, peered, startNode, until } from "../peers.fixture.ts";

const nodes: PeerNode[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map(({ server }) => server.stop()));
});

const approval = definePlugin({
  name: "approval",
  needs: [authority],
  decide: ({ message, envelope }) =>
    message.resource === "action" && message.action === "perform" && envelope.facts.approval === undefined
      ? hold("approval")
      : next(),
});

/** n-a performs what n-c has, over n-b; n-c holds it. */
async function chain() {
  const runs: unknown[] = [];
  const work = protocol("work", ({ input }) => {
    runs.push(input);
    return input;
  });
  const [a, b, c] = [
    await startNode({ id: "n-a" }),
    await startNode({ id: "n-b" }),
    await startNode({ id: "n-c", protocols: [work], also: [approval] }),
  ] as const;
  nodes.push(a, b, c);
  await c.app.action.register({ name: "pay", protocol: "work" });
  await peered(b, c);
  await peered(a, b);
  await until(async () => (await a.app.route.list({})).items.length > 0);
  const performed = faultFrom(a.app.action.perform({ name: "pay", input: 1 }, { key: "k" }));
  performed.catch(() => {});
  const held = await until(async () => {
    const { items } = await c.app.log.list({ message: "action.perform", verdict: "held" });
    return items[0]?.id;
  });
  const settle = (id: string) => faultFrom(c.app.message.settle({ id, hold: "approval", outcome: "yes" }));
  return { a, b, c, performed, held, settle, runs };
}

test("cancelled here, it is held no more where it is: an approval is refused, and explain says for whom", async () => {
  const { a, c, performed, held, settle, runs } = await chain();
  expect(await a.app.action.recall({ name: "pay", under: "k" })).toEqual({ recalled: true });
  expect(await performed).toMatchObject({ code: "CANCELLED" });
  await until(() => c.messages.includes("peer.n-b action.recall"));
  expect((await settle(held)).message).toContain("peer.n-b ended that by action.recall");
  const told = await c.app.log.explain({ id: held });
  expect(told).toMatchObject({
    hold: { ended: { message: "action.recall", principal: "peer.n-b" } },
    outcome: { state: "failed", error: { code: "CANCELLED" } },
  });
  const { peers } = (await c.app.peer.explain({ id: held })) as { peers?: unknown[] };
  expect([peers ?? [], runs]).toEqual([[], []]);
});

test("cancelled where it is held, whoever asked is told, through the node between, that nothing was done", async () => {
  const { a, b, c, performed, held, settle, runs } = await chain();
  await c.app.execution.cancel({ id: held });
  const told = await performed;
  expect(told).toMatchObject({
    code: "CANCELLED",
    details: { peer: { node: "n-b", peer: { node: "n-c", id: held } } },
  });
  expect(told.message).toBe(`n-b: n-c: ${held} was cancelled by app while it was held; nothing was done`);
  for (const { app } of [a, b]) expect(await app.execution.list({ state: "ambiguous" })).toEqual({ items: [] });
  expect(await settle(held)).toMatchObject({ code: "HOLD_UNKNOWN" });
  expect(runs).toEqual([]);
  // What peers say of it is the same.
  const id = told.id as string;
  const { peers } = (await a.app.peer.explain({ id })) as { peers: { said: { state: string; code: string } }[] };
  expect(peers).toMatchObject([{ said: { state: "failed", code: "CANCELLED" } }]);
});
