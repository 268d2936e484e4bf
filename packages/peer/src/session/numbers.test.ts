import { describe, expect, test } from "bun:test";
import type { SessionInput } from "./input.ts";
import { context, handshake } from "./session.fixture.ts";
import { step } from "./step.ts";

const low = context("low");
const { diallerEstablished } = handshake();

describe("numbers (RFC 4271 §6.1: Connection Not Synchronized)", () => {
  test.each([
    ["a gap: something was lost", 3],
    ["doubled", 1],
    ["from the beginning, as of another connection", 0],
    ["no number at all", Number.NaN],
  ])("%s", (_what, seq) => {
    const taken = step(diallerEstablished, { type: "keepalive", message: { type: "keepalive", seq } }, low);
    expect(taken.reason).toMatchObject({
      kind: "complained",
      code: "message-header-error",
      subcode: "not-synchronized",
    });
    expect(taken.session.state).toBe("idle");
  });

  test("reordered: the later one already ends it, so that nothing is told in the wrong order", () => {
    const update = (seq: number): SessionInput => ({
      type: "update",
      message: { type: "update", seq, withdraw: [`action:${seq}`], announce: [] },
    });
    const first = step(diallerEstablished, update(3), low);
    expect(first.effects.map(({ type }) => type)).toEqual(["send", "disconnect", "down"]);
    expect(step(first.session, update(2), low).effects).toEqual([]);
  });

  test("each side counts from 0, whatever it says", () => {
    let { session } = step(diallerEstablished, { type: "send", message: { type: "end-of-table" } }, low);
    expect(session.sent).toBe(3);
    session = step(session, { type: "keepalive-timer-expires" }, { ...low, now: low.now + 30_000 }).session;
    expect([session.sent, session.received]).toEqual([4, 2]);
  });

  test("RFC 4271 §6.4: a notification ends it whatever its number, and is not answered", () => {
    const message = { type: "notification", seq: 99, code: "cease", subcode: "peer-removed", reason: "" } as const;
    const taken = step(diallerEstablished, { type: "notification", message }, low);
    expect(taken.session.state).toBe("idle");
    expect(taken.effects.map(({ type }) => type)).toEqual(["disconnect", "down"]);
  });
});
