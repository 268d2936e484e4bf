import { describe, expect, test } from "bun:test";
import type { SessionContext } from "./context.ts";
import type { Step } from "./handler.ts";
import { messageInput, type SessionInput } from "./input.ts";
import { config, context, GRACEFUL, handshake, violations } from "./session.fixture.ts";
import { newSession, type Session } from "./session.ts";
import { step } from "./step.ts";

const { connect, openSent, waiting, diallerConfirms, acceptorConfirms, diallerEstablished, messages } = handshake();
const [dialled, answered, proved, accepted] = messages;
const low = context("low");
const upper = context("upper");
const passive = context("low", { config: config("low", { passive: true }) });
const idle = newSession("dialler");
const resting: Session = { ...idle, attempts: 3, timers: { "idle-hold": low.now } };
const later = (seconds: number, of = low): SessionContext => ({ ...of, now: of.now + seconds * 1000 });
const stop = {
  type: "manual-stop",
  complaint: { code: "cease", subcode: "administrative-shutdown" },
  text: "",
} as const;
const fails: SessionInput = { type: "connection-fails", text: "reset" };

/** What a step did, in words: the new state and its timers in seconds from now, effects, and why. */
function told({ session, effects, reason }: Step, { now }: SessionContext): string {
  expect(violations(session)).toEqual([]);
  const timers = Object.entries(session.timers).map(([timer, at]) => `${timer} ${((at as number) - now) / 1000}`);
  const does = effects.map((effect) => (effect.type === "send" ? effect.message.type : effect.type));
  const why = reason.kind === "complained" ? `${reason.code}/${reason.subcode}` : reason.kind;
  return [[session.state, ...timers].join(" "), does.join(" ") || "-", why].join(" | ");
}

type Row = readonly [rule: string, session: Session, input: SessionInput, SessionContext, outcome: string];

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    test.each(rows.map((row) => [row[0], row] as const))("%s", (_rule, [, session, input, context, outcome]) => {
      expect(told(step(session, input, context), context)).toBe(outcome);
    });
  });
}

table("RFC 4271 §8.2.2, Idle", [
  [
    "event 1: initiates a connection, starts the ConnectRetryTimer",
    idle,
    { type: "manual-start" },
    low,
    "connect connect-retry 7.5 | dial | progress",
  ],
  ["event 4: listens where it is passive", idle, { type: "manual-start" }, passive, "active | - | progress"],
  [
    "event 13: starts by itself once the IdleHoldTimer is over",
    resting,
    { type: "idle-hold-timer-expires" },
    low,
    "connect connect-retry 7.5 | dial | progress",
  ],
  [
    "event 13 of a passive peer: listens",
    resting,
    { type: "idle-hold-timer-expires" },
    passive,
    "active | - | progress",
  ],
  ["event 2: does not start by itself any more", resting, stop, low, "idle | - | progress"],
  ["refuses connections", idle, { type: "connection-accepted", connection: "d" }, low, "idle | disconnect | ignored"],
  [
    "refuses the one that it dialled before",
    idle,
    { type: "connection-made", connection: "c" },
    low,
    "idle | disconnect | ignored",
  ],
  ["events 9–12, 15–28 cause no change", idle, messageInput(answered), low, "idle | - | ignored"],
  [
    "an acceptor's session that is over stays so",
    { ...idle, role: "acceptor" },
    { type: "manual-start" },
    upper,
    "idle | - | ignored",
  ],
]);

table("RFC 4271 §8.2.2, Connect", [
  ["start events are ignored", connect, { type: "manual-start" }, low, "connect connect-retry 7.5 | - | ignored"],
  ["event 2: drops the attempt", connect, stop, low, "idle | abandon-dial | progress"],
  [
    "event 9: gives the attempt up; deviation: backs off before the next",
    connect,
    { type: "connect-retry-timer-expires" },
    later(8),
    "idle idle-hold 1 | abandon-dial | connection-failed",
  ],
  [
    "event 17: sends an OPEN, sets the HoldTimer to a large value",
    connect,
    { type: "connection-made", connection: "c" },
    low,
    "open-sent hold 20 | open | progress",
  ],
  ["event 18: to Idle", connect, fails, low, "idle idle-hold 1 | - | connection-failed"],
  [
    "a connection dialled to us is not this session's",
    connect,
    { type: "connection-accepted", connection: "d" },
    low,
    "connect connect-retry 7.5 | disconnect | ignored",
  ],
]);

table("RFC 4271 §8.2.2, Active", [
  [
    "event 17 with DelayOpen: waits for an OPEN",
    newSession("acceptor"),
    { type: "connection-accepted", connection: "c" },
    upper,
    "active delay-open 20 | - | progress",
  ],
  [
    "event 20: sends an OPEN, to OpenConfirm",
    waiting,
    messageInput(dialled),
    upper,
    "open-confirm hold 20 | open | progress",
  ],
  [
    "event 12; deviation: who dials speaks first",
    waiting,
    { type: "delay-open-timer-expires" },
    later(20, upper),
    "idle | notification disconnect | cease/connection-rejected",
  ],
  [
    "event 2: drops the connection",
    waiting,
    stop,
    upper,
    "idle | notification disconnect | cease/administrative-shutdown",
  ],
  ["event 18: over", waiting, fails, upper, "idle | disconnect | connection-failed".replace("disconnect", "-")],
  [
    "a passive peer's dialler refuses: acceptors have sessions of their own",
    { ...idle, state: "active" },
    { type: "connection-accepted", connection: "d" },
    passive,
    "active | disconnect | ignored",
  ],
  [
    "a peer that is not passive any more is dialled",
    { ...idle, state: "active" },
    { type: "manual-start" },
    low,
    "connect connect-retry 7.5 | dial | progress",
  ],
  [
    "event 27, §6.6: an update before the open",
    waiting,
    { type: "update", message: { type: "update", seq: 0, withdraw: [], announce: [] } },
    upper,
    "idle | notification disconnect | state-machine-error/unexpected-in-active",
  ],
]);

table("RFC 4271 §8.2.2, OpenSent", [
  [
    "event 2: sends a NOTIFICATION with a Cease",
    openSent,
    stop,
    low,
    "idle | notification disconnect | cease/administrative-shutdown",
  ],
  [
    "event 10, §6.5: Hold Timer Expired",
    openSent,
    { type: "hold-timer-expires" },
    later(20),
    "idle idle-hold 1 | notification disconnect | hold-timer-expired/unspecified",
  ],
  ["event 18; deviation: to Idle", openSent, fails, low, "idle idle-hold 1 | - | connection-failed"],
  [
    "event 19: to OpenConfirm; deviation: by a proof",
    openSent,
    messageInput(answered),
    low,
    "open-confirm hold 20 | proof | progress",
  ],
  [
    "event 23, §6.8: drops the connection; deviation: counts no failure",
    openSent,
    { type: "collision-dump" },
    low,
    "idle | notification disconnect | cease/connection-collision",
  ],
  [
    "events 24, 25, §6.4: a notification is not answered",
    openSent,
    {
      type: "notification",
      message: { type: "notification", seq: 0, code: "open-error", subcode: "bad-domain", reason: "" },
    },
    low,
    "idle idle-hold 1 | disconnect | was-notified",
  ],
  [
    "event 26, RFC 6608 §3: subcode 1",
    openSent,
    { type: "keepalive", message: { type: "keepalive", seq: 0 } },
    low,
    "idle idle-hold 1 | notification disconnect | state-machine-error/unexpected-in-open-sent",
  ],
]);

table("RFC 4271 §8.2.2, OpenConfirm", [
  [
    "event 26 (here a proof), of the acceptor: HoldTimer and KeepaliveTimer run, to Established",
    diallerConfirms,
    messageInput(accepted),
    low,
    "established hold 90 keepalive 22.5 | established | progress",
  ],
  [
    "of the dialler: answered by ours",
    acceptorConfirms,
    messageInput(proved),
    upper,
    "established hold 90 keepalive 22.5 | proof established | progress",
  ],
  [
    "event 10: a proof that does not come",
    diallerConfirms,
    { type: "hold-timer-expires" },
    later(20),
    "idle idle-hold 1 | notification disconnect | hold-timer-expired/unspecified",
  ],
  [
    "event 19, RFC 6608 §3: subcode 2",
    acceptorConfirms,
    messageInput({ ...dialled, seq: 1 }),
    upper,
    "idle | notification disconnect | state-machine-error/unexpected-in-open-confirm",
  ],
  [
    "event 27: an update before the proof",
    acceptorConfirms,
    { type: "update", message: { type: "update", seq: 1, withdraw: [], announce: [] } },
    upper,
    "idle | notification disconnect | state-machine-error/unexpected-in-open-confirm",
  ],
  [
    "event 23: drops the connection",
    acceptorConfirms,
    { type: "collision-dump" },
    upper,
    "idle | notification disconnect | cease/connection-collision",
  ],
]);

table("RFC 4271 §8.2.2, Established", [
  [
    "event 2: a Cease, and the routes go",
    diallerEstablished,
    stop,
    low,
    "idle | notification disconnect down | cease/administrative-shutdown",
  ],
  [
    "event 8: starts again when it is told to",
    diallerEstablished,
    {
      type: "automatic-stop",
      complaint: { code: "cease", subcode: "too-many-routes" },
      text: "",
      restartAfter: 60_000,
    },
    low,
    "idle idle-hold 60 | notification disconnect down | cease/too-many-routes",
  ],
  [
    "event 10, §6.5",
    diallerEstablished,
    { type: "hold-timer-expires" },
    later(90),
    "idle idle-hold 1 | notification disconnect down | hold-timer-expired/unspecified",
  ],
  [
    "event 11: sends a KEEPALIVE, restarts the KeepaliveTimer",
    diallerEstablished,
    { type: "keepalive-timer-expires" },
    later(22.5),
    "established hold 67.5 keepalive 22.5 | keepalive | progress",
  ],
  ["event 18: to Idle", diallerEstablished, fails, low, "idle idle-hold 1 | down | connection-failed"],
  [
    "event 26: restarts the HoldTimer",
    diallerEstablished,
    { type: "keepalive", message: { type: "keepalive", seq: 2 } },
    later(10),
    "established hold 90 keepalive 12.5 | - | progress",
  ],
  [
    "event 27: restarts the HoldTimer",
    diallerEstablished,
    { type: "update", message: { type: "update", seq: 2, withdraw: [], announce: [] } },
    later(10),
    "established hold 90 keepalive 12.5 | deliver | progress",
  ],
  [
    "RFC 4724 §2: End-of-RIB",
    diallerEstablished,
    { type: "end-of-table", message: { type: "end-of-table", seq: 2 } },
    later(10),
    "established hold 90 keepalive 12.5 | deliver | progress",
  ],
  [
    "RFC 2918 §4: a refresh that was agreed on",
    diallerEstablished,
    { type: "route-refresh", message: { type: "route-refresh", seq: 2, phase: "request" } },
    later(10),
    "established hold 90 keepalive 12.5 | deliver | progress",
  ],
  [
    "sending restarts the KeepaliveTimer",
    diallerEstablished,
    { type: "send", message: { type: "end-of-table" } },
    later(10),
    "established hold 80 keepalive 22.5 | end-of-table | progress",
  ],
  [
    "event 19, RFC 6608 §3: subcode 3",
    diallerEstablished,
    messageInput({ ...answered, seq: 2 }),
    low,
    "idle idle-hold 1 | notification disconnect down | state-machine-error/unexpected-in-established",
  ],
  [
    "a proof once more",
    diallerEstablished,
    messageInput({ ...accepted, seq: 2 } as never),
    low,
    "idle idle-hold 1 | notification disconnect down | state-machine-error/unexpected-in-established",
  ],
  [
    "event 28, §6.3: an update that cannot be treated as withdrawals",
    diallerEstablished,
    { type: "update-error", complaint: { code: "update-error", subcode: "malformed-update" }, text: "" },
    low,
    "idle idle-hold 1 | notification disconnect down | update-error/malformed-update",
  ],
  [
    "a second connection is another session's",
    diallerEstablished,
    { type: "connection-made", connection: "d" },
    low,
    "established hold 90 keepalive 22.5 | disconnect | ignored",
  ],
]);

test("RFC 2918 §4: a refresh that was not agreed on is ignored, and the hold timer restarted", () => {
  const other = handshake(context("low", { config: config("low", { capabilities: [GRACEFUL] }) })).diallerEstablished;
  const refresh = { type: "route-refresh", message: { type: "route-refresh", seq: 2, phase: "request" } } as const;
  expect(told(step(other, refresh, later(10)), later(10))).toBe("established hold 90 keepalive 12.5 | - | ignored");
});

test("RFC 2918 §4: a peer that cannot refresh was asked to, and the number counted", () => {
  const other = handshake(context("low", { config: config("low", { capabilities: [GRACEFUL] }) })).diallerEstablished;
  const ask = { type: "send", message: { type: "route-refresh", phase: "request" } } as const;
  expect(step(other, ask, low)).toMatchObject({ session: other, effects: [], reason: { kind: "ignored" } });
  expect(step(diallerEstablished, ask, low).effects).toMatchObject([{ message: { type: "route-refresh", seq: 2 } }]);
});

test("RFC 4271 §4.4: with a hold time of zero nothing is kept alive, and nothing expires", () => {
  const never = { holdTime: 0, minHoldTime: 0 };
  const pair = handshake(
    context("low", { config: config("low", never) }),
    context("upper", { config: config("upper", never) }),
  );
  expect(pair.diallerEstablished.timers).toEqual({});
  const after = step(pair.diallerEstablished, { type: "send", message: { type: "end-of-table" } }, low).session;
  expect(after.timers).toEqual({});
});
