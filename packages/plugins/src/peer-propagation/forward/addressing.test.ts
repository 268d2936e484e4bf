// Addressing a node outright, over real sessions: whom the caller names does it, whatever is here and whatever way is the best.

import { afterEach, describe, expect, test } from "bun:test";
import { hash } from "node:crypto";
import { batch, type RemoteScope } from "@capstan/orchestrator/client";
import { faultFrom, protocol } from "../../hub.fixture.ts";
import { allOut, only, type PairOptions, type PeerNode, peered, startNode, until } from "../peers.fixture.ts";

let nodes: PeerNode[] = [];

afterEach(async () => {
  await Promise.all(nodes.map(({ server }) => server.stop()));
  nodes = [];
});

/** Its `greet` says where it ran. */
async function start(
  id: string,
  { greets = true, domain }: { greets?: boolean; domain?: string } = {},
): Promise<PeerNode> {
  const says = protocol("says", ({ input }) => `${id} ${String(input)}`);
  const peering = domain === undefined ? {} : { domain };
  const node = await startNode({ id, protocols: [says], peering });
  if (greets)
    await node.app.action.register({ name: "greet", protocol: "says", output: { type: "string", title: id } });
  nodes.push(node);
  return node;
}

const keyOf = async (id: string): Promise<string> => (await start(id, { greets: false })).key;

const known = (node: PeerNode, name: string): Promise<unknown> =>
  until(async () => (await node.app.action.list()).items.find((item) => item.name === name));

/** a, b, c in a line; `options` are of b and c. */
async function line(options: PairOptions = {}): Promise<readonly [PeerNode, PeerNode, PeerNode]> {
  const [a, b, c] = [await start("n-a"), await start("n-b"), await start("n-c")];
  await peered(a, b);
  await peered(b, c, options);
  return [a, b, c];
}

describe("scope.at", () => {
  test("has it done there, also where it could be done here", async () => {
    const [a] = await line();
    expect(await a.app.action.perform({ name: "greet", input: 1 })).toMatchObject({ output: "n-a 1" });
    expect(await a.app.at("n-b").action.perform({ name: "greet", input: 1 })).toMatchObject({
      output: "n-b 1",
      via: "n-b",
    });
    // Written out, it is the same.
    expect(await a.app.action.perform({ name: "greet", input: 2, at: "n-b" })).toMatchObject({ output: "n-b 2" });
    expect(await a.app.at("n-a").action.perform({ name: "greet", input: 3 })).not.toHaveProperty("via");
  });

  test("behind it, another: each node between takes its own off, and decides by its own policy", async () => {
    const [a, b, c] = await line();
    expect(await a.app.at("n-b").at("n-c").action.perform({ name: "greet", input: 1 })).toMatchObject({
      output: "n-c 1",
      via: "n-b",
    });
    expect(await a.app.at("n-a").at("n-b/n-b/n-c").action.perform({ name: "greet", input: 2 })).toMatchObject({
      output: "n-c 2",
    });
    // b still knows its own best way: what is exported is asked of the one that was addressed.
    const reject = { name: "not of c", then: "reject" as const, match: { learnedFrom: ["n-c"] } };
    await b.app.peer.configure({ name: "n-a", export: { clauses: [reject, ...allOut.clauses] } });
    const refused = await faultFrom(a.app.at("n-b").at("n-c").action.perform({ name: "greet" }));
    expect(refused).toMatchObject({ code: "ROUTE_NOT_EXPORTED", message: expect.stringContaining('"not of c"') });
    expect(c.messages.filter((one) => one.endsWith("action.perform"))).toHaveLength(2);
    expect(await a.app.at("n-b").action.perform({ name: "greet" })).toMatchObject({ output: "n-b undefined" });
  });

  test("gives no more than the peer lets pass", async () => {
    const [a, b] = [await start("n-a"), await start("n-b")];
    await b.app.action.register({ name: "hidden", protocol: "says" });
    await peered(a, b, { theirExports: only("action:greet") });
    expect(await faultFrom(a.app.at("n-b").action.perform({ name: "hidden" }))).toMatchObject({ code: "REFUSED" });
    expect(await a.app.at("n-b").action.perform({ name: "greet" })).toMatchObject({ via: "n-b" });
  });

  test("of an origin behind: by its node's id, or its domain", async () => {
    const [a, b, c] = [
      await start("n-a", { greets: false }),
      await start("n-b", { greets: false }),
      await start("n-c", { domain: "acme" }),
    ];
    process.env.ADDRESSING = Buffer.alloc(32, 9).toString("base64url");
    await peered(a, b);
    await b.app.peer.add({
      ...{ name: "c", node: c.id, keys: [c.key], domain: "acme", import: allIn, export: allOut, address: c.url },
      secrets: [{ secret: "env:ADDRESSING" }] as never,
    });
    await c.app.peer.add({
      ...{ name: "b", node: b.id, keys: [b.key], import: allIn, export: allOut },
      secrets: [{ secret: "env:ADDRESSING" }] as never,
    });
    await known(a, "greet");
    for (const where of ["n-c", "acme"])
      expect(await a.app.at(where).action.perform({ name: "greet", input: where })).toMatchObject({
        output: `n-c ${where}`,
        via: "n-b",
      });
  });

  test("of an origin behind, by what a peer without a session is called: the policy is asked of the way that it goes", async () => {
    const [a, b, c] = [
      await start("n-a", { greets: false }),
      await start("n-b", { greets: false }),
      await start("n-c", { domain: "acme" }),
    ];
    process.env.ADDRESSING = Buffer.alloc(32, 9).toString("base64url");
    const secrets = [{ secret: "env:ADDRESSING" }] as never;
    const reject = { name: "not of acme", then: "reject" as const, match: { learnedFrom: ["n-c"] } };
    await peered(a, b, { theirExports: { clauses: [reject, ...allOut.clauses] } });
    const policies = { import: allIn, export: allOut, secrets };
    await b.app.peer.add({ ...policies, name: "acme", node: "n-x", keys: [await keyOf("n-x")] });
    await b.app.peer.add({ ...policies, name: "c", node: c.id, keys: [c.key], domain: "acme", address: c.url });
    await c.app.peer.add({ ...policies, name: "b", node: b.id, keys: [b.key] });
    await known(b, "greet");
    for (const where of ["n-c", "acme", "n-b/acme"])
      expect(await faultFrom(a.app.at("n-b").at(where).action.perform({ name: "greet" }))).toMatchObject({
        code: "ROUTE_NOT_EXPORTED",
        message: expect.stringContaining('"not of acme"'),
      });
    expect(c.messages.filter((one) => one.endsWith("action.perform"))).toEqual([]);
  });

  test("of nobody says so, with the nearest; to other nodes without", async () => {
    const [a] = await line();
    expect(await faultFrom(a.app.at("n-bb").action.perform({ name: "greet" }))).toMatchObject({
      code: "ACTION_UNREACHABLE",
      message:
        'greet: there is no session with a peer "n-bb", and no way to an origin of that id or domain; did you mean "n-b"?',
    });
    const behind = await faultFrom(a.app.at("n-b").at("n-cc").action.perform({ name: "greet" }));
    expect(behind.code).toBe("ACTION_UNREACHABLE");
    expect(behind.message).toStartWith("n-b: greet: there is no session");
    expect(behind.message).not.toContain("did you mean");
    expect(await faultFrom(a.app.at("n-a").action.perform({ name: "other" }))).toMatchObject({
      code: "ACTION_UNKNOWN",
    });
    expect(await faultFrom(a.app.action.perform({ name: "greet", at: "n-b//c" }))).toMatchObject({
      code: "MESSAGE_INVALID",
    });
  });

  test("of one whose session has ended asks nobody else", async () => {
    const [a, b] = [await start("n-a"), await start("n-b")];
    await peered(a, b);
    await a.app.peer.stop({ name: "n-b", now: true });
    await until(() => a.messages.includes("node:n-a action.neighbour"));
    await until(async () => ((await a.app.peer.show({ name: "n-b" })) as { state: string }).state === "stopped");
    const asked = await faultFrom(a.app.at("n-b").action.perform({ name: "greet" }));
    expect(asked.code).toBe("ACTION_UNREACHABLE");
  });

  test("what it takes and gives is asked there as well", async () => {
    const [a] = await line();
    expect(await a.app.action.describe({ name: "greet" })).toMatchObject({ output: { title: "n-a" } });
    expect(await a.app.at("n-b").action.describe({ name: "greet" })).toMatchObject({ output: { title: "n-b" } });
    expect(await a.app.at("n-b").at("n-c").action.schemas({ name: "greet" })).toMatchObject({
      output: { title: "n-c" },
    });
    const nobody = await faultFrom(a.app.at("n-x").action.describe({ name: "greet" }));
    expect(nobody.code).toBe("SCHEMAS_UNKNOWN");
  });

  test("over the network is one round trip, however many nodes are between", async () => {
    const [a] = await line();
    const credential = "a secret that is long enough to be one";
    await a.app.grant.create({
      ...{ principal: "eve", allow: ["action.perform:greet"] },
      credential: `sha256-${hash("sha256", credential, "base64url")}`,
    });
    let requests = 0;
    const counting = (url: string, init: RequestInit): Promise<Response> => {
      requests++;
      return fetch(url, init);
    };
    const { scope } = batch({ url: a.url, as: { connectionFromCli: credential }, fetch: counting });
    const remote = scope as unknown as RemoteScope<{ action: { perform: never } }> & {
      at(where: string): { at(where: string): { action: { perform(data: object): Promise<unknown> } } };
    };
    expect(await remote.at("n-b").at("n-c").action.perform({ name: "greet", input: 1 })).toMatchObject({
      output: "n-c 1",
    });
    expect(requests).toBe(1);
  });
});

const allIn = { clauses: [{ name: "everything", then: "accept" as const, unowned: true }] };
