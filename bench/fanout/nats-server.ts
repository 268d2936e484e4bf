// Debian's nats-server on a port and a core of its own, where it is installed.

import { createServer } from "node:net";
import { pinnedCommand, SERVER_CORE } from "../kernel/machine.ts";
import { connectNats } from "./nats-client.ts";

export interface NatsServer {
  readonly port: number;
  /** Resident bytes. */
  memory(): Promise<number>;
  /** Microseconds of CPU. */
  cpu(): Promise<number>;
  end(): Promise<void>;
}

export async function startNats(): Promise<NatsServer | undefined> {
  // Where Debian puts it, a user's PATH need not lead.
  const program = Bun.which("nats-server") ?? Bun.which("nats-server", { PATH: "/usr/sbin:/usr/local/sbin" });
  if (program === null) return undefined;
  const port = await freePort();
  const child = Bun.spawn(pinnedCommand(SERVER_CORE, [program, "-a", "127.0.0.1", "-p", String(port)]), {
    stdio: ["ignore", "ignore", "ignore"],
  });
  for (let tries = 0; ; tries++) {
    try {
      const connection = await connectNats(port, () => {});
      await connection.flush();
      connection.close();
      break;
    } catch (thrown) {
      if (tries > 200 || child.exitCode !== null) throw thrown;
      await Bun.sleep(25); // another process's start: there is nothing to await
    }
  }
  return {
    port,
    async memory() {
      const status = await Bun.file(`/proc/${child.pid}/status`).text();
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    },
    async cpu() {
      // proc(5): utime and stime are the 14th and 15th field; a name may hold blanks, and stands in parentheses.
      const stat = await Bun.file(`/proc/${child.pid}/stat`).text();
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return (Number(fields[11]) + Number(fields[12])) * MICROS_A_TICK;
    },
    async end() {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}

/** USER_HZ is 100 on every Linux that Bun runs on. */
const MICROS_A_TICK = 10_000;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}
