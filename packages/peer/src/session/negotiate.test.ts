import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Open } from "../wire/message.ts";
import { negotiate } from "./negotiate.ts";
import { type Offer, offer } from "./offer.ts";
import { bytes, config, context, fakeProver, GRACEFUL, handshake, KEYS, REFRESH } from "./session.fixture.ts";
import type { SessionConfig } from "./session.ts";

const low = context("low");
const ours = offer(low, low.prover.secrets);
const theirs = handshake().messages[1];

function outcome(changes: object, also: Partial<SessionConfig> = {}, mine: Offer = ours) {
  const config_ = config("low", also);
  return negotiate("dialler", mine, { ...theirs, ...changes } as Open, { ...low, config: config_ });
}

function complaint(changes: object, also?: Partial<SessionConfig>): string | undefined {
  const found = outcome(changes, also);
  return found.ok ? undefined : `${found.complaint.code}/${found.complaint.subcode}`;
}

describe("RFC 4271 §6.2, OPEN Message Error Handling", () => {
  const peer = config("low").peer;
  test.each<[string, object, Partial<SessionConfig>, string | undefined]>([
    ["acceptable", {}, {}, undefined],
    ["another version", { versions: [2] }, {}, "open-error/unsupported-version"],
    ["no version that exists", { versions: [0] }, {}, "open-error/unsupported-version"],
    ["also versions that we do not speak", { versions: [9, 1, 4] }, {}, undefined],
    [
      "Bad Peer AS: not the domain that is configured",
      {},
      { peer: { ...peer, domain: "d-x" } },
      "open-error/bad-domain",
    ],
    ["the domain that is configured", {}, { peer: { ...peer, domain: "d-upper" } }, undefined],
    [
      "an internal peer is configured with our domain",
      { domain: "d-low" },
      { peer: { ...peer, domain: "d-low" } },
      undefined,
    ],
    ["our own domain, and nobody configured that", { domain: "d-low" }, {}, "open-error/bad-domain"],
    ["Bad BGP Identifier: our own id", { node: "n-low" }, {}, "open-error/bad-identifier"],
    [
      "our own id, even where it is configured as the peer's",
      { node: "n-low" },
      { peer: { ...peer, node: "n-low" } },
      "open-error/bad-identifier",
    ],
    ["our own open, sent back", ours, {}, "open-error/bad-identifier"],
    ["not the id that is configured", { node: "n-third" }, {}, "open-error/bad-identifier"],
    ["its id is compared by characters", { node: "N-upper" }, {}, "open-error/bad-identifier"],
    ["the incarnation that it has proved before", { epoch: 7 }, { peer: { ...peer, epoch: 7 } }, undefined],
    ["a later one", { epoch: 8 }, { peer: { ...peer, epoch: 7 } }, undefined],
    ["an earlier one: it is not proved yet", { epoch: 6 }, { peer: { ...peer, epoch: 7 } }, undefined],
    [
      "RFC 5492 §5: a required capability is missing",
      { capabilities: [] },
      { required: ["route-refresh"] },
      "open-error/unsupported-capability",
    ],
    ["a required capability is there", {}, { required: ["route-refresh"] }, undefined],
    ["§4.2: a hold time of one second", { holdTime: 1 }, { minHoldTime: 0 }, "open-error/unacceptable-hold-time"],
    ["§4.2: a hold time of two seconds", { holdTime: 2 }, { minHoldTime: 0 }, "open-error/unacceptable-hold-time"],
    ["a hold time of three seconds", { holdTime: 3 }, {}, undefined],
    ["below what is accepted", { holdTime: 8 }, { minHoldTime: 9_000 }, "open-error/unacceptable-hold-time"],
    ["never, where there is a least", { holdTime: 0 }, {}, "open-error/unacceptable-hold-time"],
    ["never, where there is none", { holdTime: 0 }, { minHoldTime: 0 }, undefined],
    [
      "an id used twice: the other node has another key",
      { key: bytes("twin") },
      {},
      "open-error/authentication-failure",
    ],
    [
      "the next key, while keys are rotated",
      { key: KEYS.upper },
      { peer: { ...peer, keys: [bytes("old"), KEYS.upper] } },
      undefined,
    ],
    ["a peer without a pinned key", {}, { peer: { ...peer, keys: [] } }, "open-error/authentication-failure"],
    ["a secret that we do not have", { secrets: [bytes("other")] }, {}, "open-error/authentication-failure"],
    [
      "an acceptor that does not choose",
      { secrets: [bytes("secret"), bytes("other")] },
      {},
      "open-error/authentication-failure",
    ],
  ])("%s", (_what, changes, also, expected) => {
    expect(complaint(changes, also)).toBe(expected as string);
  });
});

test("of the versions that both speak the highest", () => {
  const found = outcome({ versions: [1, 3, 2, 9] }, {}, { ...ours, versions: [3, 2, 1] });
  expect(found).toMatchObject({ ok: true, agreed: { version: 3 } });
});

describe("RFC 4271 §4.2: the hold time", () => {
  test.each<[number, number, number]>([
    [90, 180, 90_000],
    [90, 30, 30_000],
    [0, 30, 0],
    [30, 0, 0],
  ])("ours %d s, theirs %d s", (mine, other, agreed) => {
    const found = outcome({ holdTime: other }, { minHoldTime: 0 }, { ...ours, holdTime: mine });
    expect(found).toMatchObject({ ok: true, agreed: { holdTime: agreed } });
  });

  test.each<[number, number]>([
    [0, 0],
    [1, 3],
    [2_999, 3],
    [90_000, 90],
    [90_001, 91],
  ])("%d ms are offered as %d s: never less than three, RFC 4271 §4.2", (configured, offered) => {
    expect(offer({ ...low, config: config("low", { holdTime: configured }) }, []).holdTime).toBe(offered);
  });
});

describe("secrets", () => {
  const [old, next] = [bytes("old"), bytes("next")];

  test("the acceptor takes the one that it prefers of those that the dialler has", () => {
    const accepts = (mine: string[], dialled: string[]) => {
      const prover = fakeProver(mine);
      const found = negotiate("acceptor", ours, { ...theirs, secrets: dialled } as Open, { ...low, prover });
      return found.ok ? found.secret : undefined;
    };
    expect(accepts([next, old], [old])).toBe(old);
    expect(accepts([next, old], [old, next])).toBe(next);
    expect(accepts([old, next], [next, old])).toBe(old);
    expect(accepts([old], [next])).toBeUndefined();
  });

  test("the dialler goes by what the acceptor took, also while it prefers another", () => {
    const prover = fakeProver([old, next]);
    const found = negotiate("dialler", ours, { ...theirs, secrets: [next] } as Open, { ...low, prover });
    expect(found).toMatchObject({ ok: true, secret: next });
  });
});

describe("RFC 5492: capabilities", () => {
  test("what both have is agreed on, as ours; what only one has is not", () => {
    const unknown = { name: "something-new", with: { anything: [1, null, "x"] } };
    const found = outcome({ capabilities: [unknown, { ...REFRESH, more: 1 }] });
    expect(found).toMatchObject({ ok: true, agreed: { capabilities: [REFRESH], restartTime: undefined } });
  });

  test("whatever is in them, it is no reason to throw", () => {
    const odd = fc.record({
      name: fc.constantFrom("graceful-restart", "route-refresh", "other"),
      more: fc.jsonValue(),
    });
    const content = fc.record({ restartTime: fc.jsonValue(), restarting: fc.jsonValue() });
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 4 }), content, (capabilities, more) => {
        const found = outcome({ capabilities: capabilities.map((one) => ({ ...more, ...one })), more });
        expect(found.ok).toBe(true);
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  test("one that is there twice counts as its first", () => {
    const second = { ...GRACEFUL, restartTime: 999 };
    expect(outcome({ capabilities: [GRACEFUL, second] })).toMatchObject({ agreed: { restartTime: 120_000 } });
  });
});

describe("RFC 4724 §3: the graceful restart capability", () => {
  const restart = (changes: object, mine: Offer = ours) => {
    const found = outcome({ capabilities: [{ ...GRACEFUL, ...changes }] }, {}, mine);
    return found.ok ? [found.agreed.restartTime, found.agreed.restarting] : found;
  };

  test.each<[string, object, unknown]>([
    ["the peer's own time, in seconds", { restartTime: 30 }, [30_000, false]],
    ["restarting", { restarting: true }, [120_000, true]],
    ["no time at all is still one", { restartTime: 0 }, [0, false]],
    ["twelve bits at most", { restartTime: 4096 }, [undefined, false]],
    ["less than nothing", { restartTime: -1, restarting: true }, [undefined, false]],
    ["half seconds", { restartTime: 1.5 }, [undefined, false]],
    ["a time that is no number", { restartTime: "120" }, [undefined, false]],
    ["no time", { restartTime: undefined }, [undefined, false]],
    ["a flag that is none", { restarting: "yes" }, [undefined, false]],
    ["no flag", { restarting: undefined }, [120_000, false]],
  ])("%s", (_what, changes, expected) => {
    expect(restart(changes)).toEqual(expected as never);
  });

  test("where we cannot, it does not matter that the peer can", () => {
    expect(restart({}, { ...ours, capabilities: [REFRESH] })).toEqual([undefined, false]);
  });
});
