// Operators beside the one who added a peer: what they may change of it, and what nobody can make.

import { afterEach, describe, expect, test } from "bun:test";
import { memoryLog, type StoredRow } from "@capstan/orchestrator";
import { altered, reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { faultFrom, scopeOf } from "../../hub.fixture.ts";
import {
  allOut,
  complete,
  everything,
  keepSecret,
  only,
  type PeerNode,
  pairSecret,
  peered,
  shown,
  startNode,
  until,
} from "../peers.fixture.ts";
import { rawIdentity } from "../raw-peer.fixture.ts";

let nodes: PeerNode[] = [];

async function start(id: string): Promise<PeerNode> {
  const node = await startNode({ id });
  nodes.push(node);
  return node;
}

afterEach(async () => {
  await Promise.all(nodes.map(({ server }) => server.stop()));
  nodes = [];
});

const ofRaw = {
  ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: allOut },
  secrets: [keepSecret("OPERATORS_SECRET", pairSecret("raw"))] as never,
};

describe("an operator", () => {
  test("other than the one who added a peer changes its export, and it comes again by another grant", async () => {
    const berlin = await start("n-berlin");
    const osaka = await start("n-osaka");
    await osaka.app.action.register({ name: "greet", protocol: "echo" });
    await peered(berlin, osaka);
    const { grant } = await shown(osaka, "n-berlin");
    const made = await osaka.app.grant.create({ principal: "other", allow: ["*"], delegable: true });
    const other = scopeOf(osaka.hub as never, made) as unknown as typeof osaka.app;
    await other.peer.configure({ name: "n-berlin", export: only("action:greet") });
    const now = await until(async () => {
      const peer = await shown(osaka, "n-berlin");
      return peer.state === "established" && peer.complete && peer.grant !== grant ? peer : undefined;
    });
    const { items } = await osaka.app.grant.list({ principal: "peer.n-berlin" });
    expect(items).toMatchObject([
      { id: grant, by: "app", revoked: expect.any(Number) },
      { id: now.grant, by: "other", parent: made.grant },
    ]);
    await complete(berlin, "n-osaka");
    expect(await until(() => berlin.app.action.perform({ name: "greet" }).catch(() => undefined))).toMatchObject({
      via: "n-osaka",
    });
  });

  test("who leaves takes with them what a peer may, and another one's word gives it again", async () => {
    const [berlin, osaka] = [await start("n-berlin"), await start("n-osaka")];
    await peered(berlin, osaka);
    const made = await osaka.app.grant.create({ principal: "other", allow: ["*"], delegable: true });
    const other = scopeOf(osaka.hub as never, made) as unknown as typeof osaka.app;
    await other.peer.configure({ name: "n-berlin", export: only("action:greet") });
    const { grant } = await until(async () => {
      const peer = await complete(osaka, "n-berlin");
      const { items } = await osaka.app.grant.list({ principal: "peer.n-berlin" });
      return items.some(({ id, by }) => id === peer.grant && by === "other") ? peer : undefined;
    });
    await osaka.app.grant.revoke({ grant: made.grant });
    await until(async () => (await shown(osaka, "n-berlin")).state !== "established");
    await osaka.app.peer.configure({ name: "n-berlin" });
    const again = await complete(osaka, "n-berlin");
    expect(again.grant).not.toBe(grant);
    // And of one that is good there is no other made.
    await osaka.app.peer.configure({ name: "n-berlin" });
    expect((await complete(osaka, "n-berlin")).grant).toBe(again.grant);
  });

  test("who may pass nothing on adds no peer, nor one whose name was revoked: none is left without a grant", async () => {
    const osaka = await start("n-osaka");
    const made = await osaka.app.grant.create({ principal: "other", allow: ["*"] });
    const other = scopeOf(osaka.hub as never, made) as unknown as typeof osaka.app;
    expect(await faultFrom(other.peer.add(ofRaw))).toMatchObject({ code: "GRANT_NOT_DELEGABLE" });
    await osaka.app.peer.add(ofRaw);
    expect(await faultFrom(other.peer.configure({ name: "raw", export: only("action:a") }))).toMatchObject({
      code: "GRANT_NOT_DELEGABLE",
    });
    await osaka.app.principal.revoke({ name: "peer.raw" });
    await osaka.app.peer.remove({ name: "raw" });
    expect(await faultFrom(osaka.app.peer.add(ofRaw))).toMatchObject({ code: "GRANT_REVOKED" });
    expect((await osaka.app.peer.list({})).items).toEqual([]);
  });

  test("makes no credential by which they could come as a peer", async () => {
    const osaka = await start("n-osaka");
    await osaka.app.peer.add(ofRaw);
    const { grant } = await shown(osaka, "raw");
    const credential = `sha256-${"A".repeat(43)}`;
    for (const made of [
      osaka.app.grant.seal({ grant, credential }),
      osaka.app.grant.create({ principal: "peer.raw", allow: ["peer.update"], credential }),
    ])
      expect(await faultFrom(made)).toMatchObject({ code: "PRINCIPAL_RESERVED" });
  });
});

test("a grant of an earlier version: whoever starts, lists and shows is told what it lacks, and configuring gives it", async () => {
  const stored = memoryLog();
  const add = { name: "raw", node: "n-raw", import: everything, export: only("action:greet") };
  const secrets = [keepSecret("LACKING", pairSecret("lacking"))] as never;
  const first = await startNode({ id: "n-lacking", log: stored });
  await first.app.peer.add({ ...add, keys: ofRaw.keys, secrets });
  await first.server.stop();
  // As a version had it that knew no recalling.
  const clause = '"action.recall",';
  const earlier = altered(reopened(stored), {
    *snapshot(tables) {
      for (const row of stored.snapshot(tables) as Iterable<StoredRow>)
        yield row.table === "peer" ? { ...row, json: row.json.replace(clause, "") } : row;
    },
  });
  const node = await startNode({ id: "n-lacking", log: earlier });
  const lacks = async () => {
    const { items } = (await node.app.peer.list({})) as { items: { lacks?: string[] }[] };
    return [items[0]?.lacks, ((await node.app.peer.show({ name: "raw" })) as { lacks?: string[] }).lacks];
  };
  expect(await lacks()).toEqual([["action.recall"], ["action.recall"]]);
  const warned = () => node.lines.filter((line) => line.includes("capstan peer configure raw"));
  await until(() => warned().length > 0);
  await node.app.peer.configure({ name: "raw" });
  expect([await lacks(), warned().length]).toEqual([[undefined, undefined], 1]);
  await node.server.stop();
});
