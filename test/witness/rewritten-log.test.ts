// Issue 6, "must show" 6: a log that is rewritten by somebody who has its node's files and key, everything made to fit again. Its neighbours
// find it, each by itself, and name the entry; its own node can, with what they hold; and everything else goes on.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createOrchestrator,
  LeafWindow,
  memoryLog,
  openNode,
  serve,
  sqliteLog,
  verificationText,
  verifyLogFile,
} from "@capstan/orchestrator";
import {
  auth,
  deadLetter,
  executor,
  ledger,
  type Protocol,
  peerPropagation,
  publisher,
  registry,
} from "@capstan/plugins";
import { z } from "zod";
import { type ForgedEntry, Forger } from "../damage/forge.ts";

const LONGEST_MS = 30_000;
const echo: Protocol = { name: "echo", configSchema: z.strictObject({}), execute: ({ input }) => input };
const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

const directory = mkdtempSync(join(tmpdir(), "capstan-rewritten-"));
cleanups.push(() => rmSync(directory, { recursive: true, force: true }));

async function start(id: string, path?: string) {
  const opened = path === undefined ? undefined : await openNode({ directory: path, name: id });
  const lines: string[] = [];
  const line = (fields: object, text: string) => lines.push(`${text} ${JSON.stringify(fields)}`);
  const hub = await createOrchestrator({
    plugins: [
      ...[auth(), registry(), deadLetter(), executor({ protocols: [echo] }), publisher()],
      peerPropagation({
        witness: { every: 20, rest: 1 },
        timing: { advertisementInterval: 0, backoff: { first: 20, last: 100 }, deferral: 2000 },
      }),
      ledger(),
    ] as never,
    ...(opened === undefined ? { node: { id, name: id }, log: memoryLog() } : { node: opened, signer: opened.signer }),
    ...(path === undefined ? {} : { log: sqliteLog(join(path, "log.db")) }),
    logger: { debug() {}, info() {}, warn() {}, error: line },
  } as never);
  const scope = await hub.scope({ principal: "app", allow: ["*"] });
  const ask = async <T>(name: string, data: object = {}): Promise<T> => {
    const [resource = "", action = ""] = name.split(".");
    return (await scope.applyAction({ resource, action, data })) as T;
  };
  const server = serve(hub, { listen: "127.0.0.1:0" });
  cleanups.push(() => server.stop());
  const { key } = await ask<{ key: string }>("peer.identity");
  return { id: hub.node.id, ask, server, lines, key };
}
type Node = Awaited<ReturnType<typeof start>>;

async function until<T>(what: () => Promise<T | undefined | false>): Promise<T> {
  for (const over = Date.now() + LONGEST_MS; ; await Bun.sleep(10)) {
    const found = await what();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > over) throw new Error(`it did not become so: ${String(what)}`);
  }
}

const policies = {
  import: { clauses: [{ name: "all", then: "accept", unowned: true }] },
  export: { clauses: [{ name: "all", then: "accept" }] },
};

async function peer(from: Node, to: Node): Promise<void> {
  const name = `REWRITTEN_${from.id}_${to.id}`.replace(/\W/g, "_");
  process.env[name] = Buffer.alloc(32, name).toString("base64url");
  const secrets = [{ secret: `env:${name}` }];
  await to.ask("peer.add", { ...policies, name: from.id, node: from.id, keys: [from.key], secrets });
  await from.ask("peer.add", {
    ...policies,
    name: to.id,
    node: to.id,
    keys: [to.key],
    secrets,
    address: to.server.url,
  });
}

interface Shown {
  readonly state: string;
  readonly size?: number;
  readonly entry?: number;
  readonly message?: string;
  readonly why?: string;
}
const witnessed = (at: Node, name: string) => at.ask<Shown>("witness.show", { name });
const sessions = async (at: Node) =>
  (await at.ask<{ items: { name: string; state: string }[] }>("peer.list")).items.map(
    ({ name, state }) => `${name} ${state}`,
  );

test("a log that was rewritten at an entry is found by both its neighbours, the entry named, and everything else goes on", async () => {
  const [berlin, lima] = [await start("n-berlin"), await start("n-lima")];
  const osaka = await start("osaka", directory);
  await osaka.ask("action.register", { name: "greet", protocol: "echo" });
  for (const witness of [berlin, lima]) await peer(osaka, witness);
  await peer(berlin, lima);
  for (let input = 0; input < 10; input++) await osaka.ask("action.perform", { name: "greet", input });
  const { entries } = await osaka.ask<{ entries: number }>("log.head");
  for (const witness of [berlin, lima])
    await until(async () => {
      const { state, size = 0 } = await witnessed(witness, osaka.id);
      return state === "cosigned" && size >= entries;
    });
  await osaka.server.stop();

  // Who asked for the sixth performing was somebody else, it says now.
  const path = join(directory, "log.db");
  const forger = new Forger(path);
  const performs = forger.entries.flatMap(({ header }, i) => (header.message === "action.perform" ? [i + 1] : []));
  const entry = performs[5] as number;
  (forger.entries[entry - 1] as ForgedEntry).header.principal = "mallory";
  forger.finish();
  rmSync(`${path}.checkpoint`);

  const again = await start("osaka", directory);
  for (const witness of [berlin, lima]) {
    const found = await until(async () => {
      const shown = await witnessed(witness, osaka.id);
      return ["forked", "rewound"].includes(shown.state) && shown;
    });
    expect(found).toMatchObject({ entry, why: expect.stringContaining(`entry ${entry} is another than it was`) });
    expect(witness.lines.filter((line) => line.includes(`"entry":${entry}`))).toHaveLength(1);
    const { message } = await witness.ask<{ message: string }>("log.explain", { id: found.message });
    expect(message).toBe("witness.alert");
  }

  // Everything else: sessions, routes, performings of all with all.
  await until(async () => (await sessions(berlin)).every((one) => one.endsWith("established")));
  expect(await sessions(lima)).toHaveLength(2);
  for (const from of [berlin, lima])
    expect(await from.ask<object>("action.perform", { name: "greet", input: 1 })).toMatchObject({
      output: 1,
      via: osaka.id,
    });
  await berlin.ask("action.register", { name: "own", protocol: "echo" });
  await until(() => lima.ask<object>("action.perform", { name: "own", input: 2 }).catch(() => undefined));
  await until(async () => (await witnessed(berlin, lima.id)).state === "cosigned");

  // Its own operator, with what a neighbour holds.
  interface Held {
    readonly checkpoint: string;
    readonly leaves: string;
    readonly base: number;
  }
  const held = await again.ask<Held>("witness.fetch", { name: berlin.id });
  await again.server.stop();
  expect(held.base).toBe(0);
  const leaves = LeafWindow.empty.grown(Buffer.from(held.leaves, "base64"));
  const result = await verifyLogFile(path, { witness: { checkpoint: held.checkpoint, leaves } });
  expect(result.valid).toBe(false);
  expect(verificationText(result)).toContain(`entry ${entry}: another than the one that the witness was shown`);
  // Without them it is a sound log.
  expect((await verifyLogFile(path)).valid).toBe(true);
});
