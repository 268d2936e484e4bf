import { describe, expect, test } from "bun:test";
import { type Complaint, notificationCodes } from "../wire/notification-codes.ts";
import type { SessionContext } from "./context.ts";
import type { SessionInput } from "./input.ts";
import { config, context, handshake, REFRESH } from "./session.fixture.ts";
import type { Session } from "./session.ts";
import { step } from "./step.ts";

const low = context("low");
const session = handshake().diallerEstablished;
const complaints = Object.entries(notificationCodes).flatMap(([code, subcodes]) =>
  Object.keys(subcodes).map((subcode) => ({ code, subcode }) as Complaint),
);
/** RFC 4486's codes by which somebody wants the routes gone; RFC 8538 §3 would send a Hard Reset for them. */
const HARD = [
  "administrative-shutdown",
  "peer-removed",
  "too-many-routes",
  "configuration-change",
  "out-of-resources",
  ...Object.keys(notificationCodes["open-error"]),
];

function kept(input: SessionInput, of: Session = session, at: SessionContext = low): boolean | undefined {
  const down = step(of, input, at).effects.find(({ type }) => type === "down");
  return down?.type === "down" ? down.graceful : undefined;
}

describe("RFC 8538: notifications end a session gracefully, but for the hard ones", () => {
  test.each(complaints.map((complaint) => [`${complaint.code}/${complaint.subcode}`, complaint] as const))(
    "%s, said by either side",
    (_name, complaint) => {
      const expected = !HARD.includes(complaint.subcode);
      const notification = { type: "notification", seq: 2, reason: "", ...complaint } as const;
      expect(kept({ type: "notification", message: notification })).toBe(expected);
      expect(kept({ type: "manual-stop", complaint, text: "" })).toBe(expected);
      expect(kept({ type: "malformed-message", complaint, text: "" })).toBe(expected);
    },
  );

  test("a code of a later version is not a hard one", () => {
    const message = { type: "notification", seq: 2, code: "later", subcode: "unknown", reason: "" } as const;
    expect(kept({ type: "notification", message })).toBe(true);
  });
});

describe("RFC 4724 §4.2", () => {
  const close = (restart: boolean): SessionInput => ({
    type: "close",
    message: { type: "close", seq: 2, restart, reason: "" },
  });

  test("routes are kept when the connection fails, and when nothing is heard any more", () => {
    expect(kept({ type: "connection-fails", text: "reset" })).toBe(true);
    expect(kept({ type: "hold-timer-expires" }, session, { ...low, now: low.now + 90_000 })).toBe(true);
  });

  test("a peer that goes and comes back says so, and so do we", () => {
    expect(kept(close(true))).toBe(true);
    expect(kept(close(false))).toBe(false);
    expect(kept({ type: "going-down" })).toBe(true);
  });

  test("without the capability on both sides nothing is kept", () => {
    const bare = context("low", { config: config("low", { capabilities: [REFRESH] }) });
    for (const one of [
      handshake(bare),
      handshake(low, context("upper", { config: config("upper", { capabilities: [] }) })),
    ]) {
      expect(kept({ type: "connection-fails", text: "reset" }, one.diallerEstablished)).toBe(false);
      expect(kept({ type: "connection-fails", text: "reset" }, one.acceptorEstablished)).toBe(false);
      expect(kept(close(true), one.diallerEstablished)).toBe(false);
    }
  });
});

test("RFC 9003: an operator's words are for the peer, and not for whoever claims to be it", () => {
  const { waiting, openSent, acceptorConfirms, diallerEstablished } = handshake();
  const stop: SessionInput = {
    type: "manual-stop",
    complaint: { code: "cease", subcode: "administrative-shutdown" },
    text: "moving to Osaka\n\u001b[2J",
  };
  const words = (of: Session) =>
    step(of, stop, low).effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
  for (const one of [waiting, openSent, acceptorConfirms]) {
    expect(words(one)).toMatchObject([{ type: "notification", reason: "an operator stopped it" }]);
  }
  expect(words(diallerEstablished)).toMatchObject([{ reason: "moving to Osaka??[2J" }]);
});
