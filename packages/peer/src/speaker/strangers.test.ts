// Who is no peer, or only says that it is one. b listens; a is its peer, and z is somebody that b has never heard of.

import { expect, test } from "bun:test";
import { secretId } from "../proof/create-prover.ts";
import { bytes } from "../session/session.fixture.ts";
import { PendingConnections } from "./pending-connections.ts";
import { identity, pairSecret, Speakers, timing } from "./speakers.fixture.ts";

function listening(): Speakers {
  const speakers = new Speakers();
  for (const node of ["a", "b", "c"]) speakers.start(node);
  speakers.peer("b", "a", { domain: "a" });
  speakers.peer("b", "c", { domain: "c", address: undefined });
  speakers.tell("b", { type: "stop-peer", node: "c" });
  return speakers;
}

/** What b does about somebody's first message. */
function answer(speakers: Speakers, value: unknown): unknown {
  const connection = `stranger ${Math.random()}`;
  speakers.tell("b", { type: "accepted", connection });
  const effects = speakers.tell("b", { type: "received", connection, value });
  return effects
    .filter(({ type }) => type === "send" || type === "disconnect")
    .map((effect) => (effect.type === "send" ? effect.message : effect.type));
}

const open = (node: string, change: object = {}) => ({
  ...{
    type: "open",
    seq: 0,
    versions: [1],
    node,
    name: node,
    domain: node,
    key: bytes("guess"),
    epoch: 1,
    holdTime: 90,
  },
  ...{ nonce: bytes("nonce"), secrets: [bytes("guess")], capabilities: [] },
  ...change,
});

test("strangers could tell who is a peer, stopped or not, and of which domain: by what they were refused for", () => {
  const claims = [{}, { versions: [9] }, { domain: "x" }, { domain: "b" }, { holdTime: 1 }];
  const keys = [{}, { key: identity("a").publicKey }, { secrets: [secretId(pairSecret("a", "b"))] }];
  const answers = new Set<string>();
  for (const node of ["a", "b", "c", "z"]) {
    for (const claim of claims) {
      for (const key of keys) answers.add(JSON.stringify(answer(listening(), open(node, { ...claim, ...key }))));
    }
  }
  expect([...answers].map((one) => JSON.parse(one))).toEqual([
    [
      {
        ...{ type: "notification", seq: 0, code: "open-error", subcode: "authentication-failure" },
        reason: "the proof is wrong, of another exchange, or by a secret or a key that we do not have",
      },
      "disconnect",
    ],
  ]);
});

test("who shows the key and the secret's id is told what is wrong with its offer", () => {
  const known = { key: identity("a").publicKey, secrets: [secretId(pairSecret("a", "b"))] };
  const code = (change: object) =>
    (answer(listening(), open("a", { ...known, ...change })) as { subcode?: string }[])[0]?.subcode;
  expect(code({ versions: [9] })).toBe("unsupported-version");
  expect(code({ domain: "x" })).toBe("bad-domain");
  expect(code({ holdTime: 1 })).toBe("unacceptable-hold-time");
});

test("64 dials in a round trip kept a peer that dialled us out for sure", () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  let stayed = 0;
  for (let trial = 0; trial < 200; trial++) {
    const pending = new PendingConnections(timing.openTime, random);
    for (let count = 0; count < 64; count++) pending.enter(`before ${count}`, undefined, 0);
    pending.enter("peer", undefined, 1);
    for (let count = 0; count < 64; count++) pending.enter(`after ${count}`, undefined, 1);
    if (pending.leave("peer") !== undefined) stayed += 1;
    pending.expire(timing.openTime);
    expect(pending.expire(timing.openTime + 1).length).toBeLessThanOrEqual(64);
    expect(pending.deadline()).toBeUndefined();
  }
  // (63/64)^64 = 0.365
  expect(stayed).toBeGreaterThan(50);
});

test("an offer is as small as a frame before the proof, also where it comes as a value", () => {
  const many = { name: "x", list: Array.from({ length: 20_000 }, () => 1) };
  const deep = { name: "x", text: "x".repeat(20_000) };
  for (const capability of [many, deep]) {
    expect(answer(listening(), open("a", { capabilities: [capability] }))).toMatchObject([
      { code: "message-header-error", subcode: "bad-message" },
      "disconnect",
    ]);
  }
});
