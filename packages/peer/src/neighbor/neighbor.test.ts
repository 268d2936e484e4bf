import { describe, expect, test } from "bun:test";
import type { SessionContext } from "../session/context.ts";
import { bytes, config, context, handshake, type Name, other, sent } from "../session/session.fixture.ts";
import { newSession } from "../session/session.ts";
import type { Message, Open } from "../wire/message.ts";
import { type Neighbor, type NeighborInput, neighborDeadline, newNeighbor } from "./neighbor.ts";
import { stepNeighbor } from "./step-neighbor.ts";
import { TwoNeighbors } from "./two-neighbors.fixture.ts";

const upper = context("upper");
const passive = context("upper", { config: config("upper", { passive: true }) });
const [dialled] = handshake().messages;
const SHUTDOWN = { code: "cease", subcode: "administrative-shutdown" } as const;
const LIMIT = { code: "cease", subcode: "too-many-routes" } as const;

function after(inputs: readonly NeighborInput[], at: SessionContext = upper, neighbor: Neighbor = newNeighbor()) {
  let taken = stepNeighbor(neighbor, { type: "tick" }, at);
  for (const input of inputs) taken = stepNeighbor(taken.neighbor, input, at);
  return taken;
}

function accepted(connection: string, changes: object = {}): NeighborInput {
  return { type: "accepted", connection, open: { ...dialled, ...changes } as Open };
}

/** Both sides started, and everything that follows done. */
function established(changes = {}): TwoNeighbors {
  const pair = new TwoNeighbors(() => 0, changes);
  pair.input("low", { type: "start" });
  pair.input("upper", { type: "start" });
  pair.quiet();
  expect(pair.established("low")).toBe(pair.established("upper") as string);
  return pair;
}

/** Without the one that is not wanted: which side's dial it is that stays, is the higher's. */
const carrier = (pair: TwoNeighbors): { dialler: Name; acceptor: Name } =>
  pair.neighbors.low.dialled.state === "established"
    ? { dialler: "low", acceptor: "upper" }
    : { dialler: "upper", acceptor: "low" };

describe("starting and stopping", () => {
  test("nothing is dialled and nobody is let in before it is started (RFC 4271 §8.2.2, Idle)", () => {
    const { neighbor, effects } = after([accepted("c")]);
    expect(effects).toMatchObject([
      { type: "send", connection: "c", message: { code: "cease", subcode: "connection-rejected" } },
      { type: "disconnect", connection: "c" },
    ]);
    expect(neighbor.accepted.size).toBe(0);
    expect(neighborDeadline(neighbor)).toBeUndefined();
  });

  test("started, it dials; started again, it does not dial twice", () => {
    expect(after([{ type: "start" }]).effects).toEqual([{ type: "dial" }]);
    expect(after([{ type: "start" }, { type: "start" }]).effects).toEqual([]);
    expect(after([{ type: "start" }], passive).effects).toEqual([]);
  });

  test("a stop ends all of its connections, and nothing starts again by itself", () => {
    const pair = established();
    pair.input("upper", { type: "stop", complaint: SHUTDOWN, text: "maintenance" });
    pair.quiet();
    expect(pair.open).toEqual([]);
    expect(neighborDeadline(pair.neighbors.upper)).toBeUndefined();
    // The other side tries, and is refused.
    while (pair.wait(pair.now + 30_000)) expect(pair.established("low")).toBeUndefined();
    pair.input("upper", { type: "start" });
    pair.quiet();
    expect(pair.established("low")).toBeDefined();
  });

  test("RFC 4724: a planned restart says close, and the peer keeps the routes", () => {
    const pair = established();
    pair.input("upper", { type: "going-down" });
    pair.quiet();
    expect(pair.effects.findLast(({ name, effect }) => name === "low" && effect.type === "down")?.effect).toMatchObject(
      {
        graceful: true,
        reason: { kind: "was-closed", restart: true },
      },
    );
    expect(neighborDeadline(pair.neighbors.upper)).toBeUndefined();
  });

  test("a peer that is not passive any more is dialled with the next step", () => {
    const waiting = after([{ type: "start" }], passive).neighbor;
    expect(stepNeighbor(waiting, { type: "tick" }, upper).effects).toEqual([{ type: "dial" }]);
  });
});

test.each<[string, NeighborInput]>([
  ["stop", { type: "stop", complaint: SHUTDOWN, text: "" }],
  ["restart", { type: "going-down" }],
  ["limit", { type: "limit", complaint: LIMIT, text: "", restartAfter: 1000 }],
])("our own %s is no failure of the peer's", (_name, input) => {
  const pair = established();
  for (const name of ["low", "upper"] as const) {
    pair.input(name, input);
    expect(pair.neighbors[name]).toMatchObject({
      current: undefined,
      flapping: { flaps: 0 },
      dialled: { attempts: 0 },
    });
  }
});

describe("RFC 4486 §4: a limit", () => {
  test("that restarts: neither dials nor lets in until then, and then by itself", () => {
    const pair = established();
    pair.input("upper", { type: "limit", complaint: LIMIT, text: "too many", restartAfter: 300_000 });
    pair.quiet();
    const until = pair.now + 300_000;
    while (pair.wait(until)) expect(pair.established("upper")).toBeUndefined();
    while (pair.established("upper") === undefined && pair.wait(until + 65_000));
    expect(pair.established("upper")).toBeDefined();
    expect(pair.established("low")).toBe(pair.established("upper") as string);
  });

  test("that disables: until it is started", () => {
    const pair = established();
    pair.input("upper", { type: "limit", complaint: LIMIT, text: "too many", restartAfter: undefined });
    while (pair.wait(pair.now + 300_000) && pair.now < 2_000_000) expect(pair.established("upper")).toBeUndefined();
    expect(pair.neighbors.upper.running).toBe(false);
  });
});

describe("who is only said to be the peer", () => {
  test("at most eight connections that have proved nothing: the oldest makes room", () => {
    const crowd = Array.from({ length: 9 }, (_, at) => accepted(`c${at}`));
    const { neighbor, effects } = after([{ type: "start" }, ...crowd], passive);
    expect([...neighbor.accepted.keys()]).toEqual(["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"]);
    expect(effects.slice(0, 2)).toMatchObject([
      { type: "send", connection: "c0", message: { code: "cease", subcode: "connection-rejected" } },
      { type: "disconnect", connection: "c0" },
    ]);
  });

  test("neither ends the session that is established, nor keeps us from dialling", () => {
    const pair = established();
    const current = pair.established("low");
    for (let count = 0; count < 20; count++) pair.input("low", accepted(`x${count}`, { node: "n-upper" }));
    pair.quiet();
    expect(pair.established("low")).toBe(current as string);

    const { neighbor } = after([{ type: "start" }, accepted("c")]);
    expect(neighbor.dialled.state).toBe("connect");
    expect(neighbor.accepted.get("c")?.state).toBe("open-confirm");
  });

  test("a wrong proof costs it its connection, and the peer nothing", () => {
    const confirms = after([{ type: "start" }, accepted("c")], passive);
    const proof = { type: "proof", seq: 1, secret: bytes("secret"), mac: bytes("x"), signature: "x" } as Message;
    const { neighbor, reasons } = after(
      [{ type: "message", connection: "c", message: proof }],
      passive,
      confirms.neighbor,
    );
    expect(reasons).toMatchObject([{ connection: "c", reason: { subcode: "authentication-failure" } }]);
    expect(neighbor).toMatchObject({ current: undefined, flapping: { flaps: 0 }, dialled: { attempts: 0 } });
  });

  test("each has its time for the handshake", () => {
    const { neighbor } = after([{ type: "start" }, accepted("c")], passive);
    expect(neighborDeadline(neighbor)).toBe(upper.now + 20_000);
    const late = stepNeighbor(neighbor, { type: "tick" }, { ...passive, now: upper.now + 20_000 });
    expect(late.neighbor.accepted.size).toBe(0);
    expect(late.effects.map(({ type }) => type)).toEqual(["send", "disconnect"]);
  });

  test("a second `accepted` of the same connection is none", () => {
    expect(after([{ type: "start" }, accepted("c"), accepted("c")], passive).effects).toEqual([]);
    expect(after([{ type: "start" }, { type: "made", connection: "c" }, accepted("c")]).effects).toEqual([]);
  });
});

describe("connections that are gone", () => {
  test.each<[string, NeighborInput]>([
    ["a message", { type: "message", connection: "gone", message: { type: "keepalive", seq: 0 } }],
    ["its end", { type: "failed", connection: "gone", text: "reset" }],
    ["what was no message", { type: "malformed", connection: "gone", complaint: SHUTDOWN, text: "" }],
    ["an update's error", { type: "update-error", connection: "gone", complaint: SHUTDOWN, text: "" }],
    ["a dial that nobody waits for", { type: "failed", connection: undefined, text: "refused" }],
    ["something to send", { type: "send", message: { type: "end-of-table" } }],
  ])("%s does nothing", (_what, input) => {
    const { neighbor } = after([{ type: "start" }, accepted("c")], passive);
    expect(stepNeighbor(neighbor, input, passive)).toEqual({ neighbor, effects: [], reasons: [] });
  });

  test("a dial that comes through after it was given up is closed", () => {
    const { effects } = after([
      { type: "start" },
      { type: "stop", complaint: SHUTDOWN, text: "" },
      { type: "made", connection: "c" },
    ]);
    expect(effects).toEqual([{ type: "disconnect", connection: "c" }]);
  });
});

describe("while one is established", () => {
  test("the other side's dial is given up, without a failure counted, and starts again when it is gone", () => {
    const pair = established();
    const { acceptor } = carrier(pair);
    expect(pair.neighbors[acceptor].dialled).toEqual(newSession("dialler"));
    pair.cut(pair.established("low") as string);
    expect(pair.neighbors[acceptor].dialled).toMatchObject({ state: "idle", attempts: 1 });
    expect(pair.neighbors[acceptor].dialled.timers["idle-hold"]).toBeDefined();
    while (pair.established("low") === undefined) pair.wait();
    expect(pair.open).toHaveLength(1);
  });

  test("a dial that is on its way is given up, and one that waits its turn is not made", () => {
    for (const waits of [false, true]) {
      const pair = new TwoNeighbors();
      pair.input("upper", { type: "start" });
      if (waits) pair.input("upper", { type: "failed", connection: undefined, text: "refused" });
      const { state, timers } = pair.neighbors.upper.dialled;
      expect([state, ...Object.keys(timers)]).toEqual(waits ? ["idle", "idle-hold"] : ["connect", "connect-retry"]);
      pair.stallDial("upper");
      pair.input("low", { type: "start" });
      pair.quiet();
      expect(pair.established("upper")).toBe(pair.established("low") as string);
      expect(pair.neighbors.upper.dialled).toEqual({ ...newSession("dialler"), attempts: waits ? 1 : 0 });
      const given = pair.effects.some(({ name, effect }) => name === "upper" && effect.type === "abandon-dial");
      expect(given).toBe(!waits);
    }
  });

  test("updates are numbered and go over it alone", () => {
    const pair = established();
    const { acceptor } = carrier(pair);
    const { effects } = stepNeighbor(
      pair.neighbors[acceptor],
      { type: "send", message: { type: "update", withdraw: ["action:a"], announce: [] } },
      pair.context(acceptor),
    );
    expect(sent({ effects })).toEqual({ type: "update", seq: 2, withdraw: ["action:a"], announce: [] });
    expect(effects).toMatchObject([{ connection: pair.established("low") as string }]);
  });

  test("both keep it alive for hours", () => {
    const pair = established();
    const current = pair.established("low");
    const until = pair.now + 7_200_000;
    while (pair.wait(until));
    expect(pair.established("low")).toBe(current as string);
    expect(pair.established("upper")).toBe(current as string);
  });

  test("RFC 4271 §6.5: a peer that has vanished is noticed within the hold time", () => {
    const pair = established();
    const { now } = pair;
    pair.restart("upper");
    while (pair.established("low") !== undefined) pair.wait();
    expect(pair.now - now).toBeLessThanOrEqual(90_000);
  });

  test("RFC 4724 §4.2: a peer that starts again takes its place at once, whichever id is higher", () => {
    for (const name of ["low", "upper"] as const) {
      const pair = established();
      pair.restart(name);
      pair.input(name, { type: "start" });
      pair.quiet();
      expect(pair.established("low")).toBeDefined();
      expect(pair.established("upper")).toBe(pair.established("low") as string);
      expect(pair.open).toHaveLength(1);
      expect(pair.neighbors[other(name)].flapping.flaps).toBe(1);
    }
  });
});
