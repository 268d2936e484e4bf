// Ours: the standard plugins but for their protocols, the SQLite log, the door. Its receivers count what they are handed, and how long
// after it was asked for. Argument: the data directory.

import { join } from "node:path";
import { createOrchestrator, openNode, serve, sqliteLog } from "@capstan/orchestrator";
import { auth, type Call, deadLetter, executor, ledger, publisher, registry } from "@capstan/plugins";
import { z } from "zod";
import { cpuMicros } from "../kernel/machine.ts";
import { answering } from "../kernel/worker.ts";
import { Deliveries, wallClock } from "./deliveries.ts";
import type { Tick } from "./tick.ts";

const [directory = ""] = process.argv.slice(2);
const received = new Deliveries();

const echo = { name: "echo", configSchema: z.strictObject({}), execute: ({ input }: Call) => input };
const count = {
  name: "count",
  configSchema: z.strictObject({}),
  execute: ({ input }: Call) => received.add(wallClock() - (input as Tick).at),
};

const node = await openNode({ directory, name: "bench" });
const orchestrator = await createOrchestrator({
  plugins: [auth(), registry(), deadLetter(), executor({ protocols: [echo, count] }), publisher(), ledger()],
  log: sqliteLog(join(directory, "log.db")),
  node,
  signer: node.signer,
});
const serving = serve(orchestrator, { listen: "127.0.0.1:0" });
const token = (await Bun.file(join(directory, "admin.token")).text()).trim();

answering({
  cpu: cpuMicros,
  address: () => ({ url: serving.url, token }),
  memory: () => process.memoryUsage.rss(),
  expect: (deliveries: number) => received.expect(deliveries),
  received: () => received.ended(),
});
