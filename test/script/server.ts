// The server that scripts and their neighbours share, in a process of its own: the standard protocols on SQLite, with an
// action of the operator's own. It says where it is on stdout, as JSON, and ends when its stdin does.

import { join } from "node:path";
import { createOrchestrator, openNode, serve, sqliteLog } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, type Protocol, registry, script } from "@capstan/plugins";
import { z } from "zod";

const [directory = ""] = process.argv.slice(2);
const echo: Protocol = { name: "echo", configSchema: z.strictObject({}), execute: ({ input }) => input };
const node = await openNode({ directory, name: "escapes" });
const orchestrator = await createOrchestrator({
  plugins: [auth(), registry(), deadLetter(), executor({ protocols: [echo, script()] }), ledger()],
  log: sqliteLog(join(directory, "log.db")),
  node,
  signer: node.signer,
});
const serving = serve(orchestrator, { listen: "127.0.0.1:0" });
const token = (await Bun.file(join(directory, "admin.token")).text()).trim();
console.log(JSON.stringify({ url: serving.url, token }));
for await (const _ of Bun.stdin.stream());
await serving.stop();
process.exit(0);
