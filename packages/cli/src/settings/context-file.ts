// Contexts: servers that a person asks often, by name, in their own configuration directory. Of a credential the file's path is
// kept and never its text. What is read is checked; what is written is whole or not at all.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FaultError, fault, nearest, printable } from "@capstan/orchestrator/remote";
import { reasonOf } from "../input/json-input.ts";
import type { Io } from "../io.ts";
import type { Context, Contexts } from "./context-schema.ts";

/** What stands for no context, and so is no name of one. */
export const NO_CONTEXT = "none";

/** XDG Base Directory Specification: an own directory, which counts where it is absolute, else ~/.config. */
export function contextsPath({ env }: Pick<Io, "env">): string | undefined {
  const { XDG_CONFIG_HOME, HOME } = env;
  if (XDG_CONFIG_HOME && isAbsolute(XDG_CONFIG_HOME)) return join(XDG_CONFIG_HOME, "capstan", "contexts.json");
  return HOME && isAbsolute(HOME) ? join(HOME, ".config", "capstan", "contexts.json") : undefined;
}

/** @throws FaultError CONTEXTS_INVALID */
export async function readContexts(io: Pick<Io, "env">): Promise<Contexts> {
  const path = contextsPath(io);
  if (path === undefined) return { contexts: {} };
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "")) return { contexts: {} };
    throw invalid(path, `cannot be read: ${reasonOf(error)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(path, "is not JSON; mend it, or remove it and add the contexts again");
  }
  const { contextsSchema } = await import("./context-schema.ts");
  const parsed = contextsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(path, `does not fit at ${issue?.path.join(".") || "its top"}: ${issue?.message ?? "it is no object"}`);
}

/** @param where what named it. @throws FaultError CONTEXT_UNKNOWN */
export function contextNamed({ contexts }: Contexts, name: string, where?: string): Context {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context !== undefined) return context;
  const meant = nearest(name, Object.keys(contexts));
  const hint = meant === undefined ? "capstan context list shows them" : `did you mean "${printable(meant)}"?`;
  const by = where === undefined ? "" : `${where}: `;
  throw new FaultError(fault("CONTEXT_UNKNOWN", `${by}there is no context "${printable(name)}"; ${hint}`));
}

/** How long another command that changes them is waited for, and after what time it must have died. */
const LONGEST_MS = 3000;
const STALE_MS = 2000;

/** Reads, changes and writes; of two commands at once the second sees what the first wrote. @throws FaultError */
export async function changeContexts(io: Pick<Io, "env">, change: (before: Contexts) => Contexts): Promise<void> {
  const path = contextsPath(io);
  if (path === undefined) {
    const text = "there is no directory to keep contexts in: set HOME or XDG_CONFIG_HOME to one";
    throw new FaultError(fault("FILE_UNWRITABLE", text));
  }
  const draft = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await claim(draft);
  } catch (error) {
    throw new FaultError(fault("FILE_UNWRITABLE", `${printable(path)} cannot be written: ${reasonOf(error)}`));
  }
  try {
    const after = change(await readContexts(io));
    writeFileSync(draft, `${JSON.stringify(after, null, 2)}\n`);
    renameSync(draft, path);
  } catch (thrown) {
    rmSync(draft, { force: true });
    throw thrown;
  }
}

/** The draft is the lock: whoever made it writes, and a rename ends both. */
async function claim(draft: string): Promise<void> {
  for (const until = performance.now() + LONGEST_MS; ; await sleep(10)) {
    try {
      return writeFileSync(draft, "", { flag: "wx", mode: 0o600 });
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST" || performance.now() > until) throw error;
      const made = statSync(draft, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - made > STALE_MS && existsSync(draft)) rmSync(draft, { force: true });
    }
  }
}

function invalid(path: string, why: string): FaultError {
  return new FaultError(fault("CONTEXTS_INVALID", `${printable(path)} ${why}`));
}
