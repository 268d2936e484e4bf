// The server under test, in a process of its own: the standard pipeline on SQLite, with protocols of the test's and a kill
// switch. It says `{ ready }` on stdout, takes `POINT AFTER` on stdin to arm the switch, and ends when stdin does.
// `--early`: the control build, whose log answers before it writes. `--outside DIR`: where the side effects are written down,
// when the data directory's own disk fails.

import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  authority,
  createLogger,
  createOrchestrator,
  definePlugin,
  next,
  openNode,
  serve,
  sqliteLog,
} from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, registry } from "@capstan/plugins";
import { KillSwitch } from "./kill-point.ts";
import { chaosProtocols } from "./protocols.ts";
import { EarlyLog, KillingLog } from "./wrapped-log.ts";

const { values } = parseArgs({
  options: { directory: { type: "string" }, early: { type: "boolean" }, outside: { type: "string" } },
});
const directory = values.directory;
if (directory === undefined) throw new Error("usage: server.ts --directory DIR [--early] [--outside DIR]");

const kill = new KillSwitch();
const node = await openNode({ directory, name: "chaos" });
const { logger } = createLogger({ level: "error" });
const file = sqliteLog(join(directory, "log.db"), { beforeCommit: () => kill.reached("append:inside") });
const log = new KillingLog(values.early ? new EarlyLog(file) : file, kill);

const killPoint = definePlugin({
  name: "kill-point",
  needs: [authority],
  decide({ definition }) {
    if (definition.kind === "command") kill.reached("decide");
    return next();
  },
});

const protocols = chaosProtocols(kill, values.outside ?? directory);
const orchestrator = await createOrchestrator({
  plugins: [auth(), registry(), deadLetter(), executor({ protocols }), ledger(), killPoint],
  ...{ log, node, signer: node.signer, logger },
});

const { committer } = orchestrator;
committer.onAdvance(() => {
  kill.reached("reply:before");
  // Who starts to listen now is called last, after every session that waited for this commit has sent its replies.
  const stop = committer.onAdvance(() => {
    stop();
    kill.reached("reply:after");
  });
});

const serving = serve(orchestrator, { listen: "127.0.0.1:0", logger });
process.on("SIGTERM", () => void serving.stop().then(() => process.exit(0)));
console.log(JSON.stringify({ ready: { url: serving.url, head: log.head, memory: process.memoryUsage.rss() } }));

for await (const line of console) {
  const [point = "", after] = line.split(" ");
  kill.arm(point, Number(after));
}
// Whoever started it is gone.
process.kill(process.pid, "SIGKILL");
