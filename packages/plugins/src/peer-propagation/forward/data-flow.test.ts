// The two diagrams under "Plugin Data Flow Examples" of the orchestrator's first description, with `action.register` in the place
// of `createLocalDataChannel`: which messages pass which pipeline, and how many frames cross for it.

import { afterEach, describe, expect, test } from "bun:test";
import { allOut, everything, keepSecret, type PeerNode, pairSecret, startNode, until } from "../peers.fixture.ts";
import { RawPeer, rawIdentity } from "../raw-peer.fixture.ts";
import { reachTable } from "../schema.ts";

let node: PeerNode | undefined;
let client: RawPeer | undefined;

/** A node, and the BGP client of the diagrams, past the handshake and the first tables. */
async function peered(): Promise<[PeerNode, RawPeer]> {
  node = await startNode({ id: "n-osaka" });
  await node.app.peer.add({
    ...{
      name: "client",
      node: "n-client",
      keys: [rawIdentity("n-client").publicKey],
      import: everything,
      export: allOut,
    },
    secrets: [keepSecret("DIAGRAM_SECRET", pairSecret("diagram"))] as never,
  });
  client = new RawPeer({
    ...{ id: "n-client", url: node.url, node: node.id, key: node.key },
    secret: pairSecret("diagram"),
  });
  await until(
    () => client?.heard.includes("peer.endOfTable") && node?.messages.includes("peer.client peer.endOfTable"),
  );
  return [node, client];
}

afterEach(async () => {
  client?.close();
  await node?.server.stop();
});

describe("the diagrams", () => {
  test("1. Inbound iBGP Update: one frame, one message through the pipeline, the table, and no entry", async () => {
    const [osaka, bgp] = await peered();
    const entries = osaka.hub.committer.tip;
    osaka.messages.length = 0;
    bgp.heard.length = 0;
    bgp.tell({ type: "originate", announce: [["action:mail", ""]], withdraw: [] });
    const row = await until(() => osaka.hub.reader.get(reachTable, "action:mail"));
    expect(row).toEqual({
      way: {
        ...{ peer: "n-client", name: "client", path: "n-client", tags: "" },
        ...{ origin: "n-client", originDomain: "n-client" },
      },
      digest: "",
    });
    expect(ofRoutes(osaka.messages)).toEqual(
      ["node:n-osaka peer.reach", "node:n-osaka action.reach", "peer.client peer.update"].sort(byOrder),
    );
    // It is not told back to whom it came from, and nothing was logged: it can be learned again by asking.
    expect(ofRoutes(bgp.heard)).toEqual([]);
    expect(osaka.hub.committer.tip).toBe(entries);
  });

  test("2. Service Creation & Propagation: the local state, and one frame over the callback", async () => {
    const [osaka, bgp] = await peered();
    osaka.messages.length = 0;
    bgp.heard.length = 0;
    await osaka.app.action.register({ name: "greet", protocol: "echo" });
    await until(() => bgp.speaker.best("action:greet"));
    expect(ofRoutes(bgp.heard)).toEqual(["peer.update"]);
    expect(ofRoutes(osaka.messages)).toEqual(["app action.register"]);
    expect(bgp.speaker.best("action:greet")?.attributes.path).toBe("n-osaka");
  });

  test("2, the other way: who dialled tells over its scope, one frame", async () => {
    const berlin = await startNode({ id: "n-berlin" });
    const [osaka] = await peered();
    try {
      const secrets = [keepSecret("DIAGRAM_PAIR", pairSecret("pair"))] as never;
      const policies = { import: everything, export: allOut };
      await osaka.app.peer.add({ ...policies, secrets, name: "berlin", node: berlin.id, keys: [berlin.key] });
      await berlin.app.peer.add({
        ...policies,
        secrets,
        name: "osaka",
        node: osaka.id,
        keys: [osaka.key],
        address: osaka.url,
      });
      await until(
        () =>
          berlin.messages.includes("peer.osaka peer.endOfTable") &&
          osaka.messages.includes("peer.berlin peer.endOfTable"),
      );
      osaka.messages.length = berlin.messages.length = 0;
      await berlin.app.action.register({ name: "greet", protocol: "echo" });
      await until(() => osaka.hub.reader.get(reachTable, "action:greet"));
      expect(ofRoutes(osaka.messages).filter((one) => one.startsWith("peer."))).toEqual(["peer.berlin peer.update"]);
      expect(ofRoutes(berlin.messages)).toEqual(["app action.register"]);
      // And the client hears of it from osaka: transit, one frame more.
      await until(() => client?.speaker.best("action:greet"));
      expect(client?.speaker.best("action:greet")?.attributes.path).toBe("n-osaka n-berlin");
    } finally {
      await berlin.server.stop();
    }
  });
});

/** Without what witnesses say to each other once a session is there (witness/). */
function ofRoutes(messages: readonly string[]): string[] {
  return messages.filter((one) => !/peer\.keepalive|witness\./.test(one));
}

/** What the node notes is noted while the update is answered, and so before that is told of. */
function byOrder(a: string, b: string): number {
  const rank = (one: string): number => (one.startsWith("peer.client") ? 0 : one.includes("peer.reach") ? 1 : 2);
  return rank(a) - rank(b);
}
