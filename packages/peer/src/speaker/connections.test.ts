// Connections as the transports tell of them: whose they are, how large a frame may be on them, what binds proofs to them, and
// that none is left behind.

import { describe, expect, test } from "bun:test";
import { secretId } from "../proof/create-prover.ts";
import { identity, pairSecret, Speakers, timing } from "./speakers.fixture.ts";

const types = (effects: readonly { readonly type: string }[]) => effects.map(({ type }) => type);

/** A speaker whose one peer it dials, or that dials it. */
function alone(address: string | undefined): { speakers: Speakers; dialled: string } {
  const speakers = new Speakers();
  speakers.start("a");
  let dialled = "";
  const tell = speakers.tell.bind(speakers);
  speakers.tell = (node, input) => {
    const effects = tell(node, input);
    for (const effect of effects) if (effect.type === "dial") dialled = effect.connection;
    return effects;
  };
  speakers.peer("a", "b", { address });
  return { speakers, dialled };
}

describe("a dial that is given up", () => {
  test("is ended, and one that comes through all the same is closed", () => {
    const { speakers, dialled } = alone("b");
    const stopped = speakers.tell("a", { type: "stop-peer", node: "b" });
    expect(stopped.filter(({ type }) => type === "disconnect")).toEqual([{ type: "disconnect", connection: dialled }]);
    expect(speakers.tell("a", { type: "connected", connection: dialled })).toEqual([
      { type: "disconnect", connection: dialled },
    ]);
    expect(speakers.tell("a", { type: "dial-failed", connection: dialled, text: "late" })).toEqual([]);
  });

  test("does not stand for the one that came after it", () => {
    const { speakers, dialled } = alone("b");
    speakers.tell("a", { type: "stop-peer", node: "b" });
    const [dial] = speakers.tell("a", { type: "start-peer", node: "b" });
    expect(dial).toMatchObject({ type: "dial" });
    expect(speakers.tell("a", { type: "dial-failed", connection: dialled, text: "late" })).toEqual([]);
    expect(types(speakers.tell("a", { type: "connected", connection: dialled }))).toEqual(["disconnect"]);
    const { connection } = dial as { connection: string };
    expect(types(speakers.tell("a", { type: "connected", connection }))).toEqual(["send"]);
  });
});

test("a dial goes on while other connections with the peer come and go", () => {
  const { speakers, dialled } = alone("b");
  speakers.start("b");
  const { publicKey } = identity("b");
  const open = { type: "open", seq: 0, versions: [1], node: "b", name: "b", domain: "b", key: publicKey, epoch: 1 };
  const more = { holdTime: 90, nonce: publicKey, secrets: [secretId(pairSecret("a", "b"))], capabilities: [] };
  speakers.tell("a", { type: "accepted", connection: "c" });
  const [answer] = speakers.tell("a", { type: "received", connection: "c", value: { ...open, ...more } });
  expect(answer).toMatchObject({ type: "send", message: { type: "open" } });
  speakers.tell("a", { type: "lost", connection: "c", text: "reset" });
  expect(types(speakers.tell("a", { type: "connected", connection: dialled }))).toEqual(["send"]);
});

test("so that it can still be given up", () => {
  const { speakers, dialled } = alone("b");
  const { publicKey } = identity("b");
  const open = { type: "open", seq: 0, versions: [1], node: "b", name: "b", domain: "b", key: publicKey, epoch: 1 };
  const more = { holdTime: 90, nonce: publicKey, secrets: [publicKey], capabilities: [] };
  speakers.tell("a", { type: "accepted", connection: "c" });
  speakers.tell("a", { type: "received", connection: "c", value: { ...open, ...more } });
  const ended = speakers.tell("a", { type: "stop-peer", node: "b" });
  expect(ended.filter(({ type }) => type === "disconnect")).toEqual([{ type: "disconnect", connection: dialled }]);
});

test("who waited to say whose it is and is lost, is forgotten", () => {
  const { speakers } = alone(undefined);
  speakers.tell("a", { type: "accepted", connection: "c" });
  expect(speakers.speaker("a").deadline()).toBe(speakers.now + timing.openTime);
  expect(speakers.tell("a", { type: "lost", connection: "c", text: "reset" })).toEqual([]);
  expect(speakers.speaker("a").deadline()).toBeUndefined();
});

test("of those who wait, each has its own time", () => {
  const { speakers } = alone(undefined);
  speakers.tell("a", { type: "accepted", connection: "early" });
  speakers.pass(1_000);
  speakers.tell("a", { type: "accepted", connection: "late" });
  const ended = () => speakers.events.flatMap(({ event }) => (event.kind === "refused" ? [event.connection] : []));
  speakers.pass(timing.openTime - 1_000);
  expect(ended()).toEqual(["early"]);
  speakers.pass(1_000);
  expect(ended()).toEqual(["early", "late"]);
});

test("frames are small until both sides are proved, and large after it", () => {
  const long = JSON.stringify({ type: "keepalive", seq: 2 }).padEnd(20_000);
  const { speakers } = alone(undefined);
  speakers.tell("a", { type: "accepted", connection: "c" });
  const unread = { kind: "refused", text: "the frame has more than 16384 bytes" };
  speakers.tell("a", { type: "received-text", connection: "c", text: long });
  expect(speakers.events.at(-1)?.event).toMatchObject(unread);

  for (const [node, other] of ["ab", "ba"] as const) {
    const pair = new Speakers();
    for (const one of ["a", "b"]) pair.start(one);
    pair.join("a", "b");
    const session = pair.speaker(node as string).session(other as string);
    const { connection, received } = session as { connection: string; received: number };
    const text = JSON.stringify({ type: "keepalive", seq: received }).padEnd(20_000);
    expect(pair.tell(node as string, { type: "received-text", connection, text })).toEqual([]);
    expect(pair.speaker(node as string).session(other as string)?.received).toBe(received + 1);
  }

  // One that is identified, and has proved nothing.
  const claims = new Speakers();
  for (const one of ["a", "b"]) claims.start(one);
  claims.peer("b", "a");
  claims.peer("a", "b");
  claims.run();
  const open = JSON.parse(claims.sent.find(({ from, type }) => from === "a" && type === "open")?.text as string);
  claims.tell("b", { type: "accepted", connection: "d" });
  claims.tell("b", { type: "received", connection: "d", value: open });
  claims.tell("b", { type: "received-text", connection: "d", text: long });
  expect(claims.events.at(-1)?.event).toMatchObject({ kind: "session", reason: { text: unread.text } });
});

describe("a channel's binding is proved on both sides", () => {
  function bound(a: string | undefined, b: string | undefined): Speakers {
    const speakers = new Speakers();
    const tell = speakers.tell.bind(speakers);
    speakers.tell = (node, input) => {
      const binding = node === "a" ? a : b;
      const names = binding !== undefined && (input.type === "connected" || input.type === "accepted");
      return tell(node, names ? { ...input, binding } : input);
    };
    for (const one of ["a", "b"]) speakers.start(one);
    speakers.join("a", "b");
    return speakers;
  }

  const established = (speakers: Speakers) => speakers.established("a", "b") && speakers.established("b", "a");

  test.each<[string | undefined, string | undefined, boolean]>([
    ["x", "x", true],
    ["x", "y", false],
    ["x", undefined, false],
    [undefined, "x", false],
    [undefined, undefined, true],
  ])("%p and %p: %p", (a, b, expected) => {
    expect(established(bound(a, b))).toBe(expected);
  });

  test("with the secrets that there are now, also where the binding is the same again", () => {
    const speakers = bound("x", "x");
    const secrets = [Buffer.alloc(32, "next")];
    speakers.tell("b", { type: "stop-peer", node: "a" });
    speakers.join("a", "b", { secrets });
    speakers.tell("b", { type: "start-peer", node: "a" });
    speakers.pass(60_000);
    expect(established(speakers)).toBe(true);
    speakers.crash("b");
    speakers.start("b");
    speakers.peer("b", "a"); // with the old one
    speakers.pass(60_000);
    expect(established(speakers)).toBe(false);
  });
});
