// One round of GoBGP's: a daemon that is fed the table by a speaker of ours, and a fresh one that has it from there.

import { createServer } from "node:net";
import { LIVE_FIRST, LIVE_ROUTES, ROUTES, type Round, type Shape } from "../round.ts";
import { FEEDER, FRESH, fedAddress, gobgpd, startDaemon } from "./daemon.ts";
import { distinctUpdates, feed, liveUpdates, sharedUpdates } from "./speaker.ts";

const [FEEDER_AS, FED_AS, FRESH_AS] = [65_001, 65_002, 65_003] as const;
/** What the daemon's collector needs to come to rest. */
const REST = 300;

/** Why there is nothing to compare with; `undefined`: there is. */
export function missing(): string | undefined {
  if (gobgpd() === undefined) return "gobgpd is not installed (apt-get install gobgpd)";
  return fedAddress() === undefined
    ? "this machine has no address but the loopback's, and gobgpd wants one"
    : undefined;
}

export async function gobgpRound(shape: Shape, directory: string): Promise<Round> {
  const address = fedAddress() as string;
  const [fedBgp, fedApi, freshBgp, freshApi] = await freePorts(4);
  const fed = await startDaemon(directory, address, FED_AS, { bgp: fedBgp as number, api: fedApi as number }, [
    { address: FEEDER, as: FEEDER_AS },
    { address: FRESH, as: FRESH_AS },
  ]);
  let fresh: Awaited<ReturnType<typeof startDaemon>> | undefined;
  try {
    const feeder = await feed(address, fedBgp as number, FEEDER);
    await feeder.send(shape === "shared" ? sharedUpdates(0, ROUTES) : distinctUpdates(0, ROUTES));
    await fed.filled(ROUTES);
    const ports = { bgp: freshBgp as number, api: freshApi as number };
    fresh = await startDaemon(directory, FRESH, FRESH_AS, ports, [{ address, as: FED_AS, port: fedBgp as number }]);
    const without = await resident(fresh.pid);
    const established = await fresh.established();
    const dump = (await fresh.filled(ROUTES)) - established;
    await Bun.sleep(REST);
    const bytes = (await resident(fresh.pid)) - without;
    let live: number | undefined;
    if (shape === "shared") {
      const before = ROUTES + LIVE_FIRST;
      await feeder.send(liveUpdates(ROUTES, LIVE_FIRST));
      await fresh.filled(before);
      const began = performance.now();
      await feeder.send(liveUpdates(before, LIVE_ROUTES));
      live = (LIVE_ROUTES * 1000) / ((await fresh.filled(before + LIVE_ROUTES)) - began);
    }
    feeder.end();
    return { dump, cold: undefined, live, bytes: bytes / ROUTES };
  } finally {
    await fresh?.end();
    await fed.end();
  }
}

async function resident(pid: number): Promise<number> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}

/** All at once, so that none is given twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
