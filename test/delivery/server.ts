// The node that is subscribed to: the standard plugins, the SQLite log, the door. Its receivers write down in memory what they were
// handed, and tell it as an action's output. Argument: the data directory.

import { join } from "node:path";
import { createOrchestrator, openNode, serve, sqliteLog } from "@capstan/orchestrator";
import { auth, type Call, deadLetter, executor, ledger, publisher, registry } from "@capstan/plugins";
import { z } from "zod";

const [directory = ""] = process.argv.slice(2);
const kept = new Map<string, number[]>();

const echo = { name: "echo", configSchema: z.strictObject({}), execute: ({ input }: Call) => input };
/** Each in its own turn of the loop, as whoever talks to somebody outside. */
const keep = {
  name: "keep",
  configSchema: z.strictObject({}),
  async execute({ task, input }: Call): Promise<void> {
    const mine = kept.get(task.name) ?? [];
    kept.set(task.name, mine);
    await null;
    mine.push((input as { readonly n: number }).n);
  },
};
const tell = {
  name: "tell",
  configSchema: z.strictObject({}),
  execute: ({ input }: Call) => {
    const { receiver, from } = input as { readonly receiver: string; readonly from: number };
    return (kept.get(receiver) ?? []).slice(from, from + 10_000);
  },
};

const node = await openNode({ directory, name: "delivery" });
const orchestrator = await createOrchestrator({
  plugins: [auth(), registry(), deadLetter(), executor({ protocols: [echo, keep, tell] }), publisher(), ledger()],
  log: sqliteLog(join(directory, "log.db")),
  node,
  signer: node.signer,
});
const serving = serve(orchestrator, { listen: "127.0.0.1:0" });
const token = (await Bun.file(join(directory, "admin.token")).text()).trim();
process.on("message", (asked) => {
  if (asked === "memory") process.send?.({ memory: process.memoryUsage.rss() });
});
process.on("disconnect", () => process.exit());
process.send?.({ url: serving.url, token });
