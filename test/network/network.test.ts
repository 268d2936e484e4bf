// The short form of `npm run network`: nodes in this process, links that are cut, swallowed and half-open, and a liar.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { type HonestNode, startHonest } from "./honest-node.ts";
import { runLiars } from "./liars.ts";
import { LinkProxy, type LinkState } from "./link-proxy.ts";
import { type Edge, solve } from "./oracle.ts";
import { differences } from "./tables.ts";

const TIMING = { backoff: { first: 20, last: 60 }, restartTime: 0, advertisementInterval: 0 };
const EDGES: readonly Edge[] = [
  ["n-a", "n-b"],
  ["n-b", "n-c"],
  ["n-c", "n-a"],
];
const OUT = { clauses: [{ name: "everything", then: "accept" as const }] };
const IN = { clauses: [{ name: "everything", then: "accept" as const, unowned: true }] };

const nodes = new Map<string, HonestNode>();
const links = new Map<string, LinkProxy>();
const withdrawals: string[] = [];

beforeAll(async () => {
  for (const id of ["n-a", "n-b", "n-c"]) {
    const node = await startHonest(id, TIMING, Date.now);
    await node.app.action.register({ name: `who.${id}`, protocol: "who" });
    nodes.set(id, node);
  }
  process.env.NETWORK_TEST_SECRET = Buffer.alloc(32, "of all pairs").toString("base64url");
  const both = {
    secrets: [{ secret: "env:NETWORK_TEST_SECRET" } as never],
    import: IN,
    export: OUT,
    limits: { damping: false },
  };
  for (const [from, to] of EDGES.map((ends) => ends.map(node) as [HonestNode, HonestNode])) {
    const said = (_: unknown, update: { readonly withdrawn: readonly string[] }) =>
      void withdrawals.push(...update.withdrawn);
    const proxy = await LinkProxy.listen({ port: Number(new URL(to.url).port), said });
    links.set(`${from.id} ${to.id}`, proxy);
    await to.app.peer.add({ ...both, name: from.id, node: from.id, keys: [from.key] });
    await from.app.peer.add({ ...both, name: to.id, node: to.id, keys: [to.key], address: proxy.url });
  }
});
afterAll(async () => {
  await Promise.all([...nodes.values()].map(({ server }) => server.stop()));
  await Promise.all([...links.values()].map((proxy) => proxy.close()));
});

async function right(edges: readonly Edge[]): Promise<void> {
  const sites = [...nodes.keys()].map((id) => ({ name: id, id, domain: id, offers: [`action:who.${id}`] }));
  const tables = solve(sites, edges);
  const over = Date.now() + 30_000;
  for (;;) {
    const all = await Promise.all(
      [...nodes].map(([id, { app }]) => differences(app as never, tables.get(id) as never, true)),
    );
    const wrong = all.flat();
    if (wrong.length === 0) return;
    if (Date.now() > over) throw new Error(wrong.join("\n"));
    await Bun.sleep(5);
  }
}

const node = (id: string): HonestNode => nodes.get(id) as HonestNode;
const who = async (at: string, of: string): Promise<unknown> =>
  (await node(at).app.action.perform({ name: `who.${of}` })).output;
const link = (state: LinkState): void => links.get("n-a n-b")?.set(state);

test("tables are what the oracle says while a link is cut and once it is mended, and calls go round", async () => {
  await right(EDGES);
  const before = withdrawals.length;
  link("cut");
  await right(EDGES.slice(1));
  expect(await who("n-a", "n-b")).toBe("who.n-b of n-b");
  // The tap is not blind.
  expect(withdrawals.length).toBeGreaterThan(before);
  link("open");
  await right(EDGES);
});

test("what is said over a link that swallows all of it arrives once it is mended, once", async () => {
  link("silent");
  const asked = who("n-a", "n-b");
  while (links.get("n-a n-b")?.held === 0) await Bun.sleep(1);
  link("open");
  expect(await asked).toBe("who.n-b of n-b");
  await right(EDGES);
});

test("a connection that one side alone knows to be over makes room for the next", async () => {
  link("half-open");
  link("open");
  await right(EDGES);
  expect(await who("n-b", "n-a")).toBe("who.n-a of n-a");
});

test("a liar is believed nothing of what is another's, and its neighbours show each lie", async () => {
  const lies = [
    "hijack",
    "forged",
    "altered",
    "loop",
    "first-domain",
    "malformed",
    "promise",
    "not its to ask",
    "nonsense",
  ] as const;
  const report = await runLiars({ nodes: 5, seed: 3, neighbours: 2, lies });
  expect(report.lies.flatMap(({ kind, wrong }) => wrong.map((text) => `${kind}: ${text}`))).toEqual([]);
  expect(report).toMatchObject({ foreign: 0, lostSessions: 0, performs: 25, right: 25 });
  expect(report.lies.map(({ told, seen }) => told > 0 && seen === told)).toEqual(lies.map(() => true));
});
