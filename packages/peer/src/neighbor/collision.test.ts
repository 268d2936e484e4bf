import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { handshake, type Name } from "../session/session.fixture.ts";
import type { Session } from "../session/session.ts";
import { newcomerStays } from "./collision.ts";
import { TwoNeighbors } from "./two-neighbors.fixture.ts";

const picks = fc.array(fc.nat(1000), { minLength: 1, maxLength: 120 });

/** The choices in turn, again from the beginning once they are used up. */
function choices(values: readonly number[]): () => number {
  let at = 0;
  return () => values[at++ % values.length] as number;
}

function expectOne(pair: TwoNeighbors): void {
  const current = pair.established("low");
  expect(current).toBeDefined();
  expect(pair.established("upper")).toBe(current as string);
  expect(pair.open).toEqual([current as string]);
}

describe("RFC 4271 §6.8: which of two proved connections stays", () => {
  const { diallerEstablished, acceptorEstablished } = handshake();
  const epoch = (session: Session, epoch: number) => ({ ...session, agreed: { ...session.agreed, epoch } }) as Session;

  test.each<[string, Session, Session, Name, boolean]>([
    ["dialled by the lower id, the higher's is there", diallerEstablished, acceptedBy("low"), "low", false],
    ["dialled by the higher id, the lower's is there", acceptedBy("low"), diallerEstablished, "low", true],
    ["seen from the higher id: its own dial comes later", dialledBy("upper"), acceptorEstablished, "upper", true],
    ["seen from the higher id: the lower's dial comes later", acceptorEstablished, dialledBy("upper"), "upper", false],
    ["dialled by the peer again: it has lost the one before", acceptorEstablished, acceptorEstablished, "upper", true],
  ])("%s", (_what, newcomer, incumbent, local, expected) => {
    expect(newcomerStays(newcomer, incumbent, `n-${local}`)).toBe(expected);
  });

  test("RFC 4724 §4.2: a peer that has started again knows nothing of the older connection, whoever dialled it", () => {
    expect(newcomerStays(epoch(acceptorEstablished, 2), dialledBy("upper"), "n-upper")).toBe(true);
    expect(newcomerStays(epoch(dialledBy("upper"), 1), epoch(acceptorEstablished, 2), "n-upper")).toBe(false);
  });

  function dialledBy(name: Name): Session {
    return name === "low" ? diallerEstablished : { ...acceptorEstablished, role: "dialler" };
  }

  function acceptedBy(name: Name): Session {
    return name === "upper" ? acceptorEstablished : { ...diallerEstablished, role: "acceptor" };
  }
});

describe("RFC 4271 §6.8: two nodes that dial each other", () => {
  test("however both dials cross, exactly one connection is established in the end, the same on both sides", () => {
    fc.assert(
      fc.property(picks, fc.constantFrom<Name[]>(["low", "upper"], ["upper", "low"]), (values, order) => {
        const pick = choices(values);
        const pair = new TwoNeighbors();
        const starts = order.map((name) => () => pair.input(name, { type: "start" }));
        for (;;) {
          const events = [...starts.slice(0, 1), ...pair.events()];
          if (events.length === 0) break;
          const event = events[pick() % events.length] as () => void;
          if (event === starts[0]) starts.shift();
          event();
        }
        expectOne(pair);
        // Ours that made room for the peer's is no failure; that the peer ended one, could be anything.
        for (const name of ["low", "upper"] as const) {
          const ended = pair.effects.filter(
            (one) => one.name === name && one.effect.type === "down" && one.effect.reason.kind === "was-notified",
          );
          expect(pair.neighbors[name].flapping.flaps).toBe(ended.length);
        }
      }),
      { numRuns: 1000, seed: 5 },
    );
  });

  test("also after connections broke and nodes started again unnoticed", () => {
    const fault = fc.record({
      kind: fc.constantFrom("cut", "restart"),
      who: fc.constantFrom<Name>("low", "upper"),
      after: fc.nat(12),
    });
    fc.assert(
      fc.property(picks, fc.array(fault, { maxLength: 6 }), fc.nat(1000), (values, faults, seed) => {
        const pick = choices(values);
        const pair = new TwoNeighbors(() => ((seed++ * 7919) % 1000) / 1000);
        pair.input("low", { type: "start" });
        pair.input("upper", { type: "start" });
        for (const { kind, who, after } of faults) {
          for (let count = 0; count < after; count++) {
            const events = pair.events();
            if (events.length > 0) (events[pick() % events.length] as () => void)();
            else pair.wait(Number.POSITIVE_INFINITY, pick);
          }
          if (kind === "cut") pair.cut(pair.open[pick() % Math.max(pair.open.length, 1)] ?? "");
          else {
            pair.restart(who);
            pair.input(who, { type: "start" });
          }
        }
        pair.quiet(pick);
        // A hold time for those who have not noticed, and the longest backoff.
        const until = pair.now + 90_000 + 64_000 + 64_000;
        while (pair.wait(until, pick));
        expectOne(pair);
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});
