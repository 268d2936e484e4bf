// A frame that a peer says is what it goes by: nothing else of the protocol comes in under another verb, or as text.

import { afterEach, describe, expect, test } from "bun:test";
import { allOut, everything, keepSecret, type PeerNode, pairSecret, startNode, until } from "../peers.fixture.ts";
import { RawPeer, rawIdentity } from "../raw-peer.fixture.ts";
import { peerSessionTable } from "../schema.ts";

let osaka: PeerNode;
let raw: RawPeer;

async function peering() {
  osaka = await startNode({ id: "n-osaka" });
  await osaka.app.peer.add({
    ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: allOut },
    secrets: [keepSecret("FRAMES_SECRET", pairSecret("raw"))] as never,
  });
  raw = new RawPeer({ id: "n-raw", url: osaka.url, node: osaka.id, key: osaka.key, secret: pairSecret("raw") });
  const ask = await until(() => raw.link?.ask);
  return { ask, session: osaka.hub.reader.get(peerSessionTable, "raw") };
}

afterEach(async () => {
  raw.close();
  await osaka.server.stop();
});

describe("a frame", () => {
  test("is said by its own verb: what is no keepalive is none", async () => {
    const { ask, session } = await peering();
    const frame = { type: "update", seq: 0, withdraw: [], announce: [] };
    const fault = await ask({ resource: "peer", action: "keepalive", data: { session, frame } }).catch(
      (thrown: { code?: string }) => thrown,
    );
    expect((fault as { code?: string }).code).toBe("MESSAGE_INVALID");
  });

  test("that is text is an update, whatever it goes by and whatever comes behind its beginning", async () => {
    const { ask, session } = await peering();
    for (const [action, frame] of [
      ["keepalive", '{"type":"keepalive","seq":3}'],
      ["update", '{"type":"keepalive","seq":3}'],
      ["update", "{}"],
      ["close", '{"type":"update","seq":3,"withdraw":[],"announce":[]}'],
    ] as const) {
      const fault = await ask({ resource: "peer", action, data: { session, frame } }).catch((thrown) => thrown);
      expect((fault as { code?: string }).code).toBe("MESSAGE_INVALID");
    }
    expect((await osaka.app.peer.show({ name: "raw" })) as object).toMatchObject({ state: "established" });
    const twice = '{"type":"update","seq":3,"type":"close","restart":false,"reason":"x"}';
    // Its session ends with it, and maybe before the answer.
    await ask({ resource: "peer", action: "update", data: { session, frame: twice } }).catch(() => {});
    const { reason } = await until(async () => {
      const shown = (await osaka.app.peer.show({ name: "raw" })) as { state: string; reason?: string };
      return shown.state === "established" ? undefined : shown;
    });
    expect(reason).toContain("bad-message-type");
  });
});
