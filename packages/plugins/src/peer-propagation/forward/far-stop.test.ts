// A neighbour that stops, orderly, with something in flight: it was accepted there, and nobody else may be asked for it.

import { afterEach, expect, test } from "bun:test";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { elsewhereTable } from "../../registry/elsewhere.ts";
import { type PeerNode, peered, startNode, until } from "../peers.fixture.ts";

let nodes: PeerNode[] = [];
const started = new Set<string>();
const going: (() => void)[] = [];

afterEach(async () => {
  for (const go of going.splice(0)) go();
  await Promise.all(nodes.map(({ server }) => server.stop()));
  nodes = [];
});

async function start(id: string): Promise<PeerNode> {
  const held = protocol("held", async () => {
    started.add(id);
    await new Promise<void>((resolve) => going.push(resolve));
  });
  const node = await startNode({ id, protocols: [held] });
  nodes.push(node);
  return node;
}

test("what it accepted stays so: nobody knows what became of it, and another provider is not asked", async () => {
  started.clear();
  const [a, b, c] = [await start("n-a"), await start("n-b"), await start("n-c")];
  for (const node of [b, c]) await node.app.action.register({ name: "greet", protocol: "held" });
  await peered(a, b);
  await peered(a, c);
  const known = async () => [...(await a.hub.reader.rows(elsewhereTable))].length === 1;
  await until(known);
  const asked = faultFrom(a.app.action.perform({ name: "greet" }));
  await until(() => started.size > 0);
  const [first] = [...started] as [string];
  const stops = nodes.find(({ id }) => id === first) as PeerNode;
  // What is told as it stops arrives before its session ends: another plugin takes its time, or the network does.
  const told = Promise.withResolvers<void>();
  const last = stops.hub.composition.plugins.at(-1) as { stop?: () => Promise<void> };
  const { stop } = last;
  last.stop = async () => {
    await told.promise;
    await stop?.();
  };
  const stopped = stops.hub.stop({ graceMs: 0 });
  const came = await Promise.race([asked, until(() => started.size > 1).then(() => ({ code: "done by another" }))]);
  told.resolve();
  await stopped;
  expect([came.code, started.size]).toEqual(["EXECUTION_AMBIGUOUS", 1]);
});
