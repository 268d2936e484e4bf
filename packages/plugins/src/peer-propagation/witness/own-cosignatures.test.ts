// Cosignatures that peers give this node's checkpoints: what goes into its receipts is what was verified, and no more.

import { expect, test } from "bun:test";
import {
  CosignedCheckpoints,
  formatCheckpoint,
  keyName,
  openNote,
  signNote,
  verifierOf,
  verifyCheckpoint,
  verifyCosignatures,
  witnessKeyOf,
} from "@capstan/orchestrator";
import { rawIdentity } from "../raw-peer.fixture.ts";
import { OwnCosignatures } from "./own-cosignatures.ts";

const root = new Uint8Array(32).fill(1);
const signerOf = (node: string) => {
  const { publicKey, sign } = rawIdentity(node);
  const key = Buffer.from(publicKey, "base64url");
  return { name: keyName(node), publicKey: key, sign: async (bytes: Uint8Array) => sign(bytes), signNow: sign };
};
const ours = signerOf("n-here");
const osaka = signerOf("n-osaka");
const lineOf = (name: string, keyHash: string, signed: Uint8Array): string =>
  `— ${name} ${Buffer.concat([Buffer.from(keyHash, "hex"), signed]).toString("base64")}`;

async function told() {
  const log = `l-${"7".repeat(26)}`;
  const note = await signNote(formatCheckpoint({ log, size: 5, root, epoch: 1, at: 1 }), ours);
  const { text, signatures } = openNote(note);
  const cosigned = new CosignedCheckpoints();
  const own = new OwnCosignatures({
    ...{ directory: undefined, log, cosigned, root: () => root, damaged: () => {} },
    identity: { name: ours.name, publicKey: () => ours.publicKey },
    pinned: () => [Buffer.from(osaka.publicKey).toString("base64url")],
  });
  own.tell("n-osaka", note);
  const time = Buffer.from([0, 0, 0, 0, 0, 0, 0, 7]);
  const signed = Buffer.concat([time, osaka.signNow(Buffer.from(`cosignature/v1\ntime 7\n${text}`))]);
  const good = lineOf(osaka.name, witnessKeyOf(osaka).keyHash, signed);
  return { own, cosigned, good, keyHash: signatures[0]?.keyHash ?? "" };
}

test("one that was verified is kept, with its time", async () => {
  const { own, cosigned, good } = await told();
  expect(await own.heard("n-osaka", good)).toBe(true);
  expect(own.of("n-osaka")).toEqual({ size: 5, time: 7 });
  expect([...(cosigned.kept[0]?.cosignatures ?? [])]).toEqual([[osaka.name, good]]);
});

test("one that brings other lines with it spoils no receipt", async () => {
  const { own, cosigned, good, keyHash } = await told();
  const forged = lineOf(ours.name, keyHash, Buffer.alloc(64));
  const other = lineOf(keyName("n-kyoto"), witnessKeyOf(signerOf("n-kyoto")).keyHash, Buffer.alloc(72));
  await own.heard("n-osaka", [forged, other, good].join("\n"));
  for (const { note } of cosigned.covering(1, 1)) {
    await verifyCheckpoint(note, [verifierOf(ours)]);
    const keys = [osaka, signerOf("n-kyoto")].map(witnessKeyOf);
    expect((await verifyCosignatures(note, keys)).map(({ key }) => key.name)).toEqual([osaka.name]);
  }
});
