// Ours: the five plugins, the SQLite log, the door. Arguments: the data directory, and `log` for a line a message.

import { openSync } from "node:fs";
import { join } from "node:path";
import { createLogger, createOrchestrator, openNode, serve, sqliteLog } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, registry } from "@capstan/plugins";
import { bench, echoProtocol } from "./bench-plugin.ts";
import { cpuMicros } from "./machine.ts";
import { answering } from "./worker.ts";

const [directory = "", lines] = process.argv.slice(2);
const log = lines === "log" ? createLogger({ destination: openSync(join(directory, "node.log"), "a") }) : undefined;
const node = await openNode({ directory, name: "bench" });
const orchestrator = await createOrchestrator({
  plugins: [auth(), registry(), deadLetter(), executor({ protocols: [echoProtocol] }), ledger(), bench()],
  log: sqliteLog(join(directory, "log.db")),
  node,
  signer: node.signer,
  ...(log === undefined ? {} : { logger: log.logger, onDecided: log.observe }),
});
const serving = serve(orchestrator, { listen: "127.0.0.1:0", ...(log === undefined ? {} : { logger: log.logger }) });
const token = (await Bun.file(join(directory, "admin.token")).text()).trim();

answering({ cpu: cpuMicros, address: () => ({ url: `${serving.url}/rpc`, token }) });
