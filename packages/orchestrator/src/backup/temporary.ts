// Names of files that are not finished yet. Each has its writer's process in it, so that what a killed one left is known for
// what it is, and removed by the next that writes there.

import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The name under which `path` is written, by this process. */
export function temporaryOf(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** Removes what killed processes left of `path`, and of files that belong to it. @throws where its directory cannot be read */
export function removeLeft(path: string): void {
  const name = new RegExp(`^${RegExp.escape(basename(path))}\\.(\\d+)\\.tmp(?:[.-][a-z]+)?$`);
  for (const left of readdirSync(dirname(path))) {
    const pid = Number(name.exec(left)?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(dirname(path), left), { force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as { code?: string }).code === "EPERM";
  }
}
