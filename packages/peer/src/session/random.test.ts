import { expect, test } from "bun:test";
import { SAMPLES, type Situation } from "./cells.fixture.ts";
import type { SessionContext } from "./context.ts";
import type { SessionEffect } from "./effect.ts";
import { config, context, handshake, type Name, violations } from "./session.fixture.ts";
import { newSession, type Session } from "./session.ts";
import { step } from "./step.ts";
import { deadline, dueTimer } from "./timers.ts";

/** Mulberry32: the same sequence for the same seed, anywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The connection that is up must be the one that goes down, and nothing is told of one that is not up. */
function followed(up: string | undefined, effects: readonly SessionEffect[]): string | undefined {
  for (const effect of effects) {
    if (effect.type === "established") {
      expect(up).toBeUndefined();
      up = effect.connection;
    } else if (effect.type === "down") {
      expect(up).toBe(effect.connection);
      up = undefined;
    } else if (effect.type === "deliver") expect(up).toBeDefined();
  }
  return up;
}

test("20,000 random inputs: no throw, no session in an undefined state, no route told of a session that is not up", () => {
  const random = generator(5);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const { connect, openSent, waiting, diallerConfirms, acceptorConfirms, diallerEstablished, acceptorEstablished } =
    handshake();
  const starts: [Name, Session][] = [
    ["low", newSession("dialler")],
    ["upper", newSession("acceptor")],
    ["low", connect],
    ["low", openSent],
    ["upper", waiting],
    ["low", diallerConfirms],
    ["upper", acceptorConfirms],
    ["low", diallerEstablished],
    ["upper", acceptorEstablished],
  ];
  const visited = new Set<string>();
  for (let walk = 0; walk < 1000; walk++) {
    let [name, session] = pick(starts);
    let up = session.state === "established" ? session.connection : undefined;
    let at: SessionContext = context(name, {
      random,
      config: config(name, { passive: random() < 0.1, minHoldTime: random() < 0.5 ? 0 : 3000 }),
    });
    for (let count = 0; count < 20; count++) {
      const next = deadline(session);
      if (next !== undefined && random() < 0.3) at = { ...at, now: Math.max(at.now, next + Math.floor(random() * 10)) };
      const situation: Situation = { when: "", session, name };
      const due = random() < 0.5 ? dueTimer(session, at.now) : undefined;
      const input = due ?? pick(SAMPLES).make(situation);
      visited.add(`${session.state} × ${input.type}`);
      const before = JSON.stringify(session);
      const taken = step(session, input, at);
      expect(JSON.stringify(session)).toBe(before);
      const found = violations(taken.session);
      if (found.length > 0) throw new Error(`${session.state} × ${input.type}: ${found.join("; ")}`);
      up = followed(up, taken.effects);
      expect(taken.session.state === "established").toBe(up !== undefined);
      session = taken.session;
    }
  }
  expect(visited.size).toBeGreaterThan(125); // of 144 cells; the rest are reached by cells.test.ts
});
