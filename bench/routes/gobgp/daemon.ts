// Debian's gobgpd on addresses of the loopback network, where it is installed: one that is fed a table, and fresh ones that get it from
// there.

import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { type TableCount, tableCount } from "./table-count.ts";

/** On the loopback network every address is the machine's. */
export const FRESH = "127.7.4.3";
export const FEEDER = "127.7.4.4";

/** Of the daemon that is fed: its own address is the next hop that it tells of, and none of the loopback network is taken for one. */
export const fedAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === "IPv4" && !one.internal)?.address;

export interface Neighbour {
  readonly address: string;
  readonly as: number;
  /** It is dialled there; else it dials us. */
  readonly port?: number;
}

export interface Daemon {
  readonly pid: number;
  readonly table: TableCount;
  /** When a session with that neighbour was established: milliseconds of this process's clock. */
  established(): Promise<number>;
  /** Resolves with when the table had so many routes: milliseconds of this process's clock. */
  filled(routes: number): Promise<number>;
  end(): Promise<void>;
}

export const gobgpd = (): string | undefined =>
  Bun.which("gobgpd") ?? Bun.which("gobgpd", { PATH: "/usr/bin:/usr/sbin:/usr/local/bin" }) ?? undefined;

/** How often a table is looked at, in milliseconds: a look takes the daemon a walk over its table. */
const LOOK = 10;

export async function startDaemon(
  directory: string,
  address: string,
  as: number,
  ports: { readonly bgp: number; readonly api: number },
  neighbours: readonly Neighbour[],
): Promise<Daemon> {
  const path = join(directory, `gobgpd-${address}.json`);
  writeFileSync(path, JSON.stringify(configuration(address, as, ports.bgp, neighbours)));
  const child = Bun.spawn(
    [
      ...[gobgpd() as string, "-f", path, "-t", "json", "--api-hosts", `127.0.0.1:${ports.api}`],
      ...["--pprof-disable", "-l", "info"],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const up = Promise.withResolvers<number>();
  void (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout)
      if (decoder.decode(chunk).includes("Peer Up")) up.resolve(performance.now());
  })();
  const table = tableCount(ports.api);
  for (let tries = 0; ; tries++) {
    try {
      await table.routes();
      break;
    } catch (thrown) {
      if (tries > 200 || child.exitCode !== null) throw thrown;
      await Bun.sleep(25); // another process's start: there is nothing to await
    }
  }
  return {
    pid: child.pid,
    table,
    established: () => up.promise,
    async filled(routes) {
      while ((await table.routes()) < routes) await Bun.sleep(LOOK);
      return performance.now();
    },
    async end() {
      table.close();
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

function configuration(address: string, as: number, port: number, neighbours: readonly Neighbour[]): unknown {
  return {
    global: { config: { as, "router-id": address, port, "local-address-list": [address] } },
    neighbors: neighbours.map((neighbour) => ({
      config: { "neighbor-address": neighbour.address, "peer-as": neighbour.as },
      transport: {
        config: {
          "local-address": address,
          "passive-mode": neighbour.port === undefined,
          ...(neighbour.port === undefined ? {} : { "remote-port": neighbour.port }),
        },
      },
      timers: { config: { "connect-retry": 1, "hold-time": 90, "keepalive-interval": 30 } },
      "ebgp-multihop": { config: { enabled: true, "multihop-ttl": 8 } },
    })),
  };
}
