// `npm run demo`: a server and a client in two processes, and what Capstan does told on real input, every claim checked. It
// ends with 0 where all of them hold. What it leaves behind is nothing, however it ends.

import { classifyAll } from "./chapters/batches.ts";
import type { Stage } from "./chapters/chapter.ts";
import { publications } from "./chapters/deliveries.ts";
import { kill } from "./chapters/kill.ts";
import { modules } from "./chapters/modules.ts";
import { narrowGrant } from "./chapters/narrow-grant.ts";
import { network } from "./chapters/network.ts";
import { oneByte, proof } from "./chapters/proof.ts";
import { protocols } from "./chapters/protocols.ts";
import { quiet } from "./chapters/quiet.ts";
import { roundTrips } from "./chapters/round-trips.ts";
import { slips } from "./chapters/slips.ts";
import { deliveries, eventNames } from "./payloads.ts";
import { killServers, ServerProcess } from "./server-process.ts";
import { Story } from "./story.ts";
import { Workspace } from "./workspace.ts";

/** Whatever hangs is not to hang whoever waits for the demonstration. */
const LONGEST_MS = 60_000;

const workspace = new Workspace();
process.on("exit", () => {
  killServers();
  workspace.remove();
});
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.on(signal, () => process.exit(code));
}
setTimeout(() => {
  console.log(`\nnot done after ${LONGEST_MS / 1000} s`);
  process.exit(1);
}, LONGEST_MS).unref();

const story = new Story();
try {
  await tell();
} catch (thrown) {
  const text = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  story.claim("the story reaches its end", false, {
    found: text.replaceAll(workspace.directory, "a temporary directory"),
  });
}
process.exit(story.end());

async function tell(): Promise<void> {
  story.title(
    `Capstan on the ${deliveries.length} payloads that GitHub documents for its ${eventNames.length} webhook events`,
  );
  const stage: Stage = { story, workspace, server: await ServerProcess.start(workspace.directory) };
  const seconds = (stage.server.readyAfter / 1000).toFixed(2);
  story.say(`capstan serve, in a temporary directory, on its embedded log: ready after ${seconds} s`);

  story.chapter("TypeScript modules become actions");
  await modules(stage);
  story.chapter("Every payload, in pipelined batches");
  const classifications = await classifyAll(stage);
  story.chapter("Dependent calls in one round trip");
  await roundTrips(stage);
  story.chapter("A grant for one action, and no other");
  await narrowGrant(stage);
  story.chapter("A plugin of the operator's own");
  await quiet(stage, classifications);
  story.chapter("kill -9 in the middle of a load, three times");
  await kill(stage, classifications);
  story.chapter("Every protocol, on the same payloads");
  await protocols(stage);
  story.chapter("Whoever subscribes misses nothing");
  await publications(stage);
  story.chapter("Three orchestrators, one network");
  await network(stage);
  story.chapter("Slips of the keyboard");
  await slips(stage);
  story.chapter("A stranger checks what happened");
  await proof(stage);

  story.chapter("The end of the server");
  story.claim("SIGTERM: the server drains, and exits 0", (await stage.server.stop()) === 0);
  await oneByte(stage);
}
