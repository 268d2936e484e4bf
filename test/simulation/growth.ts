// How messages, rounds and memory grow with the number of nodes, by the shape of the network; and the exponent of each, fitted
// on a log-log scale. What they should be, and why, stands in docs/peering-simulation.md.

import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export interface Growth {
  readonly shape: string;
  readonly nodes: number;
  readonly sessions: number;
  /** Updates sent. */
  readonly messages: number;
  /** Routes announced in them, and withdrawn. */
  readonly routes: number;
  readonly withdrawals: number;
  /** Link delays from the announcement of all routes at once to the last change of a best path. */
  readonly rounds: number;
  /** Of the heap when all is quiet. */
  readonly bytes: number;
  readonly bytesPerNode: number;
  /** For each best path of each node, alternatives included. */
  readonly bytesPerRoute: number;
  readonly cpuSeconds: number;
  /** Whether the oracle saw the tables; of the large ones only what went on was watched. */
  readonly judged: boolean;
  readonly violations: number;
}

const SHAPES = ["ring", "mesh", "random", "hub"] as const;
const SIZES = [25, 50, 100, 200, 400] as const;
const GROWS = ["sessions", "messages", "routes", "rounds", "bytes"] as const;
const PROCESS = join(import.meta.dir, "growth-process.ts");

/** @returns whether nothing was wrong in any of them. */
export async function measureGrowth({ json }: { readonly json: boolean }): Promise<boolean> {
  let good = true;
  for (const shape of SHAPES) {
    const measured: Growth[] = [];
    if (!json) console.log(HEADINGS.map((heading) => heading.padStart(13)).join(""));
    for (const nodes of SIZES) {
      const growth = await measure(shape, nodes);
      measured.push(growth);
      if (growth.violations > 0) good = false;
      console.log(json ? JSON.stringify(growth) : rowOf(growth));
    }
    const exponents = Object.fromEntries(
      GROWS.map((what) => [what, exponent(measured.map((one) => [one.nodes, one[what]]))]),
    );
    if (json) console.log(JSON.stringify({ shape, exponents }));
    else
      console.log(`${shape}: exponents ${GROWS.map((what) => `${what} ${exponents[what]?.toFixed(2)}`).join(", ")}\n`);
  }
  return good;
}

const HEADINGS = [
  "",
  "nodes",
  "sessions",
  "updates",
  "routes",
  "withdrawn",
  "rounds",
  "MB",
  "kB/node",
  "B/route",
  "CPU s",
];

function rowOf(one: Growth): string {
  const { shape, nodes, sessions, messages, routes, withdrawals, rounds, bytes, bytesPerNode, bytesPerRoute } = one;
  const megabytes = (bytes / 1e6).toFixed(1);
  const kilobytes = (bytesPerNode / 1e3).toFixed(0);
  const cells = [shape, nodes, sessions, messages, routes, withdrawals, rounds, megabytes, kilobytes, bytesPerRoute];
  const wrong = one.violations === 0 ? "" : `  ${one.violations} VIOLATIONS`;
  return [...cells, one.cpuSeconds].map((cell) => String(cell).padStart(13)).join("") + wrong;
}

async function measure(shape: string, nodes: number): Promise<Growth> {
  const child = spawn(process.execPath, [PROCESS, shape, String(nodes)], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await text(child.stdout);
  if (line === "") throw new Error(`${shape} of ${nodes} nodes: the process ended without a word`);
  return JSON.parse(line) as Growth;
}

/** The slope of the line through the points' logarithms, by least squares. */
export function exponent(points: readonly (readonly [size: number, value: number])[]): number {
  const logs = points.map(([size, value]) => [Math.log(size), Math.log(value)] as const);
  const mean = (at: 0 | 1): number => logs.reduce((sum, point) => sum + point[at], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return covariance / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}
