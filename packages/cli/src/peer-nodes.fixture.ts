// Nodes that are served in this process, each in a directory of its own and able to greet, for commands that have them peer.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { directory, type ServedNode, servedNode } from "./served-node.fixture.ts";

const GREET = `import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string() }),
  idempotent: true,
  run: ({ name }) => ({ text: \`Hello, \${name}\` }),
});
`;

/** A node that can greet. */
export async function peerNode(name: string, argv: readonly string[] = [], cwd = directory()): Promise<ServedNode> {
  writeFileSync(join(cwd, "greet.ts"), GREET);
  return servedNode(cwd, ["--name", name, ...argv]);
}
