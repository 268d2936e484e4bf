// Ours: a node as it is served, the standard plugins and the SQLite log, and beside them a plugin that has what is routed. It is asked
// to offer, to peer, and when what it was told of is in the table that a call looks its way up in. Arguments: directory, name.

import { join } from "node:path";
import { createOrchestrator, openNode, serve, sqliteLog } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { cpuMicros } from "../kernel/machine.ts";
import { answering } from "../kernel/worker.ts";
import { BULK, counting, offering } from "./offers.ts";

const [directory = "", name = ""] = process.argv.slice(2);
/** Offers that wait for their commit at once. */
const IN_FLIGHT = 256;
/** The pair's, for whoever runs the benchmark. */
process.env.BENCH_PAIR = Buffer.alloc(32, "a pair's secret").toString("base64url");

/** Of one clock for all processes of the machine, in milliseconds; Bun's `hrtime` begins with its process. */
const now = (): number => performance.timeOrigin + performance.now();

let installed = 0;
let expected: { readonly routes: number; readonly reached: (at: number) => void } | undefined;
const count = (routes: number): void => {
  installed += routes;
  if (expected === undefined || installed < expected.routes) return;
  const { reached: told } = expected;
  expected = undefined;
  // What was decided just now is in the table then.
  queueMicrotask(() => told(now()));
};

const node = await openNode({ directory, name });
const orchestrator = await createOrchestrator({
  plugins: [...standard(), offering(), counting(count)],
  log: sqliteLog(join(directory, "log.db")),
  node,
  signer: node.signer,
});
const serving = serve(orchestrator, { listen: "127.0.0.1:0" });
const app = await orchestrator.scope({ principal: "bench", allow: ["*"] });
const everything = { clauses: [{ name: "everything", then: "accept" as const, unowned: true }] };
const out = { clauses: [{ name: "everything", then: "accept" as const }] };

async function size(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    Bun.gc(true);
    await Bun.sleep(50); // pages are given back by another thread
  }
  return process.memoryUsage.rss();
}

answering({
  identity: async () => ({ url: serving.url, ...(await app.peer.identity({})) }),
  cpu: cpuMicros,
  size,
  async offer({ from, count }: { from: number; count: number }) {
    for (let n = from; n < from + count; n += BULK)
      await app.offer.add({ from: n, count: Math.min(BULK, from + count - n) });
  },
  /** One by one, as they come. @returns when it began */
  async live({ from, count: many }: { from: number; count: number }) {
    const start = now();
    let n = from;
    const one = async (): Promise<void> => {
      while (n < from + many) await app.offer.add({ from: n++, count: 1 });
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, one));
    return start;
  },
  /** @returns when it began */
  async peer({ name: of, node: id, key, url }: { name: string; node: string; key: string; url?: string }) {
    const start = now();
    await app.peer.add({
      ...{ name: of, node: id, keys: [key], secrets: [{ secret: "env:BENCH_PAIR" }] as never },
      ...{ import: everything, export: out, limits: { routes: 1_000_000 } },
      ...(url === undefined ? {} : { address: url }),
    });
    return start;
  },
  remove: (of: string) => app.peer.remove({ name: of }),
  /** Has `routes` more than now be waited for. */
  expect(routes: number) {
    const { promise, resolve } = Promise.withResolvers<number>();
    expected = { routes: installed + routes, reached: resolve };
    reached = promise;
  },
  /** @returns when they were there */
  reached: () => reached,
  shown: (of: string) => app.peer.show({ name: of }),
  async listed() {
    let routes = 0;
    let after: string | undefined;
    do {
      const page = (await app.route.list({ limit: 1000, ...(after === undefined ? {} : { after }) })) as {
        readonly items: readonly { readonly peer?: string }[];
        readonly next?: string;
      };
      routes += page.items.filter(({ peer }) => peer !== undefined).length;
      after = page.next;
    } while (after !== undefined);
    return routes;
  },
});

let reached: Promise<number> = Promise.resolve(0);
