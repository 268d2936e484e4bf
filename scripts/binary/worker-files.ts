// The programs that the packages start beside themselves (workers, child processes), found by how they are written:
// `new URL("./x-worker.ts", import.meta.url)`. Bun does not follow these when it compiles, so that each becomes an entry point
// of its own; there is no list to keep.

import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

const WRITTEN = /new URL\("(\.{1,2}\/[^"]+\.ts)", import\.meta\.url\)/g;
/** A file that is named otherwise; a worker made of a text is none. */
const NOT_FOLLOWED = /\bnew Worker\(\s*(?:["'`]|new URL\((?!"\.{1,2}\/[^"]+\.ts", import\.meta\.url\)))/;

/** Paths of the files that are started so. @throws Error where one cannot be told, is missing, or has another's name */
export async function workerFiles(packages: string): Promise<string[]> {
  const found = new Map<string, string>();
  for await (const source of new Bun.Glob("*/src/**/*.ts").scan({ cwd: packages, absolute: true })) {
    if (/\.(test|fixture|type-test)\.ts$/.test(source)) continue;
    const text = readFileSync(source, "utf8");
    const named = [...text.matchAll(WRITTEN)].map(([, path]) => join(dirname(source), path as string));
    if (NOT_FOLLOWED.test(text)) {
      throw new Error(`${source}: name it as new URL("./x-worker.ts", import.meta.url), so that it is compiled`);
    }
    for (const path of named) {
      if (!existsSync(path)) throw new Error(`${source}: there is no ${path}`);
      const other = found.get(basename(path));
      if (other !== undefined && other !== path) throw new Error(`${path} and ${other} have one name; rename one`);
      found.set(basename(path), path);
    }
  }
  return [...found.values()].sort();
}

const TEXT = /^import (\w+) from "([^"]+)" with \{ type: "text" \};$/gm;

/**
 * A source as it is compiled: all entry points lie side by side in the binary, as scripts; and a text that is imported is in the
 * script itself, because Bun would put it into a file of its own, which a copy of the script does not find.
 */
export function asCompiled(source: string, text: string): string {
  return text
    .replace(WRITTEN, (_, path: string) => `new URL("./${compiledName(path)}", import.meta.url)`)
    .replace(TEXT, (_, name: string, from: string) => {
      const imported = readFileSync(Bun.resolveSync(from, dirname(source)), "utf8");
      return `const ${name} = ${JSON.stringify(imported)};`;
    });
}

export function compiledName(path: string): string {
  return `${basename(path, ".ts")}.js`;
}
