// The preload (supplied-preload.ts) as a file that another process can read: in a clone it is one; out of a compiled binary
// it is a copy, with the workers that it starts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledFiles } from "./bundled-files.ts";

export interface SuppliedFiles extends Disposable {
  readonly preload: string;
}

export function suppliedFiles(): SuppliedFiles {
  if (!Bun.isStandaloneExecutable) {
    const preload = Bun.fileURLToPath(import.meta.resolve("./supplied-preload.ts"));
    return { preload, [Symbol.dispose]() {} };
  }
  const directory = mkdtempSync(join(tmpdir(), "capstan-supplied-"));
  for (const name of bundledFiles) {
    writeFileSync(join(directory, name), readFileSync(new URL(`./${name}`, import.meta.url)));
  }
  return {
    preload: join(directory, "supplied-preload.js"),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
