// What is to be said over one connection: in order, a few at a time, and not for ever. Time passes when the test says so.

import { describe, expect, test } from "bun:test";
import type { Message } from "@capstan/peer";
import { Clock } from "../../hub.fixture.ts";
import { Outbox } from "./outbox.ts";

const frame = (seq: number): Message => ({ type: "keepalive", seq });
const PATIENCE = 1000;

function outbox(bytes?: number) {
  const clock = new Clock();
  const said: number[] = [];
  const answers: PromiseWithResolvers<void>[] = [];
  const failed: string[] = [];
  const box = new Outbox({
    ...{ timers: clock, patience: PATIENCE, bytes },
    say({ message }) {
      said.push(message.seq);
      const answer = Promise.withResolvers<void>();
      answers.push(answer);
      return answer.promise;
    },
    failed: (text) => failed.push(text),
  });
  const push = (from: number, to: number): void => {
    for (let seq = from; seq <= to; seq++) box.push(frame(seq));
  };
  /** The oldest one that waits is taken. */
  const take = async (count = 1): Promise<void> => {
    for (let i = 0; i < count; i++) answers.shift()?.resolve();
    for (let i = 0; i < 4; i++) await Promise.resolve();
  };
  return { box, clock, said, answers, failed, push, take };
}

describe("an outbox", () => {
  test("says nothing until the other side takes frames, then eight at once, in order", async () => {
    const { box, said, push, take } = outbox();
    push(0, 9);
    expect(said).toEqual([]);
    box.open();
    expect(said).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await take();
    expect(said.at(-1)).toBe(8);
    await take(2);
    expect(said).toHaveLength(10);
  });

  test("gives up on whoever does not say where to answer, and on whoever does not answer", async () => {
    const silent = outbox();
    silent.clock.advance(PATIENCE);
    expect(silent.failed).toEqual([`it did not say where to answer within ${PATIENCE} ms`]);
    const hanging = outbox();
    hanging.box.open();
    hanging.clock.advance(10 * PATIENCE);
    expect(hanging.failed).toEqual([]); // nothing was asked of it
    hanging.push(0, 1);
    hanging.clock.advance(PATIENCE - 1);
    await hanging.take();
    hanging.clock.advance(PATIENCE - 1);
    expect(hanging.failed).toEqual([]); // who takes one has his time again for the next
    hanging.clock.advance(1);
    expect(hanging.failed).toEqual([`it did not answer within ${PATIENCE} ms`]);
    expect(hanging.clock.set).toBe(0);
  });

  test("gives up on whoever refuses a frame, once, and says nothing more", async () => {
    const { box, said, answers, failed, push, take } = outbox();
    box.open();
    push(0, 9);
    answers.shift()?.reject(new Error("REFUSED"));
    answers.shift()?.reject(new Error("REFUSED"));
    await take();
    push(10, 11);
    expect(failed).toEqual(["it did not take what was said: REFUSED"]);
    expect(said).toHaveLength(8);
  });

  test("keeps no more than its bound for whoever reads slowly", () => {
    const { box, failed, push } = outbox(100);
    box.open();
    push(0, 20);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toContain("does not keep up");
  });

  test("finishes with what it has, and takes nothing after", async () => {
    const { box, said, push, take, clock } = outbox();
    box.open();
    push(0, 8);
    let done = 0;
    box.finish(() => done++);
    push(9, 9);
    await take(8);
    expect([done, said.length]).toEqual([0, 9]);
    await take();
    expect([done, said.length, clock.set]).toEqual([1, 9, 0]);
    box.finish(() => done++);
    expect(done).toBe(2);
  });

  test("finishes when it is abandoned, with what it had unsaid", () => {
    const { box, push, failed, clock } = outbox();
    push(0, 3);
    let done = 0;
    box.finish(() => done++);
    box.abandon();
    expect([done, failed.length, clock.set]).toEqual([1, 0, 0]);
  });
});
