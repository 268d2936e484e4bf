// The figures of fan-out (issue 4, "Must show" 6): publications to a thousand live subscribers, beside NATS core publish, and to a
// thousand receivers, beside nothing: nobody else runs code for each.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CLIENT_CORE, diskDirectory, SERVER_CORE } from "../kernel/machine.ts";
import { median } from "../kernel/rounds.ts";
import { startWorker, type Worker } from "../kernel/worker.ts";
import type { Delivered } from "./deliveries.ts";
import { startNats } from "./nats-server.ts";
import type { Load } from "./subscribers.ts";

export const SUBSCRIBERS = 1000;

export interface Side {
  /** Deliveries a second, as fast as it goes. */
  readonly rate: number;
  /** Milliseconds from publishing to being handed it, at a pace that leaves everybody time. */
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of CPU a delivery as fast as it goes: the server's where it says so, and the clients'. */
  readonly cpu: { readonly server: number | undefined; readonly client: number };
  /** Resident bytes of the server at the end. */
  readonly memory: number;
}

export interface Figure {
  readonly name: "live" | "receivers";
  readonly rounds: number;
  readonly ours: Side;
  /** `undefined` where nats-server is not installed, or does nothing of the kind. */
  readonly anchor: Side | undefined;
  /** The median of the rounds' ratios of the rates. */
  readonly ratio: number | undefined;
}

export const figureNames = ["live", "receivers"] as const satisfies readonly Figure["name"][];

const BURST = { publications: 1000, inFlight: 256, every: 0 };
const PACED = { publications: 60, inFlight: 1, every: 100 };

type Round = () => Promise<Omit<Side, "memory">>;

export async function* measure(
  names: readonly string[],
  rounds: number,
  say: (text: string) => void,
): AsyncGenerator<Figure> {
  if (names.includes("live")) yield await withDirectory((directory) => live(directory, rounds, say));
  if (names.includes("receivers")) yield await withDirectory((directory) => receivers(directory, rounds));
}

async function live(directory: string, rounds: number, say: (text: string) => void): Promise<Figure> {
  const client = await startWorker(new URL("./subscribers.ts", import.meta.url), CLIENT_CORE);
  const hub = await startWorker(new URL("./hub-server.ts", import.meta.url), SERVER_CORE, directory);
  const nats = await startNats();
  if (nats === undefined) say("nats-server is not installed (apt-get install nats-server): ours alone");
  try {
    await client.ask("ours", { ...((await hub.ask("address")) as object), followers: SUBSCRIBERS, receivers: 0 });
    if (nats !== undefined) await client.ask("nats", { port: nats.port, followers: SUBSCRIBERS });
    const ours: Round = () => round(client, client, "ours", () => hub.ask("cpu") as Promise<number>);
    const theirs: Round = () => round(client, client, "nats", async () => nats?.cpu());
    const sides = await byTurns(rounds, ours, nats === undefined ? undefined : theirs);
    const memory = (await hub.ask("memory")) as number;
    return summary("live", rounds, sides, memory, await nats?.memory());
  } finally {
    await client.end();
    await hub.end();
    await nats?.end();
  }
}

async function receivers(directory: string, rounds: number): Promise<Figure> {
  const client = await startWorker(new URL("./subscribers.ts", import.meta.url), CLIENT_CORE);
  const hub = await startWorker(new URL("./hub-server.ts", import.meta.url), SERVER_CORE, directory);
  try {
    await client.ask("ours", { ...((await hub.ask("address")) as object), followers: 0, receivers: SUBSCRIBERS });
    const ours: Round = () => round(client, hub, "ours", () => hub.ask("cpu") as Promise<number>);
    const sides = await byTurns(rounds, ours, undefined);
    return summary("receivers", rounds, sides, (await hub.ask("memory")) as number, undefined);
  } finally {
    await client.end();
    await hub.end();
  }
}

/** As fast as it goes, and then at a pace. `at` counts what is handed out. */
async function round(
  client: Worker,
  at: Worker,
  target: Load["target"],
  serverCpu: () => Promise<number | undefined>,
): Promise<Omit<Side, "memory">> {
  const run = async (load: Omit<Load, "target">): Promise<Delivered> => {
    await at.ask("expect", load.publications * SUBSCRIBERS);
    await client.ask("publish", { target, ...load } satisfies Load);
    return (await at.ask("received")) as Delivered;
  };
  const server = await serverCpu();
  const own = (await client.ask("cpu")) as number;
  const fast = await run(BURST);
  const cpu = {
    server: server === undefined ? undefined : (((await serverCpu()) as number) - server) / fast.deliveries,
    client: (((await client.ask("cpu")) as number) - own) / fast.deliveries,
  };
  const paced = await run(PACED);
  return { rate: (fast.deliveries / fast.ms) * 1000, p50: paced.p50, p99: paced.p99, cpu };
}

interface Sides {
  readonly ours: readonly Omit<Side, "memory">[];
  readonly theirs: readonly Omit<Side, "memory">[];
}

/** Both meet the same machine, and take turns at going first. The first round is the compiler's. */
async function byTurns(rounds: number, ours: Round, theirs: Round | undefined): Promise<Sides> {
  await ours();
  await theirs?.();
  const sides = { ours: [] as Omit<Side, "memory">[], theirs: [] as Omit<Side, "memory">[] };
  for (let i = 0; i < rounds; i++) {
    if (i % 2 === 1 && theirs !== undefined) sides.theirs.push(await theirs());
    sides.ours.push(await ours());
    if (i % 2 === 0 && theirs !== undefined) sides.theirs.push(await theirs());
  }
  return sides;
}

function summary(
  name: Figure["name"],
  rounds: number,
  { ours, theirs }: Sides,
  memory: number,
  theirMemory: number | undefined,
): Figure {
  const side = (of: readonly Omit<Side, "memory">[], bytes: number): Side => ({
    rate: median(of.map(({ rate }) => rate)),
    p50: median(of.map(({ p50 }) => p50)),
    p99: median(of.map(({ p99 }) => p99)),
    cpu: {
      server: of[0]?.cpu.server === undefined ? undefined : median(of.map(({ cpu }) => cpu.server as number)),
      client: median(of.map(({ cpu }) => cpu.client)),
    },
    memory: bytes,
  });
  const ratios = theirs.map(({ rate }, i) => (ours[i] as Omit<Side, "memory">).rate / rate);
  return {
    ...{ name, rounds, ours: side(ours, memory) },
    anchor: theirMemory === undefined ? undefined : side(theirs, theirMemory),
    ratio: ratios.length === 0 ? undefined : median(ratios),
  };
}

async function withDirectory(work: (directory: string) => Promise<Figure>): Promise<Figure> {
  const parent = diskDirectory();
  try {
    return await work(mkdtempSync(join(parent, "node-")));
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}
