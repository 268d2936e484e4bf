// A node of the chain: the default composition, a log of its own on the disk, a domain of its own, sessions with its neighbours over
// loopback WebSockets. Arguments: the data directory, and the node's name.

import { join } from "node:path";
import { createOrchestrator, openNode, serve, sqliteLog } from "@capstan/orchestrator";
import { standard } from "@capstan/plugins";
import { echoAction, echoProtocol } from "../kernel/bench-plugin.ts";
import { cpuMicros } from "../kernel/machine.ts";
import { answering } from "../kernel/worker.ts";

export interface Identity {
  readonly node: string;
  readonly key: string;
}

export interface PeerToAdd extends Identity {
  readonly name: string;
  /** Where it is dialled; of the two only one dials. */
  readonly address?: string;
}

/** All of them share one: what is measured is not whether they keep it. */
const SECRET = { secret: "env:HOPS_SECRET" };
const EVERYTHING = { clauses: [{ name: "everything", then: "accept" }] };
/** What comes from further off is somebody's whom the node has not met. */
const EVERYBODYS = { clauses: [{ name: "everything", then: "accept", unowned: true }] };

const [directory = "", name = ""] = process.argv.slice(2);
process.env.HOPS_SECRET = Buffer.alloc(32, "hops").toString("base64url");
const node = await openNode({ directory, name });
const orchestrator = await createOrchestrator({
  plugins: standard({ protocols: [echoProtocol], peering: { timing: { advertisementInterval: 0 } } }),
  log: sqliteLog(join(directory, "log.db")),
  node,
  signer: node.signer,
});
const app = await orchestrator.scope({ principal: "app", allow: ["*"] });
const serving = serve(orchestrator, { listen: "127.0.0.1:0" });
const token = (await Bun.file(join(directory, "admin.token")).text()).trim();

// What is idempotent may run before its entry is durable; what is not, not.
await app.action.register({ ...echoAction, name: `${name}/echo` });
await app.action.register({ ...echoAction, name: `${name}/once`, idempotent: false });

/** Whether the best way to an action is known, and its session open. */
async function reaches(action: string): Promise<boolean> {
  const { items } = (await app.route.list({})) as { items: readonly { readonly route: string }[] };
  return items.some(({ route }) => route === `action:${action}`);
}

answering({
  cpu: cpuMicros,
  address: () => ({ url: `${serving.url}/rpc`, token }),
  url: () => serving.url,
  identity: async (): Promise<Identity> => {
    const { node: id, key } = await app.peer.identity({});
    return { node: id, key };
  },
  peer: async ({ name: peer, node: id, key, address }: PeerToAdd) => {
    await app.peer.add({
      ...{ name: peer, node: id, keys: [key], secrets: [SECRET] },
      ...{ import: EVERYBODYS, export: EVERYTHING, ...(address === undefined ? {} : { address }) },
    } as Parameters<typeof app.peer.add>[0]);
  },
  reaches,
});
