import { describe, expect, test } from "bun:test";
import { config, context, handshake } from "./session.fixture.ts";
import { newSession, type Session, TIMERS } from "./session.ts";
import { step } from "./step.ts";
import { deadline, dueTimer } from "./timers.ts";

const low = context("low");
const { diallerEstablished } = handshake();

describe("deadlines", () => {
  const of = (timers: Session["timers"]): Session => ({ ...newSession("dialler"), timers });

  test("the earliest counts, and is due when it is there", () => {
    const session = of({ hold: 90, keepalive: 30 });
    expect(deadline(session)).toBe(30);
    expect(dueTimer(session, 29)).toBeUndefined();
    expect(dueTimer(session, 30)).toEqual({ type: "keepalive-timer-expires" });
    expect(dueTimer(session, 1000)).toEqual({ type: "keepalive-timer-expires" });
  });

  test("of two at once the hold timer is first: who is silent is not answered", () => {
    expect(dueTimer(of({ keepalive: 30, hold: 30 }), 30)).toEqual({ type: "hold-timer-expires" });
  });

  test("none runs", () => {
    expect(deadline(of({}))).toBeUndefined();
    expect(dueTimer(of({}), 1e12)).toBeUndefined();
  });
});

test.each([...TIMERS])("a %s timer that is not due, or does not run, is ignored in every state", (timer) => {
  const { connect, openSent, waiting, diallerConfirms, acceptorConfirms } = handshake();
  for (const session of [
    newSession("dialler"),
    connect,
    waiting,
    openSent,
    diallerConfirms,
    acceptorConfirms,
    diallerEstablished,
  ]) {
    const at = session.timers[timer];
    const taken = step(session, { type: `${timer}-timer-expires` }, { ...low, now: at === undefined ? 1e12 : at - 1 });
    expect(taken).toMatchObject({ session, effects: [], reason: { kind: "ignored" } });
  }
});

describe("RFC 4271 §10: jitter", () => {
  test("keepalives come every third of the hold time (§4.4), between three quarters and all of it", () => {
    for (const [random, expected] of [
      [0, 22_500],
      [0.5, 26_250],
      [0.999_999, 30_000],
    ] as const) {
      const { session } = step(
        diallerEstablished,
        { type: "send", message: { type: "end-of-table" } },
        { ...low, random: () => random },
      );
      expect((session.timers.keepalive as number) - low.now).toBeCloseTo(expected, -1);
    }
  });

  test("so does the ConnectRetryTimer", () => {
    const { session } = step(newSession("dialler"), { type: "manual-start" }, { ...low, random: () => 0.5 });
    expect((session.timers["connect-retry"] as number) - low.now).toBe(8_750);
  });

  test("the HoldTimer has none: it is agreed on", () => {
    expect((diallerEstablished.timers.hold as number) - low.now).toBe(90_000);
  });
});

describe("RFC 4271 §8.1.1, DampPeerOscillations", () => {
  /** Established for so long, then broken; the wait before the next dial, and the count of failures. */
  function breaks(session: Session, heldFor: number): [number, number] {
    const now = low.now + heldFor;
    const { session: after } = step(session, { type: "connection-fails", text: "reset" }, { ...low, now });
    return [(after.timers["idle-hold"] as number) - now, after.attempts];
  }

  test("a peer whose hold time is three seconds was let off after three, and could flap twenty times a minute", () => {
    const short = { config: config("upper", { holdTime: 3_000 }) };
    const { diallerEstablished: session } = handshake(low, context("upper", short));
    expect(session.agreed?.holdTime).toBe(3_000);
    expect(breaks({ ...session, attempts: 3 }, 3_000)[1]).toBe(4);
    expect(breaks({ ...session, attempts: 3 }, low.config.backoff.last)[1]).toBe(1);
  });

  test("each failure doubles the wait, up to the longest", () => {
    let session = newSession("dialler");
    const waits: number[] = [];
    for (let count = 0; count < 9; count++) {
      const dialled = step(
        session,
        { type: count === 0 ? "manual-start" : "idle-hold-timer-expires" },
        { ...low, now: 1e9 },
      );
      const failed = step(dialled.session, { type: "connection-fails", text: "refused" }, { ...low, now: 0 });
      session = failed.session;
      waits.push(session.timers["idle-hold"] as number);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000, 64_000]);
    expect(session.attempts).toBe(9);
  });

  test("a session that breaks before it has held for a hold time is one more", () => {
    expect(breaks({ ...diallerEstablished, attempts: 4 }, 600)).toEqual([16_000, 5]);
    expect(breaks({ ...diallerEstablished, attempts: 4 }, 89_999)).toEqual([16_000, 5]);
  });

  test("one that held starts the count again", () => {
    expect(breaks({ ...diallerEstablished, attempts: 4 }, 90_000)).toEqual([1000, 1]);
  });

  test("where nothing expires, the longest wait counts instead of the hold time", () => {
    const never = { holdTime: 0, minHoldTime: 0 };
    const pair = handshake(
      context("low", { config: config("low", never) }),
      context("upper", { config: config("upper", never) }),
    );
    expect(breaks({ ...pair.diallerEstablished, attempts: 4 }, 63_999)).toEqual([16_000, 5]);
    expect(breaks({ ...pair.diallerEstablished, attempts: 4 }, 64_000)).toEqual([1000, 1]);
  });

  test("a start by hand does not wait, and starts the count again", () => {
    const resting: Session = { ...newSession("dialler"), attempts: 9, timers: { "idle-hold": low.now + 64_000 } };
    expect(step(resting, { type: "manual-start" }, low).session).toMatchObject({ state: "connect", attempts: 0 });
  });

  test("a peer that flaps a hundred times a minute is not dialled a hundred times a minute", () => {
    let now = 0;
    let dials = 0;
    const at = () => ({ ...low, now });
    let session = step(newSession("dialler"), { type: "manual-start" }, at()).session;
    while (now < 60_000) {
      dials++;
      session = step(
        { ...diallerEstablished, attempts: session.attempts, establishedAt: now },
        { type: "connection-fails", text: "flap" },
        at(),
      ).session;
      now = session.timers["idle-hold"] as number;
      session = step(session, { type: "idle-hold-timer-expires" }, at()).session;
    }
    expect(dials).toBe(6);
  });
});
