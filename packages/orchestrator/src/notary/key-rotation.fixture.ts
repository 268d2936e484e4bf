// Rotates a node's key in a process of its own, which kills itself at the step that it is told: `bun key-rotation.fixture.ts
// DIRECTORY STEP`. `owed`: nothing is made yet; `made`: the new key is; `recorded`: the log knows it; `promoted`: it is in place.

import { join } from "node:path";
import { sqliteLog } from "../log/sqlite/sqlite-log.ts";
import { createOrchestrator } from "../orchestrator.ts";
import { openNode } from "../server/node-key.ts";
import { admits } from "../testing/start.fixture.ts";
import type { Succession } from "./node-signer.ts";

const [directory = "", last] = process.argv.slice(2);

function reached(step: string): void {
  if (step === last) process.kill(process.pid, "SIGKILL");
}

const node = await openNode({ directory });
const succession = node.signer.succession as Succession;
const watched: Succession = {
  ...succession,
  async next() {
    // What owes it is begun before its entry is made, and is to be durable: otherwise there would be nothing to go on with.
    await undefined;
    await orchestrator.committer.whenDurable(orchestrator.committer.tip);
    reached("owed");
    const next = await succession.next();
    reached("made");
    return next;
  },
  async promote() {
    reached("recorded");
    await succession.promote();
    reached("promoted");
  },
};
const orchestrator = await createOrchestrator({
  plugins: [admits()],
  log: sqliteLog(join(directory, "log.db")),
  node,
  signer: { ...node.signer, succession: watched },
});
const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
await scope.applyAction({ resource: "key", action: "rotate", data: {} }, {});
await orchestrator.notary.checkpoint();
await orchestrator.stop();
