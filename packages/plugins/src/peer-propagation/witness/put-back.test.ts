// A node that comes in an earlier start than its neighbour has seen: the data of some starts ago. It is refused before it can show a
// checkpoint, and is found all the same; but only by what it proves itself.

import { afterEach, describe, expect, test } from "bun:test";
import { keyName, openNote, parseCheckpoint, verifierOf, verifyCheckpoint } from "@capstan/orchestrator";
import { allOut, complete, everything, keepSecret, type PeerNode, pairSecret, shown } from "../peers.fixture.ts";
import { type RawOptions, RawPeer, rawIdentity } from "../raw-peer.fixture.ts";
import { alerted, caughtUp, copyLog, peered, performs, Site, until, witnessed } from "./witness.fixture.ts";

const site = new Site();
const raw: RawPeer[] = [];
afterEach(async () => {
  for (const one of raw.splice(0)) one.close();
  await site.close();
});

const alerts = ({ messages }: PeerNode) => messages.filter((one) => one.includes("witness.alert"));
const refusals = ({ lines }: PeerNode) => lines.filter((line) => line.includes("open-error/old-epoch"));

/** Osaka, of which Berlin cosigned its third start, begun again with what it had before its second. */
async function putBack(dials: "osaka" | "berlin") {
  const [directory, kept] = [site.directory(), site.directory()];
  const first = await site.start("osaka", directory);
  const berlin = await site.start("n-berlin");
  await (dials === "osaka" ? peered(first, berlin) : peered(berlin, first));
  await first.app.action.register({ name: "greet", protocol: "echo" });
  await caughtUp(berlin, first);
  const listen = new URL(first.url).host;
  await site.stop(first);
  copyLog(directory, kept);
  await site.stop(await site.start("osaka", directory, listen));
  const third = await site.start("osaka", directory, listen);
  await complete(third, berlin.id);
  await performs(third, 3);
  const { size = 0 } = await caughtUp(berlin, third);
  await site.stop(third);
  copyLog(kept, directory);
  return { berlin, size, osaka: await site.start("osaka", directory, listen) };
}

describe("data that was put back by two starts", () => {
  test.each(["osaka", "berlin"] as const)("is found, whoever dials (%s), and recorded once", async (dials) => {
    const { berlin, osaka, size } = await putBack(dials);
    const found = await alerted(berlin, osaka.id);
    expect(found).toMatchObject({ state: "rewound", size });
    expect(found.why).toMatch(/comes in its start 2, and has been in its start 3; .*log verify --witness/);
    expect(found.entry).toBeUndefined();
    const { held = "", shown: note } = found.evidence ?? {};
    expect(note).toBe("");
    await verifyCheckpoint(held, [
      verifierOf({ name: keyName(osaka.id), publicKey: Buffer.from(osaka.key, "base64url") }),
    ]);
    expect(parseCheckpoint(openNote(held).text)).toMatchObject({ size, epoch: 3 });
    // It goes on trying, and is refused each time.
    const before = refusals(berlin).length;
    await until(() => refusals(berlin).length >= before + 2);
    expect(await shown(berlin, osaka.id)).toMatchObject({ reason: expect.stringContaining("open-error/old-epoch") });
    expect(alerts(berlin)).toHaveLength(1);
    expect(berlin.lines.filter((line) => line.startsWith("error a peer's log was rewound"))).toHaveLength(1);

    // An operator takes note: it is let in, and witnessed anew.
    await berlin.app.witness.accept({ name: osaka.id });
    await complete(berlin, osaka.id);
    const { size: now = size } = await caughtUp(berlin, osaka);
    expect(now).toBeLessThan(size + 100);
    // What it offers, too: an earlier start's was void.
    await until(async () => (await shown(berlin, osaka.id)).in > 0);
    expect(await berlin.app.action.perform({ name: "greet", input: 7 })).toMatchObject({ output: 7, via: osaka.id });
    expect(alerts(berlin)).toHaveLength(1);
  });
});

describe("an earlier start", () => {
  async function withRaw(options: Partial<RawOptions> = {}) {
    const node = await site.start("n-osaka");
    await node.app.peer.add({
      ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: allOut },
      secrets: [keepSecret("RAW_PUT_BACK", pairSecret("raw"))] as never,
    });
    const comes = (more: Partial<RawOptions>): RawPeer => {
      const peer = new RawPeer({
        ...{ id: "n-raw", url: node.url, node: node.id, key: node.key, secret: pairSecret("raw") },
        ...more,
      });
      raw.push(peer);
      return peer;
    };
    const first = comes({ epoch: 5, ...options });
    await until(async () => (await shown(node, "raw")).state === "established");
    first.close();
    await until(async () => (await shown(node, "raw")).state !== "established");
    return { node, comes };
  }

  test("that somebody else claims raises nothing: with the pair's secret and the pinned key shown, but not had", async () => {
    const directory = site.directory();
    const berlin = await site.start("n-berlin");
    const first = await site.start("osaka", directory);
    await peered(first, berlin);
    await site.stop(first);
    const osaka = await site.start("osaka", directory);
    await complete(osaka, berlin.id);
    await caughtUp(berlin, osaka);
    await site.stop(osaka);
    raw.push(
      new RawPeer({
        ...{ id: osaka.id, url: berlin.url, node: berlin.id, key: berlin.key, epoch: 1 },
        ...{ secret: pairSecret(`${osaka.id} ${berlin.id}`) },
        identity: { publicKey: osaka.key, sign: rawIdentity("n-thief").sign },
      }),
    );
    await until(async () => (await shown(berlin, osaka.id)).reason?.includes("open-error/authentication-failure"));
    expect(refusals(berlin)).toEqual([]);
    expect(alerts(berlin)).toEqual([]);
    expect((await witnessed(berlin, osaka.id)).state).toBe("cosigned");
    // Nor does it keep out whose place it took.
    await complete(berlin, (await site.start("osaka", directory)).id);
  });

  test("of a log that was never shown is refused, and no more", async () => {
    const { node, comes } = await withRaw();
    comes({ epoch: 4 });
    await until(() => refusals(node).length >= 1);
    expect((await shown(node, "raw")).reason).toContain("comes in its start 4, and has been in its start 5");
    expect(alerts(node)).toEqual([]);
    expect((await witnessed(node, "raw")).state).not.toBe("rewound");
  });
});
