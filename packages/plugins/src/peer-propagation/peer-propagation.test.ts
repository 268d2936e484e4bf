// Two nodes peer over WebSockets: what crosses, what becomes of it in both pipelines, and what is shown.

import { afterEach, describe, expect, test } from "bun:test";
import { type PeerNode, peered, routes, startNode } from "./peers.fixture.ts";

let nodes: PeerNode[] = [];

async function start(...ids: string[]): Promise<PeerNode[]> {
  const made = await Promise.all(ids.map((id) => startNode({ id })));
  nodes.push(...made);
  return made;
}

afterEach(async () => {
  await Promise.all(nodes.map(({ server }) => server.stop()));
  nodes = [];
});

describe("two nodes", () => {
  test("peer, and each knows what the other offers", async () => {
    const [berlin, osaka] = (await start("n-berlin", "n-osaka")) as [PeerNode, PeerNode];
    await osaka.app.action.register({ name: "greet", protocol: "echo" });
    await berlin.app.action.register({ name: "report", protocol: "echo" });
    await peered(berlin, osaka);
    expect((await routes(berlin, { peer: "n-osaka" })).map(({ route, path }) => [route, ...path])).toEqual([
      ["action:greet", "n-osaka"],
    ]);
    expect((await routes(berlin, { peer: "n-osaka" }, "topic")).map(({ route }) => route)).toEqual([
      "topic:action.greet",
    ]);
    expect((await routes(osaka, { peer: "n-berlin" })).map(({ route, path }) => [route, ...path])).toEqual([
      ["action:report", "n-berlin"],
    ]);
  });
});
