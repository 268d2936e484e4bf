// Invitations: who takes one is pinned by it, and nobody takes one twice.

import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { secretId } from "@capstan/peer";
import { faultFrom } from "../../hub.fixture.ts";
import {
  allOut,
  complete,
  everything,
  keepSecret,
  type PeerNode,
  pairSecret,
  routes,
  type Shown,
  shown,
  startNode,
  until,
} from "../peers.fixture.ts";
import { RawPeer } from "../raw-peer.fixture.ts";

let nodes: PeerNode[] = [];
let raws: RawPeer[] = [];

async function start(id: string, options: { directory?: string; now?: () => number } = {}): Promise<PeerNode> {
  const node = await startNode({ id, ...options });
  nodes.push(node);
  return node;
}

afterEach(async () => {
  for (const one of raws) one.close();
  await Promise.all(nodes.map(({ server }) => server.stop()));
  nodes = [];
  raws = [];
});

const SECRET = pairSecret("invited");

async function invite(node: PeerNode, name: string, expires = Date.now() + 60_000): Promise<void> {
  const secrets = [keepSecret("INVITE_SECRET", SECRET)] as never;
  await node.app.peer.invite({
    name,
    secrets,
    secretId: secretId(SECRET),
    expires,
    import: everything,
    export: allOut,
  });
}

function come(node: PeerNode, id: string, secret = SECRET): RawPeer {
  const one = new RawPeer({ id, url: node.url, node: node.id, key: node.key, secret });
  raws.push(one);
  return one;
}

test("a node that has the secret is let in, and from then on it is the peer of that name", async () => {
  const berlin = await start("n-berlin");
  const osaka = await start("n-osaka");
  await invite(berlin, "osaka");
  expect(await shown(berlin, "osaka")).toMatchObject({ state: "invited", in: 0 });
  await osaka.app.action.register({ name: "greet", protocol: "echo" });
  const secrets = [keepSecret("TAKEN_SECRET", SECRET)] as never;
  await osaka.app.peer.add({
    ...{ name: "berlin", node: berlin.id, keys: [berlin.key], secrets, address: berlin.url },
    ...{ import: everything, export: allOut },
  });
  await complete(osaka, "berlin");
  const { invite: left, node } = (await complete(berlin, "osaka")) as Shown & { invite?: unknown; node?: string };
  expect([left, node]).toEqual([undefined, "n-osaka"]);
  expect((await routes(berlin, { peer: "osaka" })).map(({ route }) => route)).toEqual(["action:greet"]);
  // Once: another node with the same secret is a stranger.
  const second = come(berlin, "n-second");
  await until(() => second.events.includes("session"));
  expect(second.speaker.session(berlin.id)).toBeUndefined();
  expect((await shown(berlin, "osaka")).state).toBe("established");
});

test("whoever names the invitation and has not its secret leaves nothing behind, and it stays open", async () => {
  const berlin = await start("n-berlin");
  await invite(berlin, "osaka");
  const stranger = come(berlin, "n-stranger", pairSecret("guessed"));
  await until(() => stranger.events.includes("session"));
  expect(await shown(berlin, "osaka")).toMatchObject({ state: "invited" });
  const guest = come(berlin, "n-guest");
  await until(() => guest.events.includes("established"));
  expect(await until(async () => ((await shown(berlin, "osaka")).state === "established" ? true : undefined))).toBe(
    true,
  );
});

test("of those who come with it at once one is let in, and is the peer", async () => {
  const berlin = await start("n-berlin");
  await invite(berlin, "osaka");
  const guests = ["n-one", "n-two", "n-three"].map((id) => come(berlin, id));
  await until(() => guests.every(({ events }) => events.includes("established") || events.includes("session")));
  const { node } = (await complete(berlin, "osaka")) as Shown & { node?: string };
  const inside = guests.filter(({ speaker }) => speaker.session(berlin.id) !== undefined);
  expect(inside.map(({ link }) => link?.ask !== undefined)).toEqual([true]);
  expect(guests.find(({ speaker }) => speaker.session(berlin.id) !== undefined)?.id).toBe(node as string);
  expect(berlin.messages.filter((one) => one.includes("peer.accept") && !one.includes(" PEER_"))).toHaveLength(1);
});

test("an invitation that has expired lets nobody in, and one that would have is refused", async () => {
  let ahead = 0;
  const berlin = await start("n-berlin", { now: () => Date.now() + ahead });
  await invite(berlin, "osaka");
  ahead = 60_000;
  const late = come(berlin, "n-late");
  await until(() => late.events.includes("session"));
  expect(await shown(berlin, "osaka")).toMatchObject({ state: "invited" });
  expect((await faultFrom(invite(berlin, "lima", Date.now() - 1))).code).toBe("PEER_INVALID");
});

test("a kept secret is a file of the node's, in no message and no entry, and goes with its peer", async () => {
  const path = mkdtempSync(join(tmpdir(), "capstan-invite-"));
  try {
    const berlin = await start("berlin", { directory: path });
    const secret = SECRET.toString();
    const text = Buffer.from(SECRET).toString("base64url");
    const kept = await berlin.app.peer.keep({ name: "osaka", secret: text });
    expect(kept.id).toBe(secretId(SECRET));
    const file = join(path, kept.secret.secret.slice("file:".length));
    expect(readFileSync(file, "utf8").trim()).toBe(text);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await berlin.app.peer.invite({
      ...{ name: "osaka", secrets: [kept.secret] as never, secretId: kept.id, expires: Date.now() + 60_000 },
      ...{ import: everything, export: allOut },
    });
    const guest = come(berlin, "n-guest");
    await until(() => guest.events.includes("established"));
    // A caller who may not is recorded, and what he brought is not.
    using bob = await berlin.hub.scope({ principal: "bob", allow: ["action.list"] });
    await faultFrom(bob.peer.keep({ name: "x", secret: text }));
    const log =
      readFileSync(join(path, "log.db")).toString("latin1") + readFileSync(join(path, "log.db-wal")).toString("latin1");
    expect([log.includes(text), log.includes(secret), berlin.lines.join("\n").includes(text)]).toEqual([
      false,
      false,
      false,
    ]);
    await berlin.app.peer.remove({ name: "osaka" });
    await until(() => readdirSync(join(path, "peers")).length === 0);
  } finally {
    await Promise.all(nodes.splice(0).map(({ server }) => server.stop()));
    rmSync(path, { recursive: true, force: true });
  }
});
