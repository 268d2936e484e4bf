// One round of ours: a node that has the table, and one that has just come. All of it over sessions between two processes.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { startWorker, type Worker } from "../kernel/worker.ts";
import { distinctUpdates, FEEDER, FEEDER_KEY, Feeder } from "./feeder.ts";
import { LIVE_FIRST, LIVE_ROUTES, ROUTES, type Round, type Shape } from "./round.ts";

interface Identity {
  readonly url: string;
  readonly node: string;
  readonly key: string;
}

const SECRET = Buffer.alloc(32, "a pair's secret");

export async function oursRound(shape: Shape, directory: string): Promise<Round> {
  const [full, fresh] = [await startNode(directory, "full"), await startNode(directory, "fresh")];
  try {
    const feeder = shape === "shared" ? undefined : await fed(full);
    if (feeder === undefined) await full.ask("offer", { from: 0, count: ROUTES });
    const [from, to] = [(await full.ask("identity")) as Identity, (await fresh.ask("identity")) as Identity];
    await full.ask("peer", { name: "fresh", node: to.node, key: to.key });
    const first = await dump(fresh, from);
    const listed = await fresh.ask("listed");
    if (listed !== ROUTES) throw new Error(`route.list has ${listed} routes of ${ROUTES}`);
    // All of it goes and comes again: by now the code is compiled, as that of a node that has run for a minute is.
    await fresh.ask("remove", "full");
    const again = await dump(fresh, from);
    const live = shape === "shared" ? await liveRate(full, fresh) : undefined;
    feeder?.close();
    return { dump: again.ms, bytes: again.bytes, cold: { dump: first.ms, bytes: first.bytes }, live };
  } finally {
    await fresh.end();
    await full.end();
  }
}

async function startNode(directory: string, name: string): Promise<Worker> {
  const own = join(directory, name);
  mkdirSync(own);
  return startWorker(new URL("./node-process.ts", import.meta.url), undefined, own, name);
}

/** From being told of the peer, which it dials then, to the last route in the table; and what the process grew by, a route. */
async function dump(fresh: Worker, { url, node, key }: Identity): Promise<{ ms: number; bytes: number }> {
  const without = (await fresh.ask("size")) as number;
  await fresh.ask("expect", ROUTES);
  const began = (await fresh.ask("peer", { name: "full", node, key, url })) as number;
  const ms = ((await fresh.ask("reached")) as number) - began;
  return { ms, bytes: (((await fresh.ask("size")) as number) - without) / ROUTES };
}

/** Routes a second from the first that is asked for at the one to the last that is installed at the other. */
async function liveRate(full: Worker, fresh: Worker): Promise<number> {
  const live = async (from: number, count: number): Promise<number> => {
    await fresh.ask("expect", count);
    const began = (await full.ask("live", { from, count })) as number;
    return (count * 1000) / (((await fresh.ask("reached")) as number) - began);
  };
  await live(ROUTES, LIVE_FIRST);
  return live(ROUTES + LIVE_FIRST, LIVE_ROUTES);
}

async function fed(full: Worker): Promise<Feeder> {
  const { url, node, key } = (await full.ask("identity")) as Identity;
  await full.ask("peer", { name: "feeder", node: FEEDER, key: FEEDER_KEY });
  await full.ask("expect", ROUTES);
  const feeder = await Feeder.open({ url, node, key, secret: SECRET });
  for (const announce of distinctUpdates(0, ROUTES)) await feeder.update(announce);
  await full.ask("reached");
  return feeder;
}
