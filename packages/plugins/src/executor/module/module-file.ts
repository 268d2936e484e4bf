// Which file a module's path means. Only files inside the configured directories, links followed; what is outside is not
// even said to exist.

import { readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, relative, resolve, sep } from "node:path";
import { type Fault, nearest } from "@capstan/orchestrator";
import { quote } from "../../registry/quote.ts";

export const MODULE_EXTENSIONS = [".ts", ".tsx", ".js", ".mjs"] as const;

/** The real path of a module, given absolute or relative to one of the directories (the first that has it). */
export function resolveModule(path: string, directories: readonly string[]): string | Fault {
  const roots = realDirectories(directories);
  if (path === "" || path.includes("\0")) return notFound(path, undefined);
  // As they are written, and as they are: a configured directory may itself be a link.
  const written = directories
    .filter((directory) => realOrUndefined(directory) !== undefined)
    .map((directory) => resolve(directory));
  const asked = isAbsolute(path) ? [resolve(path)] : written.map((directory) => resolve(directory, path));
  const inside = asked.filter((file) => isInside(file, [...written, ...roots]));
  if (inside.length === 0) return outside(path, directories);
  let suggestion: string | undefined;
  for (const file of inside) {
    const real = realOrUndefined(file);
    if (real !== undefined && !isInside(real, roots)) return outside(path, directories);
    if (real === undefined) {
      if (!isInside(realParent(file), roots)) return outside(path, directories);
      suggestion ??= nearestFile(file);
      continue;
    }
    if (!statSync(real, { throwIfNoEntry: false })?.isFile()) {
      return invalid(`${quote(path)} is no regular file; name a file with ${MODULE_EXTENSIONS.join(", ")}`);
    }
    if (!isModuleName(real))
      return invalid(`${quote(path)} is no module; its name must end in ${MODULE_EXTENSIONS.join(", ")}`);
    return real;
  }
  return notFound(path, suggestion);
}

/** The directories that exist, links followed. */
export function realDirectories(directories: readonly string[]): readonly string[] {
  return directories.flatMap((directory) => realOrUndefined(directory) ?? []);
}

export function isInside(file: string, roots: readonly string[]): boolean {
  return roots.some((root) => {
    const path = relative(root, file);
    return path !== "" && path !== ".." && !path.startsWith(`..${sep}`) && !isAbsolute(path);
  });
}

export function outside(path: string, directories: readonly string[]): Fault {
  const allowed =
    directories.length > 0 ? directories.map((directory) => quote(directory)).join(", ") : "none is configured";
  return {
    code: "MODULE_OUTSIDE",
    message: `${quote(path)} is outside of the modules directories (${allowed}); move it there, or configure its directory`,
  };
}

export function invalid(message: string): Fault {
  return { code: "MODULE_INVALID", message };
}

function notFound(path: string, suggestion: string | undefined): Fault {
  const hint =
    suggestion === undefined
      ? "check the path, and that the node runs where the file is"
      : `did you mean ${quote(suggestion)}?`;
  return { code: "MODULE_NOT_FOUND", message: `there is no module ${quote(path)}; ${hint}` };
}

function nearestFile(file: string): string | undefined {
  try {
    return nearest(basename(file), readdirSync(dirname(file)).filter(isModuleName));
  } catch {
    return undefined;
  }
}

function isModuleName(file: string): boolean {
  return (MODULE_EXTENSIONS as readonly string[]).includes(extname(file));
}

/** The nearest directory above a missing file that exists, links followed, as if the file were in it. */
function realParent(file: string): string {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    const real = realOrUndefined(directory);
    if (real !== undefined) return resolve(real, basename(file));
    if (directory === dirname(directory)) return file;
  }
}

function realOrUndefined(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
