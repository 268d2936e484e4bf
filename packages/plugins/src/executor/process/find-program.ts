// Which file a program's name means, and whether it can be run. The path is fixed: the node's own environment has no say in what
// is registered.

import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import { type Fault, fault } from "@capstan/orchestrator";
import { quote } from "../../registry/quote.ts";

export const PROGRAM_PATH = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] as const;

/** The program's absolute path; `CONFIG_INVALID` where there is none that can be run. */
export function findProgram(program: string, path: readonly string[]): string | Fault {
  if (program.includes("/")) {
    const problem = unrunnable(program);
    return problem === undefined ? program : fault("CONFIG_INVALID", `"argv[0]": ${quote(program)} ${problem}`);
  }
  const found = path.map((directory) => join(directory, program)).find((one) => unrunnable(one) === undefined);
  const hint = `no program ${quote(program)} in ${path.join(":")}; give its absolute path`;
  return found ?? fault("CONFIG_INVALID", `"argv[0]": ${hint}`);
}

/** `CONFIG_INVALID` where it is no directory. */
export function missingDirectory(path: string): Fault | undefined {
  const problem = unusable(path);
  return problem === undefined ? undefined : fault("CONFIG_INVALID", `"cwd": ${quote(path)} ${problem}`);
}

function unusable(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return "is not there";
    return found.isDirectory() ? undefined : "is no directory";
  } catch {
    return "cannot be looked at by this node";
  }
}

function unrunnable(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return "is not there";
    if (!found.isFile()) return "is no regular file";
    accessSync(path, constants.X_OK);
    return undefined;
  } catch {
    return "may not be executed by this node";
  }
}
