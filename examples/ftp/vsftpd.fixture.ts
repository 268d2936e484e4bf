// Debian's vsftpd as a child of the test: on a port of its own, with anonymous files in a temporary directory.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM = "/usr/sbin/vsftpd";
const MOST_TRIES = 1500;
const MOST_PORTS = 5;

/** Whether it can be started here: it is installed, and only root may change to the user that serves. */
export const hasVsftpd = existsSync(PROGRAM) && process.getuid?.() === 0;

export async function startVsftpd() {
  const root = mkdtempSync(join(tmpdir(), "capstan-vsftpd-"));
  const [files, empty] = [join(root, "files"), join(root, "empty")];
  // The directory itself must not be writable by who is logged in.
  for (const directory of [files, empty]) mkdirSync(directory, { mode: 0o755 });
  mkdirSync(join(files, "in"));
  chmodSync(join(files, "in"), 0o777);
  chmodSync(root, 0o755);
  const configuration = {
    ...{ listen: "YES", listen_address: "127.0.0.1", background: "NO", secure_chroot_dir: empty },
    ...{
      anonymous_enable: "YES",
      local_enable: "NO",
      anon_root: files,
      no_anon_password: "YES",
    },
    ...{ write_enable: "YES", anon_upload_enable: "YES", anon_other_write_enable: "YES", anon_umask: "022" },
    // What was put can be read again by the next one who asks.
    ...{ anon_world_readable_only: "NO", seccomp_sandbox: "NO", xferlog_enable: "NO", use_localtime: "NO" },
  };
  const lines = Object.entries(configuration).map(([key, value]) => `${key}=${value}\n`);
  const { port, child } = await listening(join(root, "vsftpd.conf"), lines.join(""));
  return {
    port,
    files,
    async stop() {
      child.kill();
      await child.exited;
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** It is told its port, and ends where somebody else was given that meanwhile: then with another one. */
async function listening(file: string, configuration: string) {
  for (let ports = 1; ; ports++) {
    const port = await freePort();
    writeFileSync(file, `${configuration}listen_port=${port}\n`);
    const child = Bun.spawn([PROGRAM, file], { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
    try {
      await answers(port, () => child.exitCode);
      return { port, child };
    } catch (thrown) {
      child.kill();
      if (child.exitCode === null || ports === MOST_PORTS) throw thrown;
    }
  }
}

async function freePort(): Promise<number> {
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = taken;
  taken.stop(true);
  return port;
}

/** Resolves once something greets on the port. */
async function answers(port: number, ended: () => number | null): Promise<void> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    if (ended() !== null) throw new Error(`vsftpd ended with ${ended()}`);
    const greeted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("data", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("close", () => socket.destroy());
    });
    if (greeted) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("vsftpd does not answer");
}
