// Callbacks of callers: references that nobody guesses, and that end with their session.

import { expect, test } from "bun:test";
import type { FaultError } from "../fault/fault.ts";
import type { Live } from "../plugin/plugin.ts";
import { LiveCallbacks, type LiveSession } from "./live-callbacks.ts";

/** The data as a message has it that is not refused. */
const take = (session: LiveSession, data: unknown, fields: readonly string[] = ["callback"]) =>
  session.asking(data, fields, (plain) => plain);

function stub(answer: (...args: readonly unknown[]) => unknown) {
  const told: string[] = [];
  let broken: ((error: unknown) => void) | undefined;
  const own = Object.assign((...args: readonly unknown[]) => answer(...args), {
    dup: () => Object.assign(own, { dupped: true }),
    onRpcBroken: (callback: (error: unknown) => void) => {
      broken = callback;
    },
    [Symbol.dispose]: () => void told.push("disposed"),
  });
  return { own, told, break: () => broken?.(new Error("gone")) };
}

test("a stub is dup'ed, as capnweb disposes of arguments when the call returns", () => {
  const lives = new LiveCallbacks();
  const { own } = stub(() => 1);
  const taken = take(lives.session(true), { callback: own, topic: "a" }) as {
    callback: string;
    topic: string;
  };
  expect(taken).toEqual({ callback: expect.stringMatching(/^live-[0-9a-f-]{36}$/) as unknown as string, topic: "a" });
  expect("dupped" in own).toBe(true);
});

test("what is no callback stays as it is, for the schema to refuse", () => {
  const session = new LiveCallbacks().session(true);
  for (const data of [undefined, null, 7, { callback: "live-guessed" }, { other: () => {} }] as unknown[]) {
    expect(take(session, data)).toBe(data);
  }
});

test("a batch has no callbacks: it ends with its answer", () => {
  let thrown: unknown;
  try {
    take(new LiveCallbacks().session(false), { callback: () => {} });
  } catch (error) {
    thrown = error;
  }
  expect((thrown as FaultError).code).toBe("LIVE_UNAVAILABLE");
});

test("it is gone with its session: nothing is called, it is disposed of, and whoever listens is told once", async () => {
  const lives = new LiveCallbacks();
  const session = lives.session(true);
  const { own, told } = stub(() => "called");
  const { callback } = take(session, { callback: own }) as { callback: string };
  const live = lives.get(callback) as Live;
  live.onGone((why) => told.push(why));
  expect(await live.call()).toBe("called");
  session.end("its session ended");
  session.end("its session ended");
  expect([told, lives.get(callback)]).toEqual([["disposed", "its session ended"], undefined]);
  expect(live.call()).rejects.toMatchObject({ code: "LIVE_UNAVAILABLE", message: "its session ended" });
  live.onGone((why) => told.push(`late: ${why}`));
  expect(told.at(-1)).toBe("late: its session ended");
});

test("a broken stub is gone, whatever its session says", () => {
  const lives = new LiveCallbacks();
  const one = stub(() => 1);
  const { callback } = take(lives.session(true), { callback: one.own }) as { callback: string };
  one.break();
  expect(lives.get(callback)).toBeUndefined();
});

test("one session's end is nothing to another's", () => {
  const lives = new LiveCallbacks();
  const [first, second] = [lives.session(true), lives.session(true)];
  const one = (session: LiveSession) => (take(session, { c: () => 1 }, ["c"]) as { c: string }).c;
  const [mine, yours] = [one(first), one(second)];
  first.end("over");
  expect([lives.get(mine), lives.get(yours) === undefined]).toEqual([undefined, false]);
});

test("a session keeps so many and no more; what is given back makes room", () => {
  const lives = new LiveCallbacks();
  const session = lives.session(true);
  const one = () => (take(session, { c: () => 1 }, ["c"]) as { c: string }).c;
  const kept = Array.from({ length: 1024 }, one);
  expect(one).toThrow("this session has 1024 callbacks that are still in use; 1024 at most");
  lives.get(kept[0] as string)?.dispose();
  expect(one()).toStartWith("live-");
});

test("what brought it and is refused, at once or later, gives it back", async () => {
  const lives = new LiveCallbacks();
  const session = lives.session(true);
  const { own, told } = stub(() => 1);
  const refused = new Error("no such topic");
  const asking = (ask: () => unknown) => session.asking({ callback: own }, ["callback"], ask as () => Promise<never>);
  for (let i = 0; i < 2000; i++) {
    expect(() =>
      asking(() => {
        throw refused;
      }),
    ).toThrow(refused);
  }
  expect(asking(() => Promise.reject(refused))).rejects.toBe(refused);
  await Promise.resolve();
  expect([lives.size, told.length]).toEqual([0, 2001]);
});

test("what comes in behind its session's end is kept nowhere", () => {
  const lives = new LiveCallbacks();
  const session = lives.session(true);
  session.end("its session ended");
  expect(() => take(session, { callback: () => 1 })).toThrow("its session ended");
  expect(lives.size).toBe(0);
});

test("a stub that is broken when it comes is kept nowhere", () => {
  const lives = new LiveCallbacks();
  const { own } = stub(() => 1);
  const broken = Object.assign(own, {
    onRpcBroken: (callback: (error: unknown) => void) => callback(new Error("gone")),
  });
  const { callback } = take(lives.session(true), { callback: broken }) as { callback: string };
  expect([lives.get(callback), lives.size]).toEqual([undefined, 0]);
});
