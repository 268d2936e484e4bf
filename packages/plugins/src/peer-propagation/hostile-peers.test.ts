// Peers and strangers that mean harm, and operators who may less than all: what they try costs nobody else anything.

import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FaultError, fault, type OpenedSession } from "@capstan/orchestrator";
import { defaultLimits } from "@capstan/peer";
import { faultFrom } from "../hub.fixture.ts";
import { ConfiguredPeers } from "./configuration/configured-peers.ts";
import { parseCall } from "./links/frames.ts";
import { Outbox } from "./links/outbox.ts";
import { PeerHost } from "./peer-host.ts";
import {
  allOut,
  complete,
  everything,
  keepSecret,
  only,
  type PeerNode,
  pairSecret,
  peered,
  routes,
  shown,
  startNode,
  until,
} from "./peers.fixture.ts";
import { RawPeer, rawIdentity } from "./raw-peer.fixture.ts";
import { Reach } from "./routes/reach.ts";
import { peerTable } from "./schema.ts";

let nodes: PeerNode[] = [];
let raws: RawPeer[] = [];

async function start(id: string, options: Omit<Parameters<typeof startNode>[0], "id"> = {}): Promise<PeerNode> {
  const node = await startNode({ id, ...options });
  nodes.push(node);
  return node;
}

function raw(node: PeerNode, options: Partial<ConstructorParameters<typeof RawPeer>[0]> = {}): RawPeer {
  const one = new RawPeer({
    ...{ id: "n-raw", url: node.url, node: node.id, key: node.key, secret: pairSecret("raw") },
    ...options,
  });
  raws.push(one);
  return one;
}

const ofRaw = {
  ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: allOut },
  secrets: [keepSecret("HOSTILE_SECRET", pairSecret("raw"))] as never,
};

afterEach(async () => {
  for (const one of raws) one.close();
  raws = [];
  await Promise.all(nodes.map(({ server }) => server.stop()));
  nodes = [];
});

describe("a peer that was removed", () => {
  test("performs nothing any more, also where its grant is somebody else's to revoke and its callback hangs", async () => {
    const osaka = await start("n-osaka");
    await osaka.app.action.register({ name: "greet", protocol: "echo" });
    await osaka.app.peer.add(ofRaw);
    const peer = raw(osaka, { told: () => new Promise(() => {}) });
    const ask = await until(() => peer.link?.ask);
    expect(await ask({ resource: "action", action: "perform", data: { name: "greet", input: 1 } })).toMatchObject({
      output: 1,
    });
    const { grant } = await shown(osaka, "raw");
    using other = await osaka.hub.scope({ principal: "other", allow: ["peer.*"] });
    await other.peer.remove({ name: "raw", now: true });
    const { items } = await osaka.app.grant.list({ principal: "peer.raw" });
    expect(items).toMatchObject([{ id: grant, by: "app", revoked: expect.any(Number) }]);
    const thrown = await ask({ resource: "action", action: "perform", data: { name: "greet", input: 2 } }).then(
      () => "performed",
      (fault: { code?: string }) => fault.code ?? "closed",
    );
    expect(thrown).not.toBe("performed");
  });
});

describe("a name that is another node's now", () => {
  test("is no way in for the one that had it before", async () => {
    const osaka = await start("n-osaka");
    await osaka.app.action.register({ name: "greet", protocol: "echo" });
    await osaka.app.peer.add(ofRaw);
    const old = raw(osaka, { told: () => new Promise(() => {}) });
    const ask = await until(() => old.link?.ask);
    using other = await osaka.hub.scope({ principal: "other", allow: ["peer.*"] });
    await other.peer.remove({ name: "raw", now: true });
    await osaka.app.peer.add({ ...ofRaw, node: "n-next", keys: [rawIdentity("n-next").publicKey] });
    const next = raw(osaka, { id: "n-next" });
    await until(() => next.link?.ask);
    const perform = { resource: "action", action: "perform", data: { name: "greet", input: 1 } };
    const thrown = await ask(perform).then(
      () => "performed",
      (fault: { code?: string }) => fault.code ?? "closed",
    );
    expect(thrown).not.toBe("performed");
    expect(await next.link?.ask?.(perform)).toMatchObject({ output: 1 });
  });
});

describe("a peer whose grant was revoked", () => {
  test("is told nothing more, and the operator why", async () => {
    const berlin = await start("n-berlin");
    const osaka = await start("n-osaka");
    await osaka.app.action.register({ name: "greet", protocol: "echo" });
    await peered(berlin, osaka);
    const { grant } = await shown(osaka, "n-berlin");
    await osaka.app.grant.revoke({ grant });
    await osaka.app.action.register({ name: "later", protocol: "echo" });
    const { reason } = await until(async () => {
      const peer = await shown(osaka, "n-berlin");
      return peer.state === "established" ? undefined : peer;
    });
    expect(reason).toContain(`${grant} was revoked`);
    expect((await routes(berlin, { filtered: true })).map(({ route }) => route)).not.toContain("action:later");
  });
});

describe("an operator who may less than all", () => {
  test("adds no peer whose grant they may not make", async () => {
    const osaka = await start("n-osaka");
    using other = await osaka.hub.scope({
      principal: "other",
      allow: ["peer.*", "action.perform", "action.schemas", "secret.use"],
    });
    const fault = await faultFrom(other.peer.add(ofRaw));
    expect(fault).toMatchObject({ code: "REFUSED", message: expect.stringContaining("grant.create") });
    expect((await osaka.app.peer.list({})).items).toEqual([]);
  });
});

describe("what a peer asks over a callback", () => {
  test.each([[undefined], [7], [{}], [{ resource: "peer", action: 1 }], [{ resource: "a", action: "b", more: 1 }]])(
    "%p is told to be no message: it is no error of the node's",
    (nonsense) => {
      let thrown: unknown;
      try {
        parseCall(nonsense, "theirs", "ours");
      } catch (one) {
        thrown = one;
      }
      expect((thrown as { code?: string }).code).toBe("MESSAGE_INVALID");
    },
  );
});

describe("what a peer answers a frame with", () => {
  test("is given back unread: what it holds is not kept until the session ends", async () => {
    let released = 0;
    const timers = { after: () => () => {} } as never;
    const answer = { stub: () => {}, [Symbol.dispose]: () => released++ };
    const outbox = new Outbox({ timers, patience: 1, say: async () => answer, failed() {} });
    outbox.open();
    for (let seq = 0; seq < 20; seq++) outbox.push({ type: "keepalive", seq });
    await settled();
    await settled();
    expect(released).toBe(20);
  });
});

describe("a node that stops", () => {
  test("closes what it was still dialling", async () => {
    let closed = 0;
    const dialled = Promise.withResolvers<OpenedSession>();
    const { host } = bareHost([], { dial: () => dialled.promise, row: { name: "far", address: "http://far" } });
    host.tell({ type: "configure-peer", peer: farConfig });
    await host.stop();
    dialled.resolve({ api: {} as never, onClose() {}, close: () => closed++ });
    await settled();
    expect(closed).toBe(1);
  });

  test("closes what has not taken its last words", async () => {
    let closed = 0;
    const after: (() => void)[] = [];
    const api = { challenge: () => new Promise(() => {}) };
    const session = { api: api as never, onClose() {}, close: () => closed++ };
    const row = { name: "far", address: "http://far" };
    const { host } = bareHost([], { dial: async () => session, row, after });
    host.tell({ type: "configure-peer", peer: farConfig });
    await settled();
    const stopped = host.stop();
    await settled();
    for (const fire of after) fire();
    await stopped;
    expect(closed).toBe(1);
  });
});

describe("an operator's narrower policy", () => {
  test("holds also where the pair's secret cannot be read any more", async () => {
    const berlin = await start("n-berlin");
    const osaka = await start("n-osaka");
    await osaka.app.action.register({ name: "greet", protocol: "echo" });
    await osaka.app.action.register({ name: "report", protocol: "echo" });
    await peered(berlin, osaka);
    expect(await routes(berlin)).toHaveLength(2);
    delete process.env.n_berlin_n_osaka;
    await berlin.app.peer.configure({ name: "n-osaka", import: only("action:greet") });
    await until(async () => (await routes(berlin)).length <= 1);
  });
});

describe("a node that is a peer of another name now", () => {
  test("keeps its session when what was to be done about the name before is done late", async () => {
    const reads: PromiseWithResolvers<readonly Uint8Array[]>[] = [];
    const secrets = {
      read: () => {
        const read = Promise.withResolvers<readonly Uint8Array[]>();
        reads.push(read);
        return read.promise;
      },
      ...{ sweep: async () => {}, forget: async () => {} },
    };
    const told: string[] = [];
    const host = {
      tell: ({ type }: { type: string }) => told.push(type),
      ...{ linkOf: () => undefined, explain() {}, forget() {} },
    };
    const log = { error() {}, warn() {} };
    const runtime = { node: { id: "n-host" }, log, allows: () => undefined };
    const peers = new ConfiguredPeers(runtime as never, secrets as never, () => host as never);
    const row = (name: string) => ({
      ...{ name, node: "n-far", keys: farConfig.keys, secrets: [{ secret: `env:${name}` }], limits: {}, required: [] },
      ...{ import: everything, export: allOut, peerGrant: `g-${name}`, allow: [], stopped: false, revision: 1 },
    });
    const change = (key: string, to: unknown) => peers.changed([{ table: peerTable, key, row: to }]);
    change("before", row("before"));
    await settled();
    change("before", undefined);
    change("after", row("after"));
    await settled();
    reads[1]?.resolve(farConfig.secrets);
    await settled();
    reads[0]?.resolve(farConfig.secrets);
    await settled();
    expect(told).toEqual(["configure-peer"]);
    expect(peers.nameOf("n-far")).toBe("after");
  });
});

describe("a disk that refuses", () => {
  test("undoes what was noted of routes, and it is noted again as it is by then", async () => {
    const noted: unknown[] = [];
    let refused = 2;
    const runtime = {
      log: { error: (fields: object) => noted.push(fields) },
      async note({ resource, data }: { resource: string; data: { routes: string[]; rows: unknown[] } }) {
        noted.push([resource, data.routes, data.rows]);
        if (refused-- > 0) throw new FaultError(fault("LOG_UNAVAILABLE", "the disk"));
      },
    };
    const reach = new Reach({ runtime: runtime as never, by: "test", nameOf: () => "far", best: () => undefined });
    const attributes = { peer: "n-far", path: "", tags: "", chunk: { claim: { node: "n-far", domain: "n-far" } } };
    const path = { name: "channel:news", digest: "d", attributes };
    reach.change([{ name: "channel:news", before: undefined, now: path }] as never);
    await settled();
    const way = { peer: "n-far", name: "far", path: "", tags: "", origin: "n-far", originDomain: "n-far" };
    const gone = ["peer", ["channel:news"], [undefined]];
    expect(noted).toEqual([["peer", ["channel:news"], [{ way, digest: "d" }]], gone, gone]);
  });
});

describe("an invitation that was taken and the disk refused", () => {
  test("is open again, and who took it is nobody", async () => {
    const id = Buffer.alloc(32, 1).toString("base64url");
    let row: object = {
      name: "far",
      keys: [],
      secrets: [],
      limits: {},
      required: [],
      invite: { secret: id, expires: 9 },
    };
    const undone = Promise.withResolvers<void>();
    const runtime = {
      ...{ node: { id: "n-host" }, log: { warn() {} }, now: () => 1 },
      reader: { get: () => row, rows: () => [["far", row]] },
      note() {
        const before = row;
        row = { ...row, node: "n-far" };
        return undone.promise.finally(() => {
          row = before;
        });
      },
    };
    const told: string[] = [];
    const host = { tell: ({ type }: { type: string }) => told.push(type), speaker: { peering: () => undefined } };
    const peers = new ConfiguredPeers(runtime as never, { read: async () => [] } as never, () => host as never);
    await peers.welcome({ node: "n-far", key: farConfig.keys[0], secrets: [id] });
    expect([peers.established("n-far"), peers.nameOf("n-far")]).toEqual([true, "far"]);
    undone.reject(new FaultError(fault("LOG_UNAVAILABLE", "the disk")));
    await settled();
    expect([told, peers.nameOf("n-far")]).toEqual([["configure-peer", "remove-peer"], undefined]);
  });
});

describe("a key that is rotated", () => {
  test("is the one that its peers are told, and nothing is signed in the name of the other", async () => {
    using temporary = disposableDirectory();
    const osaka = await start("osaka", { directory: temporary.path });
    const berlin = await start("n-berlin");
    await peered(berlin, osaka);
    await osaka.app.key.rotate({});
    const key = await until(async () => {
      const { key: now } = await osaka.app.peer.identity({});
      return now === osaka.key ? undefined : now;
    });
    await berlin.app.peer.configure({ name: osaka.id, keys: [osaka.key, key] });
    await osaka.app.action.register({ name: "greet", protocol: "echo" });
    await until(async () => (await routes(berlin)).some(({ route }) => route === "action:greet"));
    await osaka.app.peer.stop({ name: berlin.id, now: true });
    await osaka.app.peer.start({ name: berlin.id });
    await complete(berlin, osaka.id);
  });
});

describe("connections", () => {
  test("that come and go leave nothing behind", () => {
    const lines: string[] = [];
    const { host } = bareHost(lines);
    const link = host.accept("in-1", () => {});
    expect(host.link("in-1")).toBe(link);
    link.gone("its session ended");
    expect(host.link("in-1")).toBeUndefined();
  });

  test("of strangers do not fill the node's log", () => {
    const lines: string[] = [];
    const { host } = bareHost(lines);
    for (let i = 0; i < 1000; i++) {
      host.accept(`in-${i}`, () => {});
      host.tell({ type: "received", connection: `in-${i}`, value: { type: "open", seq: 0, node: "n-x" } });
    }
    expect(lines.length).toBeLessThan(50);
    expect(lines.length).toBeGreaterThan(0);
  });
});

interface Bare {
  readonly dial?: () => Promise<OpenedSession>;
  readonly row?: object;
  readonly after?: (() => void)[];
}

/** A host without a node around it. */
function bareHost(lines: string[], { dial, row, after = [] }: Bare = {}) {
  const line = (_: object, text: string): void => {
    lines.push(text);
  };
  const runtime = {
    ...{ node: { id: "n-host", name: "host" }, routable: [], now: () => 1, dial },
    timers: {
      after(_: number, fire: () => void) {
        after.push(fire);
        return () => {};
      },
    },
    identity: { node: "n-host", publicKey: rawIdentity("n-host").publicKey, epoch: 1, sign: () => new Uint8Array(64) },
    log: { debug() {}, info: line, warn: line, error: line },
    ...{ follow: () => () => {}, note: async () => {}, reader: { get: () => row } },
  };
  const names = { nameOf: () => (row === undefined ? undefined : "far"), established: () => true, failed() {} };
  return { host: new PeerHost(runtime as never, names, [], { by: "test", clock: () => 1 }) };
}

const farConfig = {
  ...{ node: "n-far", keys: [rawIdentity("n-far").publicKey], secrets: [pairSecret("far")], domain: undefined },
  ...{ address: "http://far", required: [], import: everything, export: allOut, limits: defaultLimits },
};

async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await undefined;
}

function disposableDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "capstan-peer-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
