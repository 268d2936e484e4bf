// The protocol `module`, by the suite that every protocol passes.

import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { protocolConformance } from "../conformance/protocol-conformance.ts";
import { module } from "./module.ts";

const directory = mkdtempSync(join(tmpdir(), "capstan-module-conformance-"));

function written(name: string, run: string) {
  writeFileSync(
    join(directory, name),
    `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({ input: z.unknown(), output: z.unknown(), idempotent: true, async run(input, { signal }) { ${run} } });`,
  );
  return { configuration: { module: name }, input: { n: 1 } };
}

const NONE = "it runs in the node's own process";

protocolConformance(
  { describe, test, expect },
  {
    protocol: () => module({ directories: [directory], cache: join(directory, ".bundles") }),
    works: () => ({ ...written("works.ts", "return input;"), output: { n: 1 } }),
    invalid: [
      { configuration: {}, says: '"module" is required' },
      { configuration: { module: 7 }, says: '"module" must be string' },
    ],
    unreachable: () => NONE,
    hangs: () =>
      written("hangs.ts", "await new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason)));"),
    fails: () => ({ ...written("fails.ts", "throw new Error('it broke');"), code: "ACTION_FAILED" }),
    leaks: () => "its configuration has no place for a secret; a module reads the environment itself",
    notJson: () => written("strange.ts", "return () => 1;"),
    after: () => rmSync(directory, { recursive: true }),
  },
);
