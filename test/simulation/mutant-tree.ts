// A copy of packages/peer/src with a fault in it, where the package's own dependencies are found; never the tree itself.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mutant } from "./mutants.ts";

const ROOT = join(import.meta.dir, "..", "..");
export const PEER = join(ROOT, "packages", "peer", "src");
const CACHE = join(ROOT, "node_modules", ".cache", "capstan-mutants");

export interface MutantTree extends Disposable {
  /** The copy's simulator. */
  readonly module: string;
}

/** @param mutant `undefined`: the copy is as it is. */
export function growMutant(mutant: Mutant | undefined): MutantTree {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, `${mutant?.name ?? "unchanged"}-`));
  const source = join(folder, "peer", "src");
  cpSync(PEER, source, { recursive: true, filter: (path) => !path.endsWith(".test.ts") });
  const own = join(dirname(PEER), "node_modules");
  if (existsSync(own)) cpSync(own, join(folder, "peer", "node_modules"), { recursive: true });
  if (mutant !== undefined) {
    const file = join(source, mutant.file);
    writeFileSync(file, mutated(readFileSync(file, "utf8"), mutant));
  }
  return {
    module: join(source, "simulator", "index.ts"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function mutated(text: string, { name, file, find, replace }: Mutant): string {
  const found = text.split(find).length - 1;
  if (found !== 1) throw new Error(`mutant ${name}: found ${found} times, not once, in ${file}: ${find}`);
  return text.replace(find, () => replace);
}
