// The exchange behind golden/*.frame: two nodes with keys that everybody knows, each message as one of them sends it. The files
// are the law; this makes the same bytes, so that a change of the wire shows. `GOLDEN=write` in the test's environment writes them.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { disclose, signChunks } from "../origin/sign.ts";
import { createProver, secretId } from "../proof/create-prover.ts";
import { type Identity, signWith } from "../proof/identity.ts";
import type { Exchange } from "../proof/prover.ts";
import type { Message, Open } from "./message.ts";

export const GOLDEN = join(import.meta.dir, "golden");

const filled = (byte: number) => new Uint8Array(32).fill(byte);
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

/** Whoever dials is of the domain `osaka`, the acceptor of `kyoto`. */
export const diallerSeed = filled(1);
export const acceptorSeed = filled(2);
export const secret = filled(3);
export const nextSecret = filled(4);
export const channelBinding = "";

export const dialler = signWith(diallerSeed);
export const acceptor = signWith(acceptorSeed);

const open: { readonly dialler: Open; readonly acceptor: Open } = {
  dialler: {
    type: "open",
    seq: 0,
    versions: [1],
    node: "n-osaka-1",
    name: "Osaka, first rack",
    domain: "osaka",
    key: dialler.publicKey,
    epoch: 7,
    holdTime: 90,
    nonce: base64url(filled(10)),
    secrets: [secretId(secret), secretId(nextSecret)],
    capabilities: [
      { name: "graceful-restart", restartTime: 120, restarting: false },
      { name: "x-unknown", since: "2031", weights: [0.5, 1e21] },
    ],
  },
  acceptor: {
    type: "open",
    seq: 0,
    versions: [1],
    node: "n-kyoto",
    name: "京都",
    domain: "kyoto",
    key: acceptor.publicKey,
    epoch: 3,
    holdTime: 30,
    nonce: base64url(filled(11)),
    secrets: [secretId(secret)],
    capabilities: [{ name: "graceful-restart", restartTime: 60, restarting: true }],
  },
};
export const exchange: Exchange = open;

export const diallersProver = createProver({
  secrets: [secret, nextSecret],
  sign: dialler.sign,
  keys: [acceptor.publicKey],
});
export const acceptorsProver = createProver({ secrets: [secret], sign: acceptor.sign, keys: [dialler.publicKey] });

const diallersProof = diallersProver.prove("dialler", exchange, secretId(secret));
const acceptorsProof = acceptorsProver.prove("acceptor", exchange, secretId(secret), diallersProof);

/** Five routes of the dialler's, of which the acceptor is told three. */
const [chunk] = signChunks(
  [
    ["action:greet", base64url(filled(20)), "idempotent"],
    ["action:report.daily", base64url(filled(21)), "read-only"],
    ["action:report.weekly", base64url(filled(22))],
    ["channel:books", ""],
    ["topic:action.greet", ""],
  ],
  { node: "n-osaka-1", domain: "osaka", key: dialler.publicKey, epoch: 7, expires: 1_900_000_000 },
  dialler.sign,
);
const told = new Set(["action:greet", "channel:books", "topic:action.greet"]);

/** The dialler's log of two entries, as it signs it, and what the acceptor's cosignature of the other's looks like (https://c2sp.org). */
const utf8 = new TextEncoder();
const lineOf = (name: string, type: number, identity: Identity, before: Uint8Array, text: string) => {
  const key = Buffer.from(identity.publicKey, "base64url");
  const id = createHash("sha256").update(`${name}\n`).update(Uint8Array.of(type)).update(key).digest().subarray(0, 4);
  return `— ${name} ${Buffer.concat([id, before, identity.sign(utf8.encode(text))]).toString("base64")}`;
};
const checkpointText = (log: string) =>
  `capstan/l-${log.repeat(26)}\n2\n${Buffer.alloc(32, 30).toString("base64")}\nepoch 7\nat 1796000000002\n`;
const ofDialler = checkpointText("0");
const checkpoint = `${ofDialler}\n${lineOf("capstan/n-osaka-1", 1, dialler, new Uint8Array(), ofDialler)}\n`;
const time = Buffer.alloc(8);
time.writeBigUInt64BE(1_796_000_001n);
const cosignedText = `cosignature/v1\ntime 1796000001\n${checkpointText("1")}`;
const cosignature = lineOf("capstan/n-osaka-1", 4, dialler, time, cosignedText);

/** By the names of their files, in the order in which the dialler (and two from the acceptor) may send them. */
export const golden: Readonly<Record<string, Message>> = {
  "open-dialler": open.dialler,
  "open-acceptor": open.acceptor,
  "proof-dialler": { type: "proof", seq: 1, ...diallersProof },
  "proof-acceptor": { type: "proof", seq: 1, ...acceptorsProof },
  update: {
    type: "update",
    seq: 2,
    withdraw: ["action:farewell"],
    announce: [{ path: "osaka", tags: "osaka.public", origin: chunk!.claim, leaves: [...disclose(chunk!, told)] }],
  },
  "update-internal": {
    type: "update",
    seq: 3,
    withdraw: [],
    announce: [
      {
        ...{ path: "", localPreference: 200 },
        apart: { at: [[1, 2], 3], localPreference: [50, null], tags: ["slow", "osaka.public"] },
        ...{ origin: chunk!.claim, leaves: [...chunk!.leaves] },
      },
    ],
  },
  "end-of-table": { type: "end-of-table", seq: 4 },
  keepalive: { type: "keepalive", seq: 5 },
  "keepalive-witness": { type: "keepalive", seq: 5, checkpoint, cosignatures: [cosignature] },
  "route-refresh-request": { type: "route-refresh", seq: 6, phase: "request" },
  "route-refresh-begin": { type: "route-refresh", seq: 7, phase: "begin" },
  notification: {
    type: "notification",
    seq: 8,
    code: "cease",
    subcode: "administrative-reset",
    reason: "a new rack",
  },
  close: { type: "close", seq: 8, restart: true, reason: "back in a minute" },
};
