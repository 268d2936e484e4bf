// How secrets and keys are rotated without a gap: the procedure, as it stands in docs/peering-wire.md. At every moment, with
// every order in which the two nodes get there, either of them can dial the other.

import { describe, expect, test } from "bun:test";
import { exchange } from "../wire/golden.fixture.ts";
import { createProver, secretId } from "./create-prover.ts";
import { type Identity, signWith } from "./identity.ts";

const old = new Uint8Array(32).fill(1);
const next = new Uint8Array(32).fill(2);

interface Side {
  readonly identity: Identity;
  readonly secrets: readonly Uint8Array[];
  /** Those that it has pinned for the other side. */
  readonly keys: readonly string[];
}

/** As sessions do it (session/negotiate.ts): the acceptor takes the first of its own that the dialler has too. */
function meets(dialling: Side, accepting: Side): boolean {
  const dialler = createProver({ ...dialling, sign: dialling.identity.sign });
  const acceptor = createProver({ ...accepting, sign: accepting.identity.sign });
  const taken = acceptor.secrets.find((one) => dialler.secrets.includes(one));
  if (taken === undefined) return false;
  const offers = {
    dialler: { ...exchange.dialler, key: dialling.identity.publicKey, secrets: [...dialler.secrets] },
    acceptor: { ...exchange.acceptor, key: accepting.identity.publicKey, secrets: [taken] },
  };
  const first = dialler.prove("dialler", offers, taken);
  const second = acceptor.prove("acceptor", offers, taken, first);
  return acceptor.verify("dialler", offers, first) && dialler.verify("acceptor", offers, second, first);
}

/** Every order of two lists of steps, each in its own order, as the states that are passed through. */
function* orders(a: readonly string[], b: readonly string[]): Generator<readonly (readonly ["a" | "b", string])[]> {
  if (a.length === 0 || b.length === 0) {
    yield [...a.map((step) => ["a", step] as const), ...b.map((step) => ["b", step] as const)];
    return;
  }
  for (const rest of orders(a.slice(1), b)) yield [["a", a[0] as string], ...rest];
  for (const rest of orders(a, b.slice(1))) yield [["b", b[0] as string], ...rest];
}

describe("secrets: both add the next one behind the old; then both prefer it; then both drop the old", () => {
  const SECRETS: Readonly<Record<string, readonly Uint8Array[]>> = {
    old: [old],
    add: [old, next],
    prefer: [next, old],
    drop: [next],
  };
  const a = signWith(new Uint8Array(32).fill(8));
  const b = signWith(new Uint8Array(32).fill(9));
  const meet = (ofA: string, ofB: string) => {
    const sideA = { identity: a, secrets: SECRETS[ofA] as Uint8Array[], keys: [b.publicKey] };
    const sideB = { identity: b, secrets: SECRETS[ofB] as Uint8Array[], keys: [a.publicKey] };
    return meets(sideA, sideB) && meets(sideB, sideA);
  };

  test("in every order there is no moment without a session", () => {
    let moments = 0;
    for (const order of orders(["add"], ["add"])) moments += walk(order, { a: "old", b: "old" });
    // Both have both: from here on each goes on at its own pace.
    for (const order of orders(["prefer", "drop"], ["prefer", "drop"])) moments += walk(order, { a: "add", b: "add" });
    expect(moments).toBe(2 * 2 + 6 * 4);
  });

  test("whoever leaves the preferring out is fine as well", () => {
    for (const order of orders(["drop"], ["drop"])) walk(order, { a: "add", b: "add" });
  });

  test("why both have to add before one drops: else there is a gap", () => {
    expect(meet("drop", "old")).toBe(false);
  });

  test("once both have dropped it, the old one opens nothing", () => {
    expect(meet("old", "drop")).toBe(false);
    expect(meet("drop", "drop")).toBe(true);
    expect(secretId(old)).not.toBe(secretId(next));
  });

  function walk(order: readonly (readonly ["a" | "b", string])[], from: { a: string; b: string }): number {
    const state = { ...from };
    for (const [side, step] of order) {
      state[side] = step;
      expect(`${meet(state.a, state.b)} with a: ${state.a}, b: ${state.b}`).toStartWith("true");
    }
    return order.length;
  }
});

describe("an identity's key: the peer pins the next beside the old; the node changes; the peer drops the old", () => {
  const before = signWith(new Uint8Array(32).fill(5));
  const after = signWith(new Uint8Array(32).fill(6));
  const peer = signWith(new Uint8Array(32).fill(7));
  const meet = (identity: Identity, pinned: readonly Identity[]) => {
    const node = { identity, secrets: [old], keys: [peer.publicKey] };
    const other = { identity: peer, secrets: [old], keys: pinned.map(({ publicKey }) => publicKey) };
    return meets(node, other) && meets(other, node);
  };

  test("step by step there is no moment without a session", () => {
    expect(meet(before, [before])).toBe(true);
    expect(meet(before, [before, after])).toBe(true);
    expect(meet(after, [before, after])).toBe(true);
    expect(meet(after, [after])).toBe(true);
  });

  test("why the peer pins first and drops last: else there is a gap", () => {
    expect(meet(after, [before])).toBe(false);
    expect(meet(before, [after])).toBe(false);
  });
});
