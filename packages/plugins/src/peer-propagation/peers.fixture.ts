// Nodes that peer in one process: real servers on ports of their own, sessions over WebSockets. Nothing in it waits for a time
// to pass: `until` looks again whenever a node has decided something.

import { join } from "node:path";
import {
  type AnyPlugin,
  createOrchestrator,
  type Log,
  memoryLog,
  openNode,
  type Serving,
  serve,
  sqliteLog,
  systemTimers,
  type Timers,
} from "@capstan/orchestrator";
import { defaultTiming, type RoutePolicy, secretId } from "@capstan/peer";
import { auth } from "../auth/auth.ts";
import { deadLetter } from "../dead-letter/dead-letter.ts";
import { executor } from "../executor/executor.ts";
import type { Protocol } from "../executor/protocol.ts";
import { echo } from "../hub.fixture.ts";
import { ledger } from "../ledger/ledger.ts";
import { publisher } from "../publisher/publisher.ts";
import { registry } from "../registry/registry.ts";
import { peerPropagation } from "./peer-propagation.ts";
import type { PeeringOptions } from "./peering.ts";

/** In the environment of the tests: what references lead to. */
export function keepSecret(name: string, secret: Uint8Array): { readonly secret: string } {
  process.env[name] = Buffer.from(secret).toString("base64url");
  return { secret: `env:${name}` };
}

export function pairSecret(text: string): Uint8Array {
  return Buffer.alloc(32, text);
}

export const everything: RoutePolicy = { clauses: [{ name: "everything", then: "accept", unowned: true }] };
export const allOut: RoutePolicy = { clauses: [{ name: "everything", then: "accept" }] };

export function only(...routes: string[]): RoutePolicy {
  return { clauses: [{ name: "1", then: "accept", match: { routes } }] };
}

/** Soon enough for a test, and long enough for a machine that is busy. */
const TIMING = {
  ...defaultTiming,
  advertisementInterval: 0,
  backoff: { first: 20, last: 100 },
  deferral: 2_000,
};

export interface NodeOptions {
  readonly id: string;
  /** With one it keeps its key, its log and its id: that of the key. */
  readonly directory?: string;
  readonly listen?: string;
  readonly now?: () => number;
  readonly peering?: PeeringOptions;
  readonly protocols?: readonly Protocol[];
  readonly log?: Log;
  /** Plugins after the publisher. */
  readonly also?: readonly AnyPlugin[];
  readonly timers?: Timers;
}

/** The system's, but a deadline that nobody would wait for passes when the test says so: until then a busy machine may be slow. */
export class LongTimers implements Timers {
  /** Milliseconds. No other timer of a node is about as long; an action has to be given more, or its own time is less. */
  static readonly LONG = 7 * 60_000;
  readonly #long = new Set<() => void>();

  get set(): number {
    return this.#long.size;
  }

  after(ms: number, callback: () => void): () => void {
    if (Math.abs(ms - LongTimers.LONG) > 30_000) return systemTimers.after(ms, callback);
    this.#long.add(callback);
    return () => void this.#long.delete(callback);
  }

  pass(): void {
    const passed = [...this.#long];
    this.#long.clear();
    for (const callback of passed) callback();
  }
}

/** Who waits for something to become so. */
const waiting = new Set<() => void>();

function decided(): void {
  for (const look of [...waiting]) look();
}

/** Resolves once it is so. The limit is for a test that fails. */
export async function until<T>(what: () => T | Promise<T>, limit = 30_000): Promise<NonNullable<T>> {
  const over = Date.now() + limit;
  for (;;) {
    const found = await what();
    if (found !== undefined && found !== null && found !== false) return found as NonNullable<T>;
    if (Date.now() > over) throw new Error(`it did not become so within ${limit} ms: ${String(what)}`);
    await new Promise<void>((resolve) => {
      const stop = setTimeout(go, 50);
      function go(): void {
        clearTimeout(stop);
        waiting.delete(go);
        resolve();
      }
      waiting.add(go);
    });
  }
}

export async function startNode({
  id,
  directory,
  listen = "127.0.0.1:0",
  now = Date.now,
  peering = {},
  protocols = [],
  log = memoryLog(),
  also = [],
  timers = systemTimers,
}: NodeOptions) {
  const opened = directory === undefined ? undefined : await openNode({ directory, name: id });
  const messages: string[] = [];
  const lines: string[] = [];
  const line = (level: string) => (fields: object, text: string) => {
    lines.push(`${level} ${text} ${JSON.stringify(fields)}`);
  };
  const logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const hub = await createOrchestrator({
    plugins: [
      auth(),
      registry(),
      deadLetter(),
      executor({ protocols: [echo, ...protocols] }),
      publisher(),
      ...(also as readonly []),
      peerPropagation({ askAgainAfter: 20, ...peering, timing: { ...TIMING, ...peering.timing } }),
      ledger(),
    ],
    node: opened ?? { id, name: id },
    ...(opened === undefined ? {} : { signer: opened.signer }),
    log: directory === undefined ? log : sqliteLog(join(directory, "log.db")),
    ...{ logger, now, timers },
    onDecided({ message, verdict, principal }) {
      messages.push(verdict === "done" ? `${principal} ${message}` : `${principal} ${message} ${verdict}`);
      queueMicrotask(decided);
    },
  });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  // Where one listened that stopped, somebody else's may for a moment.
  const server: Serving = await until(() => {
    try {
      return serve(hub, { listen });
    } catch (thrown) {
      if ((thrown as { code?: string }).code !== "PORT_IN_USE") throw thrown;
    }
  });
  return {
    id: hub.node.id,
    hub,
    app,
    server,
    messages,
    lines,
    url: server.url,
    key: (await app.peer.identity({})).key,
  };
}

export type PeerNode = Awaited<ReturnType<typeof startNode>>;

/** Has two nodes peer, the first one dialling, and waits until both have all. */
export async function peered(a: PeerNode, b: PeerNode, options: PairOptions = {}): Promise<void> {
  await pair(a, b, options);
  await complete(a, b.id);
  await complete(b, a.id);
}

export interface PairOptions {
  readonly secret?: Uint8Array;
  readonly theirSecret?: Uint8Array;
  readonly imports?: RoutePolicy;
  readonly exports?: RoutePolicy;
  readonly theirImports?: RoutePolicy;
  readonly theirExports?: RoutePolicy;
}

export async function pair(a: PeerNode, b: PeerNode, options: PairOptions = {}): Promise<void> {
  const { secret = pairSecret(`${a.id} ${b.id}`), theirSecret = secret } = options;
  const { imports = everything, exports = allOut, theirImports = everything, theirExports = allOut } = options;
  await b.app.peer.add({
    ...{
      name: a.id,
      node: a.id,
      keys: [a.key],
      secrets: [keepSecret(`${b.id}_${a.id}`.replace(/\W/g, "_"), theirSecret)] as never,
    },
    ...{ import: theirImports, export: theirExports },
  });
  await a.app.peer.add({
    ...{
      name: b.id,
      node: b.id,
      keys: [b.key],
      secrets: [keepSecret(`${a.id}_${b.id}`.replace(/\W/g, "_"), secret)] as never,
    },
    ...{ import: imports, export: exports, address: b.url },
  });
}

export interface Shown {
  readonly name: string;
  readonly state: string;
  readonly in: number;
  readonly filtered: number;
  readonly out: number;
  readonly complete: boolean;
  readonly reason?: string;
  readonly grant: string;
}

export async function shown(node: PeerNode, name: string): Promise<Shown> {
  return (await node.app.peer.show({ name })) as Shown;
}

export async function complete(node: PeerNode, name: string): Promise<Shown> {
  return until(async () => {
    const peer = await shown(node, name);
    return peer.state === "established" && peer.complete ? peer : undefined;
  });
}

export interface ShownRoute {
  readonly route: string;
  readonly peer?: string;
  readonly path: readonly string[];
  readonly filtered?: { readonly why: string; readonly by: string };
  readonly best: boolean;
  readonly stale?: boolean;
  readonly origin: string;
}

/** Those of actions, or of another kind: the topic of an action goes along with it. */
export async function routes(
  node: PeerNode,
  asked: { peer?: string; filtered?: boolean } = {},
  kind = "action",
): Promise<ShownRoute[]> {
  const { items } = (await node.app.route.list(asked)) as { items: ShownRoute[] };
  return items.filter(({ route }) => route.startsWith(`${kind}:`));
}

export { secretId };
