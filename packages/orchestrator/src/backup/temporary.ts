// Names of unfinished files. Each contains its writer's process id, so that the next writer recognises and removes what a killed process left.

import { readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** The name under which this process writes `path`. */
export function temporaryOf(path: string): string {
  return `${path}.${process.pid}.tmp`;
}

/** Removes what killed processes left of `path` and of files that belong to it. @throws where its directory cannot be read */
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
