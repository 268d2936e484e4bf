// capstan.config.ts: found in the working directory or named, imported with our modules supplied, checked where it is read.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Config } from "@capstan/orchestrator";
import { FaultError, fault, nearest, printable } from "@capstan/orchestrator/remote";
import { exportedKeys } from "./exported-keys.ts";

export interface ConfigFile {
  readonly path: string;
  readonly directory: string;
  readonly config: Config;
}

const NAMES = ["capstan.config.ts", "capstan.config.js", "capstan.config.mjs"];

/** The file that counts: the one named, else the one in the directory, else none. @throws FaultError CONFIG_FILE_INVALID */
export function findConfigFile(cwd: string, named: string | undefined): string | undefined {
  if (named === undefined) return NAMES.map((name) => join(cwd, name)).find((path) => existsSync(path));
  const path = resolve(cwd, named);
  if (!existsSync(path)) throw invalid(named, "there is no such file");
  return path;
}

/** As its text tells; `undefined` where only loading it does. */
export function keysIn(path: string): ReadonlySet<string> | undefined {
  try {
    return exportedKeys(readFileSync(path, "utf8"));
  } catch {
    return undefined; // a directory, or unreadable: loading it says what
  }
}

/** @throws FaultError CONFIG_FILE_INVALID where it does not load, CONFIG_UNKNOWN where it does not fit */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const { supplyModules } = await import("./supplied.ts");
  supplyModules();
  const { parseConfig } = await import("@capstan/orchestrator");
  let exports: { readonly default?: unknown };
  try {
    exports = await import(path);
  } catch (error) {
    if (error instanceof FaultError) throw error;
    throw invalid(path, `it does not load: ${firstLine(error, path)}${await whereItIs(error)}`);
  }
  if (typeof exports.default !== "object" || exports.default === null) {
    throw invalid(path, "it exports no configuration; write `export default defineConfig({ … })`");
  }
  return { path, directory: dirname(path), config: parseConfig(exports.default, printable(path)) };
}

function invalid(path: string, why: string): FaultError {
  return new FaultError(fault("CONFIG_FILE_INVALID", `${printable(path)}: ${why}`));
}

function firstLine(error: unknown, path: string): string {
  const one = error instanceof AggregateError ? error.errors[0] : error;
  const { message, position, stack } = one as Partial<Error> & { position?: { line: number; column: number } };
  // Where its code ran: the innermost line of it.
  const [, line, column] = new RegExp(`${RegExp.escape(path)}:(\\d+):(\\d+)`).exec(stack ?? "") ?? [];
  const at = position ?? (line === undefined ? undefined : { line, column });
  const where = at === undefined ? "" : ` (line ${at.line}, column ${at.column})`;
  return printable(
    `${String(message ?? one)
      .split("\n")[0]
      ?.replace(/\.$/, "")}${where}`,
  );
}

/** Of a name that was imported from one of ours and is another's, or is written otherwise. */
async function whereItIs(error: unknown): Promise<string> {
  const [, name, from] =
    /^Export named '(\w+)' not found in module '(@capstan\/\w+)'/.exec(String((error as Partial<Error>).message)) ?? [];
  if (name === undefined || from === undefined) return "";
  const ours = {
    "@capstan/orchestrator": await import("@capstan/orchestrator"),
    "@capstan/plugins": await import("@capstan/plugins"),
  };
  const other = Object.entries(ours).find(([, module]) => Object.hasOwn(module, name))?.[0];
  if (other !== undefined) return `; it is in '${other}'`;
  const near = nearest(name, Object.keys(ours[from as keyof typeof ours] ?? {}));
  return near === undefined ? "" : `; did you mean '${near}'?`;
}
