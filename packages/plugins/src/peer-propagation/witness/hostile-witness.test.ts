// A peer that misuses what witnesses are told and asked, over a real session: it is cosigned nothing, its cosignatures count for nothing,
// and its session and everybody else's go on.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { formatCheckpoint, keyName, leafHash, signNote } from "@capstan/orchestrator";
import type { Message } from "@capstan/peer";
import { faultFrom } from "../../hub.fixture.ts";
import { allOut, everything, keepSecret, type PeerNode, pairSecret, startNode, until } from "../peers.fixture.ts";
import { RawPeer, rawIdentity } from "../raw-peer.fixture.ts";
import { type ShownWitness, WITNESS, witnessed } from "./witness.fixture.ts";

const LOG = `l-${"7".repeat(26)}`;
let node: PeerNode;
let peer: RawPeer;
/** What it answers when it is asked to prove, or for leaves. */
let answers: (asked: { action: string; data: Record<string, number> }) => unknown;
let heard: Message[];

beforeEach(async () => {
  heard = [];
  answers = ({ action, data }) =>
    action === "leaves"
      ? {
          log: LOG,
          from: data.from,
          leaves: Buffer.concat(leavesFrom(data.from ?? 1, data.count ?? 0)).toString("base64"),
        }
      : { log: LOG, proof: [] };
  node = await startNode({ id: "n-osaka", peering: { witness: WITNESS } });
  await node.app.peer.add({
    ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: allOut },
    secrets: [keepSecret("RAW_WITNESS", pairSecret("raw"))] as never,
  });
  peer = new RawPeer({
    ...{ id: "n-raw", url: node.url, node: node.id, key: node.key, secret: pairSecret("raw") },
    told({ resource, action, data }) {
      if (resource === "witness") return answers({ action, data: data as Record<string, number> });
      const { frame } = data as { frame: Message };
      if (frame.type === "keepalive") heard.push(frame);
      const { connection } = peer.link as { connection: string };
      peer.tell({ type: "received", connection, value: frame });
      return undefined;
    },
  });
  await until(() => heard.length > 0);
});

afterEach(async () => {
  peer.close();
  await node.server.stop();
});

const leavesFrom = (from: number, count: number, name = "a") =>
  Array.from({ length: count }, (_, i) => leafHash(`${name}${from + i}`));

function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const hasher = (parts: readonly Uint8Array[]) =>
    parts.reduce((hash, part) => hash.update(part), new Bun.CryptoHasher("sha256")).digest();
  if (leaves.length === 1) return leaves[0] as Uint8Array;
  const middle = 2 ** Math.ceil(Math.log2(leaves.length) - 1);
  return hasher([Uint8Array.of(1), rootOf(leaves.slice(0, middle)), rootOf(leaves.slice(middle))]);
}

async function noteOf(size: number, { name = "a", by = "n-raw", log = LOG, epoch = 1 } = {}): Promise<string> {
  const { publicKey, sign } = rawIdentity("n-raw");
  const text = formatCheckpoint({ log, size, root: rootOf(leavesFrom(1, size, name)), epoch, at: size });
  const key = Buffer.from(publicKey, "base64url");
  return signNote(text, { name: keyName(by), publicKey: key, sign: async (bytes) => sign(bytes) });
}

/** Says what it likes with its next keepalive. */
function keepAlive(said: object): void {
  const link = peer.link as unknown as { send(message: Message): void };
  const send = link.send.bind(link);
  link.send = (message) => {
    link.send = send;
    send({ ...message, ...said } as Message);
  };
  peer.tell({ type: "keep-alive", node: node.id });
}

async function becomes(what: (one: ShownWitness) => boolean): Promise<ShownWitness> {
  return until(async () => {
    const one = await witnessed(node, "raw");
    return what(one) ? one : undefined;
  });
}

async function goesOn(): Promise<void> {
  expect(peer.events.filter((one) => one.startsWith("lost"))).toEqual([]);
  keepAlive({ checkpoint: await noteOf(50) });
  await becomes(({ state, size }) => state === "cosigned" && size === 50);
}

test("a peer that keeps to it is cosigned, and told so", async () => {
  keepAlive({ checkpoint: await noteOf(5) });
  await becomes(({ size }) => size === 5);
  const line = await until(() => heard.flatMap((one) => (one.type === "keepalive" ? (one.cosignatures ?? []) : []))[0]);
  expect(line).toStartWith("— capstan/n-osaka ");
});

describe("a checkpoint", () => {
  test.each([
    ["that is signed by nobody who is pinned", () => noteOf(5, { by: "n-other" })],
    [
      "that somebody else signed in its name",
      async () =>
        (await noteOf(5))
          .replace("n-raw", "n-raw ")
          .replace("n-raw  ", "n-raw ")
          .replace(/\S{8}\n$/, "AAAAAAA=\n"),
    ],
    [
      "that it signed as often as a note may be",
      async () => {
        const note = await noteOf(5);
        return note + `${note.trimEnd().split("\n").at(-1)}\n`.repeat(31);
      },
    ],
    ["that is no note", async () => "a".repeat(8192)],
    ["that is none of a log of ours", async () => "example.com\n1\nAAAA\n\n— capstan/n-raw AAAA\n"],
  ])("%s is not cosigned", async (_, make) => {
    keepAlive({ checkpoint: await make() });
    expect(await becomes(({ state }) => state === "unproved")).toMatchObject({ why: expect.any(String) });
    await goesOn();
  });

  test("of more than a note is a frame that is none: that session ends, and says why", async () => {
    keepAlive({ checkpoint: "a".repeat(8193) });
    await until(() => peer.events.some((one) => one.startsWith("lost") || one === "down" || one === "session"));
    expect(((await node.app.peer.show({ name: "raw" })) as { reason: string }).reason).toContain("checkpoint");
  });
});

describe("asked to prove it, a peer that answers", () => {
  const GOOD = { log: LOG, proof: [] };
  test.each([
    ["nothing", () => undefined],
    [
      "a refusal",
      () => {
        throw Object.assign(new Error("no"), { code: "REFUSED" });
      },
    ],
    ["other leaves", () => ({ log: LOG, from: 1, leaves: Buffer.alloc(5 * 32).toString("base64") })],
    ["too few leaves", () => ({ log: LOG, from: 1, leaves: Buffer.alloc(4 * 32).toString("base64") })],
    ["leaves without end", () => ({ log: LOG, from: 1, leaves: "A".repeat(1_000_000) })],
    [
      "a proof of a thousand hashes",
      () => ({ ...GOOD, proof: Array.from({ length: 1000 }, () => `${"A".repeat(43)}=`) }),
    ],
    ["a hash that is none", () => ({ ...GOOD, proof: ["?"] })],
    ["a callback of its own", () => ({ ...GOOD, more: () => "called" })],
    ["something more", () => ({ ...GOOD, more: 1 })],
  ])("%s is not cosigned, and nobody is accused", async (_, answer) => {
    const good = answers;
    answers = () => answer();
    keepAlive({ checkpoint: await noteOf(5) });
    const shown = await becomes(({ state }) => state === "unproved");
    expect(shown.size).toBeUndefined();
    // It is asked again, and has another chance.
    answers = good;
    await becomes(({ state, size }) => state === "cosigned" && size === 5);
    expect(peer.events.filter((one) => one.startsWith("lost"))).toEqual([]);
  });
});

test("a cosignature of its own making counts for nothing", async () => {
  const { size } = await node.app.log.checkpoint();
  const made = Buffer.alloc(76, 1).toString("base64");
  for (const name of ["capstan/n-raw", "capstan/n-osaka", "somebody"])
    keepAlive({ cosignatures: [`— ${name} ${made}`] });
  await until(() => node.lines.some((line) => line.includes("a peer's cosignature is of nothing that it was told")));
  const refused = await faultFrom(node.app.log.receipt({ entry: size, witnesses: 1 }));
  expect(refused).toMatchObject({ code: "WITNESS_PENDING", details: { cosigned: 0 } });
  await goesOn();
});

test("a fork is an alarm, recorded once, however often it is shown; and names no entry that it does not prove", async () => {
  keepAlive({ checkpoint: await noteOf(5) });
  await becomes(({ size }) => size === 5);
  for (let i = 0; i < 3; i++) {
    keepAlive({ checkpoint: await noteOf(5, { name: "b", epoch: 1 + i }) });
    await becomes(({ state }) => state === "forked");
  }
  const shown = await witnessed(node, "raw");
  expect(shown).toMatchObject({ state: "forked", size: 5 });
  // It still gives the leaves that it had.
  expect(shown.entry).toBeUndefined();
  expect(node.messages.filter((one) => one.includes("witness.alert"))).toHaveLength(1);
  expect(peer.events.filter((one) => one.startsWith("lost"))).toEqual([]);
  // What it may ask for itself stays within what it is.
  const ask = (peer.link as unknown as { ask: (call: object) => Promise<unknown> }).ask;
  const asked = (action: string, data: object): Promise<unknown> =>
    ask({ resource: "witness", action, data }).catch((thrown: unknown) => thrown);
  expect(await asked("held", { log: `l-${"8".repeat(26)}` })).toMatchObject({ code: "WITNESS_NOTHING" });
  expect(await asked("accept", { name: "raw" })).toMatchObject({ code: "REFUSED" });
  expect(await asked("list", {})).toMatchObject({ code: "REFUSED" });
  expect(await asked("prove", { to: 10 ** 9, from: 1 })).toMatchObject({ code: "MESSAGE_INVALID" });
  expect(await asked("prove", { to: 2, base: 2 })).toMatchObject({ code: "MESSAGE_INVALID" });
  expect(await asked("leaves", { from: 1, count: 10 ** 6 })).toMatchObject({ code: "MESSAGE_INVALID" });
  expect(await asked("alert", {})).toMatchObject({ code: "MESSAGE_INTERNAL" });
});
