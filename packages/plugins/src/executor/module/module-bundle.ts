// One file out of a module and everything it imports: what is digested is what runs. Reads only inside the configured
// directories; what the running program supplies stays an import (supply-modules.ts), and nothing else does.

import { realpathSync } from "node:fs";
import { relative } from "node:path";
import { type Fault, printable } from "@capstan/orchestrator";
import { invalid, isInside, outside } from "./module-file.ts";
import { type SourceFile, sourceFile } from "./source-files.ts";

/** What stays an import: the running program has one copy of each, and supplies it (module.ts). */
export const SUPPLIED = [
  "zod",
  "zod/v4",
  "@capstan/orchestrator",
  "@capstan/orchestrator/client",
  "@capstan/plugins",
] as const;

export interface ModuleBundle {
  readonly text: string;
  /** `sha256-<hex>` of the text. */
  readonly digest: string;
  /** Every file that went into it, as it was just before it was read. */
  readonly files: readonly SourceFile[];
}

/** `path` and `roots` are real paths (module-file.ts). */
export async function bundleModule(path: string, roots: readonly string[]): Promise<ModuleBundle | Fault> {
  const files = new Map<string, SourceFile>();
  let escaped: string | undefined;
  const sources: Bun.BunPlugin = {
    name: "capstan: module sources",
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path: name }) =>
        isSupplied(name) ? { path: name, external: true } : undefined,
      );
      build.onLoad({ filter: /.*/ }, ({ path: source }) => {
        const real = realpathSync(source);
        if (!isInside(real, roots)) {
          escaped ??= source;
          throw new Error("outside of the modules directories");
        }
        files.set(real, sourceFile(real));
        return undefined; // Bun reads it
      });
    },
  };
  const built = await build(path, sources);
  if (escaped !== undefined) return outside(escaped, roots);
  if ("why" in built) return invalid(`${shown(path, roots)} does not build: ${built.why}`);
  if (built.outputs.length !== 1) {
    return invalid(
      `${shown(path, roots)} imports a file that is no code (an image, a style sheet, an addon); read it when it runs`,
    );
  }
  const text = withoutDirectories(await (built.outputs[0] as Bun.BuildArtifact).text(), [...files.keys()], roots);
  const digest = `sha256-${new Bun.CryptoHasher("sha256").update(text).digest("hex")}`;
  return { text, digest, files: [...files.values()] };
}

async function build(path: string, sources: Bun.BunPlugin): Promise<Bun.BuildOutput | { why: string }> {
  try {
    const built = await Bun.build({
      entrypoints: [path],
      target: "bun",
      format: "esm",
      plugins: [sources],
      env: "disable",
      // Bun would write the bundling process's own in: the digest must not depend on it.
      define: { "process.env.NODE_ENV": "process.env.NODE_ENV" },
      throw: false,
    });
    return built.success ? built : { why: built.logs.map(located).slice(0, 3).join("; ") || "for no stated reason" };
  } catch (error) {
    return { why: printable((error as Error).message) };
  }
}

/** `greet.ts:3:17 Unexpected =` */
function located(log: Bun.BuildOutput["logs"][number]): string {
  const { message, position } = log;
  const place = position ? `${position.file}:${position.line}:${position.column} ` : "";
  // Bun's own text advises an installation, which nobody may have wanted.
  const missing = "specifier" in log && isPackage(String(log.specifier)) ? String(log.specifier) : undefined;
  if (missing === undefined) return printable(`${place}${message}`);
  return printable(
    `${place}there is no package "${missing}" in a modules directory; supplied are ${SUPPLIED.join(", ")}, and Bun's own`,
  );
}

function isSupplied(name: string): boolean {
  return (SUPPLIED as readonly string[]).includes(name);
}

/** No path: `is-even`, `@scope/name/part`. */
function isPackage(specifier: string): boolean {
  return /^[^./]/.test(specifier);
}

/**
 * Bun heads each file's part with `// <path from the working directory>`. From the modules directory instead, so that the
 * digest is the same wherever the node was started.
 */
function withoutDirectories(text: string, files: readonly string[], roots: readonly string[]): string {
  const heads = new Map(files.map((file) => [`// ${relative(process.cwd(), file)}`, `// ${shown(file, roots)}`]));
  return text
    .split("\n")
    .map((line) => heads.get(line) ?? line)
    .join("\n");
}

/** A file's path inside its modules directory. */
export function shown(file: string, roots: readonly string[]): string {
  const root = roots.find((directory) => isInside(file, [directory]));
  return printable(root === undefined ? file : relative(root, file));
}
