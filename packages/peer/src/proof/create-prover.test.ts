import { describe, expect, test } from "bun:test";
import {
  acceptor,
  acceptorsProver,
  dialler,
  diallersProver,
  exchange,
  nextSecret,
  secret,
} from "../wire/golden.fixture.ts";
import type { Open } from "../wire/message.ts";
import { createProver, secretId } from "./create-prover.ts";
import { signWith } from "./identity.ts";
import type { Exchange, ProofValues } from "./prover.ts";

const id = secretId(secret);
const diallers = diallersProver.prove("dialler", exchange, id);
const acceptors = acceptorsProver.prove("acceptor", exchange, id, diallers);
const bytes = (fill: number) => new Uint8Array(32).fill(fill);
const base64url = (value: Uint8Array) => Buffer.from(value).toString("base64url");

test("both sides prove the secret, their keys and both offers", () => {
  expect(acceptorsProver.verify("dialler", exchange, diallers)).toBe(true);
  expect(diallersProver.verify("acceptor", exchange, acceptors, diallers)).toBe(true);
});

test("ids tell the secrets apart, and are none of them", () => {
  expect(diallersProver.secrets).toEqual([secretId(secret), secretId(nextSecret)]);
  expect(secretId(secret)).not.toBe(secretId(nextSecret));
  expect(diallersProver.secrets).not.toContain(base64url(secret));
});

describe("what is not this proof", () => {
  test("a reflected one: the dialler's own, given back to it", () => {
    expect(diallersProver.verify("acceptor", exchange, diallers, diallers)).toBe(false);
    expect(diallersProver.verify("dialler", exchange, diallers)).toBe(false); // our own key is not pinned with us
  });

  test("a reflected one where both nodes have one key and one secret", () => {
    const same = { ...exchange, acceptor: { ...exchange.acceptor, key: dialler.publicKey } };
    const prover = createProver({ secrets: [secret], sign: dialler.sign, keys: [dialler.publicKey] });
    const proof = prover.prove("dialler", same, id);
    expect(prover.verify("dialler", same, proof)).toBe(true);
    expect(prover.verify("acceptor", same, proof, proof)).toBe(false);
    expect(prover.verify("acceptor", same, proof)).toBe(false);
  });

  test("one of another exchange: either nonce is another", () => {
    for (const side of ["dialler", "acceptor"] as const) {
      const later = { ...exchange, [side]: { ...exchange[side], nonce: base64url(bytes(99)) } };
      expect(acceptorsProver.verify("dialler", later, diallers)).toBe(false);
      expect(diallersProver.verify("acceptor", later, acceptors, diallers)).toBe(false);
    }
  });

  test("the acceptor's, to another proof of the dialler's", () => {
    const other = { ...diallers, mac: base64url(bytes(1)) };
    expect(diallersProver.verify("acceptor", exchange, acceptors, other)).toBe(false);
    expect(diallersProver.verify("acceptor", exchange, acceptors)).toBe(false);
  });

  test("the mac by the right secret, and another's signature", () => {
    const stranger = createProver({ secrets: [secret], sign: signWith(bytes(9)).sign, keys: [acceptor.publicKey] });
    expect(acceptorsProver.verify("dialler", exchange, stranger.prove("dialler", exchange, id))).toBe(false);
  });

  test("the right signature, and another's mac", () => {
    expect(acceptorsProver.verify("dialler", exchange, { ...diallers, mac: base64url(bytes(1)) })).toBe(false);
    expect(acceptorsProver.verify("dialler", exchange, { ...diallers, mac: acceptors.mac })).toBe(false);
  });

  test("one by a key that is not pinned, though it proves itself", () => {
    const stranger = signWith(bytes(9));
    const claimed = { ...exchange, dialler: { ...exchange.dialler, key: stranger.publicKey } };
    const prover = createProver({ secrets: [secret], sign: stranger.sign, keys: [acceptor.publicKey] });
    const proof = prover.prove("dialler", claimed, id);
    expect(acceptorsProver.verify("dialler", claimed, proof)).toBe(false);
    const trusting = createProver({ secrets: [secret], sign: acceptor.sign, keys: [stranger.publicKey] });
    expect(trusting.verify("dialler", claimed, proof)).toBe(true);
  });

  test("one by a secret of the pair that the acceptor did not take, or the dialler did not offer", () => {
    const both = createProver({ secrets: [secret, nextSecret], sign: acceptor.sign, keys: [dialler.publicKey] });
    const other = diallersProver.prove("dialler", exchange, secretId(nextSecret));
    expect(both.verify("dialler", exchange, other)).toBe(false);
    const unoffered = { ...exchange, dialler: { ...exchange.dialler, secrets: [secretId(nextSecret)] } };
    expect(both.verify("dialler", unoffered, diallersProver.prove("dialler", unoffered, id))).toBe(false);
  });

  test("one over another channel: somebody stands between", () => {
    const over = (channelBinding: string) => ({
      dialler: createProver({ secrets: [secret], sign: dialler.sign, keys: [acceptor.publicKey], channelBinding }),
      acceptor: createProver({ secrets: [secret], sign: acceptor.sign, keys: [dialler.publicKey], channelBinding }),
    });
    const proof = over("x").dialler.prove("dialler", exchange, id);
    expect(over("x").acceptor.verify("dialler", exchange, proof)).toBe(true);
    expect(over("y").acceptor.verify("dialler", exchange, proof)).toBe(false);
    expect(over("").acceptor.verify("dialler", exchange, proof)).toBe(false);
  });

  const odd: readonly (readonly [string, unknown])[] = [
    ["nothing", ""],
    ["another length", base64url(bytes(1)).slice(0, 40)],
    ["padding", `${diallers.mac}=`],
    ["the alphabet of plain base64", diallers.mac.replaceAll("_", "/").replaceAll("-", "+")],
    ["a long text", "A".repeat(100_000)],
    ["no text", 7],
    ["null", null],
    ["not there", undefined],
    ["a list", [1, 2]],
  ];
  test.each(odd)("never throws: %s as secret, mac or signature", (_, value) => {
    for (const member of ["secret", "mac", "signature"] as const) {
      if (diallers[member] === value) continue;
      const proof = { ...diallers, [member]: value } as ProofValues;
      expect(acceptorsProver.verify("dialler", exchange, proof)).toBe(false);
    }
  });

  test("never throws: offers that no reader lets in", () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const extra of ["\ud800", Number.POSITIVE_INFINITY, circle, 1n]) {
      const dialler = { ...exchange.dialler, extra };
      expect(acceptorsProver.verify("dialler", { ...exchange, dialler }, diallers)).toBe(false);
    }
    for (const not of [undefined, null, {}, 7]) {
      expect(acceptorsProver.verify("dialler", { ...exchange, dialler: not as never }, diallers)).toBe(false);
      expect(acceptorsProver.verify("dialler", not as never, diallers)).toBe(false);
      expect(acceptorsProver.verify("dialler", exchange, not as never)).toBe(false);
    }
  });
});

describe("RFC 5492 with a proof: an offer that was changed on its way is no offer", () => {
  const changed = changes(exchange.dialler, "dialler").concat(changes(exchange.acceptor, "acceptor"));

  test("every member of both, those included that nobody knows", () => {
    const places = new Set(changed.map(({ what }) => what.split(" ")[1]));
    expect([...places]).toContain("capabilities.1.weights.0");
    expect(changed.length).toBeGreaterThan(80);
  });

  test.each(changed)("$what", ({ now }) => {
    expect(acceptorsProver.verify("dialler", now, diallers)).toBe(false);
    expect(diallersProver.verify("acceptor", now, acceptors, diallers)).toBe(false);
  });
});

describe("a pair has one secret or two, of 32 bytes and more", () => {
  const keys = [acceptor.publicKey];
  test("a shorter one is refused, and is not in what is said", () => {
    const short = Buffer.from("correct horse battery staple");
    const made = () => createProver({ secrets: [secret, short], sign: dialler.sign, keys });
    expect(made).toThrow("a pair's secret has 28 bytes; give it 32 random ones, or more");
  });

  test.each([[[]], [[secret, nextSecret, bytes(5)]]])("none, or three, are refused", (secrets) => {
    expect(() => createProver({ secrets, sign: dialler.sign, keys })).toThrow(
      "one secret, or two while they are rotated",
    );
  });

  test("a longer one is taken", () => {
    expect(createProver({ secrets: [new Uint8Array(64).fill(1)], sign: dialler.sign, keys }).secrets).toHaveLength(1);
  });

  test("what the caller does with its bytes later does not matter", () => {
    const own = Uint8Array.from(secret);
    const prover = createProver({ secrets: [own], sign: dialler.sign, keys });
    own.fill(0);
    expect(prover.prove("dialler", exchange, id)).toEqual(diallers);
  });

  test("asked for a secret that it has not, it says so and not which", () => {
    expect(() => acceptorsProver.prove("acceptor", exchange, "x", diallers)).toThrow("not of this pair");
  });
});

/** The exchange, with one thing changed, added or left out in one offer. */
function changes(offer: Open, side: keyof Exchange): { what: string; now: Exchange }[] {
  const found: { what: string; now: Exchange }[] = [];
  const add = (how: string, path: readonly string[], edit: (parent: any, key: string) => void) => {
    const copy = structuredClone(offer) as any;
    const key = path.at(-1) as string;
    edit(
      path.slice(0, -1).reduce((value, one) => value[one], copy),
      key,
    );
    found.push({ what: `${side}'s ${path.join(".")} ${how}`, now: { ...exchange, [side]: copy } });
  };
  const walk = (value: unknown, path: readonly string[]) => {
    if (path.length > 0) {
      add("left out", path, (parent, key) =>
        Array.isArray(parent) ? parent.splice(Number(key), 1) : delete parent[key],
      );
    }
    if (typeof value === "object" && value !== null) {
      add("with one more", [...path, Array.isArray(value) ? String(value.length) : "more"], (parent, key) => {
        parent[key] = "more";
      });
      for (const [key, one] of Object.entries(value)) walk(one, [...path, key]);
    } else {
      add("changed", path, (parent, key) => {
        parent[key] = typeof value === "number" ? value + 1 : typeof value === "boolean" ? !value : `${value}x`;
      });
    }
  };
  walk(offer, []);
  // 1e21 + 1 is 1e21.
  return found.filter(({ now }) => JSON.stringify(now) !== JSON.stringify(exchange));
}
