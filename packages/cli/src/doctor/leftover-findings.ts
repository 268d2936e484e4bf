// Files that a killed process or an operator's unfinished step left in the data directory, each with what it was for.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, Findings } from "./finding.ts";

interface Leftover {
  readonly name: RegExp;
  readonly what: string;
  readonly todo: string;
}

const LEFTOVERS: readonly Leftover[] = [
  {
    name: /^recover\.(?:request|done)$/,
    what: "is of a recovery of the administrator's credential that did not end",
    todo: "run capstan admin recover again; or remove it if nobody asked for that",
  },
  {
    name: /^node\.key\.next$/,
    what: "is the key of a rotation that did not end",
    todo: "run capstan key rotate again, which goes on with it",
  },
  {
    // What belongs to it goes by its name.
    name: /^log\.db\.replaced-(?!.*(?:-sums|-wal|-shm|-journal|\.checkpoint)$)/,
    what: "is a log that a restore moved aside",
    todo: "remove it once nobody needs it any more",
  },
  {
    name: /\.(?:tmp|new)$|\.tmp\.checkpoint$|^\.server\.json\.\d+$/,
    what: "was being written by a process that was killed",
    todo: "remove it, unless a backup or a restore is running",
  },
];

export function leftoverFindings(directory: string, shown: string): readonly Finding[] {
  const found = new Findings("leftovers");
  let names: string[];
  try {
    names = readdirSync(directory).sort();
  } catch {
    return []; // said where the directory is looked at
  }
  const logs = logPid(directory);
  const served = logs !== undefined && isAlive(logs);
  for (const name of names) {
    const leftover = LEFTOVERS.find((one) => one.name.test(name));
    // A node that runs writes its checkpoint anew every second: what stands there for a moment is nobody's leftover.
    if (served && name === "log.db.checkpoint.tmp") continue;
    if (leftover !== undefined) found.warn(`${shown}/${name} ${leftover.what}`, leftover.todo);
  }
  for (const [name, pid] of [
    ["server.json", serverPid(directory)],
    ["log.db.pid", logs],
  ] as const) {
    if (pid !== undefined && !isAlive(pid)) {
      found.warn(
        `${shown}/${name} names process ${pid}, which is gone: the node was killed`,
        "capstan serve: it starts on",
      );
    }
  }
  if (found.list.length === 0) found.ok("none");
  return found.list;
}

function serverPid(directory: string): number | undefined {
  try {
    return pidOf((JSON.parse(readFileSync(join(directory, "server.json"), "utf8")) as { pid?: unknown }).pid);
  } catch {
    return undefined;
  }
}

function logPid(directory: string): number | undefined {
  try {
    return pidOf(Number(readFileSync(join(directory, "log.db.pid"), "utf8")));
  } catch {
    return undefined;
  }
}

function pidOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
