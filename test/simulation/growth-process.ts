// One network of one size, played and measured in a process of its own, so that its memory is nobody else's:
// `bun growth-process.ts <shape> <nodes>`, answered by one JSON line.

import { heapStats } from "bun:jsc";
import { GROWTH_ANNOUNCED_AT, GROWTH_DELAY, GROWTH_SHAPES, growthScript, simulate } from "@capstan/peer/simulator";
import type { Growth } from "./growth.ts";
import { judge } from "./oracle.ts";

const ROUTES_EACH = 2;
/** Trace lines between two collections: left to itself, the heap of the largest would take more than there is. */
const TIDIED = 50_000;
/** Larger ones are not written down once more for the oracle: their tables take most of the memory there is. */
const MOST_JUDGED = 100;

const [, , wanted, count] = process.argv;
const shape = GROWTH_SHAPES.find((one) => one === wanted);
const nodes = Number(count);
if (shape === undefined || !Number.isSafeInteger(nodes)) throw new Error(`no network: ${wanted} of ${count}`);

const script = growthScript({ shape, nodes, seed: 1, routes: ROUTES_EACH });
const before = heap();
let atRest = before;
let lines = 0;
const judged = nodes <= MOST_JUDGED;
const begun = process.cpuUsage();
const { figures, world, observed, violations } = simulate(script, {
  tables: judged,
  onLine: () => {
    lines += 1;
    if (lines % TIDIED === 0) Bun.gc(true);
  },
  onRest: () => {
    atRest = heap();
  },
});
const { user, system } = process.cpuUsage(begun);
const wrong = judged ? judge({ ...world, maxLifetime: script.timing.maxLifetime }, observed).violations.length : 0;
const bytes = atRest - before;
const growth: Growth = {
  shape,
  nodes,
  sessions: script.links.length,
  messages: figures.messages.update,
  routes: figures.routesAnnounced,
  withdrawals: figures.routesWithdrawn,
  rounds: Math.ceil((figures.lastChangeMs - GROWTH_ANNOUNCED_AT) / GROWTH_DELAY),
  bytes,
  bytesPerNode: Math.round(bytes / nodes),
  bytesPerRoute: Math.round(bytes / (nodes * nodes * ROUTES_EACH)),
  cpuSeconds: Number(((user + system) / 1e6).toPrecision(3)),
  judged,
  violations: violations.length + wrong,
};
console.log(JSON.stringify(growth));

function heap(): number {
  Bun.gc(true);
  return heapStats().heapSize;
}
