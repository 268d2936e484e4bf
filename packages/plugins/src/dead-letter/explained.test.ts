// What explain tells of work that was spent: its attempts, its letter and alert, who redrove it; and of the letter itself.

import { expect, test } from "bun:test";
import { attach } from "../hub.fixture.ts";
import { passing, startWork, turn, until } from "./dead-letter.fixture.ts";

interface Told {
  readonly attempts: readonly { readonly entry: number; readonly of: string; readonly followed?: readonly object[] }[];
  readonly retries?: readonly object[];
}

async function spent() {
  const node = await startWork();
  await node.register("mail");
  const performed = await node.spend("mail", { to: "ada" });
  const { id: letterId } = await node.letter();
  const told = (id: string) => node.app.log.explain({ id }) as Promise<Told>;
  return { ...node, message: performed.id, letterId, told };
}

test("a dead letter: the attempts with their faults, the letter's id and that it is open, and the alert's entry", async () => {
  const { told, message, letterId } = await spent();
  const { attempts } = await told(message);
  expect(attempts).toMatchObject([
    { entry: 4, clause: "attempt 1 of 2", error: { code: "ACTION_FAILED" }, next: { attempt: 2 } },
    { entry: 5, clause: "attempt 2 of 2, the last", error: { code: "ACTION_FAILED" } },
  ]);
  expect(attempts[1]?.followed).toMatchObject([
    { entry: 6, message: "deadLetter.add", answer: { id: letterId }, outcome: { state: "pending" } },
    { entry: 7, message: "alert.raised" },
  ]);
});

test("redriven twice: each letter with its end, each redriving with who asked for it, and the outcome", async () => {
  const { told, message, letterId, app, clock, work, letter } = await spent();
  await app.deadLetter.redrive({ id: letterId });
  await passing(
    clock,
    until(() => work.runs === 4),
  );
  await turn();
  work.fails = () => undefined;
  const again = await app.deadLetter.redrive({ id: (await letter()).id });
  await attach(app, { id: again.message as string });
  const { attempts, retries } = await told(message);
  expect(attempts.map(({ entry }) => entry)).toEqual([4, 5, 11, 12, 18]);
  expect(attempts[1]?.followed).toMatchObject([{ outcome: { state: "done", entry: 10 } }, { entry: 7 }]);
  expect(attempts[3]?.followed).toMatchObject([{ outcome: { state: "done", entry: 17 } }, { entry: 14 }]);
  expect(retries).toMatchObject([
    { entry: 9, message: "execution.retry", principal: "app", because: { message: "deadLetter.redrive" } },
    { entry: 16, id: again.message, because: { message: "deadLetter.redrive", principal: "app" } },
  ]);
  expect(await told(message)).toMatchObject({ outcome: { state: "done", entry: 18 } });
  // Of the letter: what it was added for, its alert, and its end.
  expect(await told(letterId.replace("d-", "m-"))).toMatchObject({
    ...{ message: "deadLetter.add", because: [{ message: "execution.fail" }, { id: message }] },
    ...{ followed: [{ message: "alert.raised", entry: 7 }], outcome: { state: "done", entry: 10 } },
    retries: [{ message: "deadLetter.redrive", principal: "app" }],
  });
});

test("one that is discarded: its letter is over, and by whom stands in the end's entry", async () => {
  const { told, message, letterId, app } = await spent();
  await app.deadLetter.discard({ id: letterId, reason: "too late" });
  expect((await told(message)).attempts[1]?.followed?.[0]).toMatchObject({
    outcome: { state: "done", entry: 8, data: { discarded: "too late", by: "app" } },
  });
});

test("what failed at once, in its own entry, and went well when it was retried", async () => {
  const { app, work, register, spend } = await startWork();
  await register("mail", { attempts: 1 });
  const { id, execution } = await spend("mail");
  work.fails = () => undefined;
  await app.execution.retry({ id: execution });
  const explained = (await app.log.explain({ id })) as Told;
  expect(explained).toMatchObject({ outcome: { state: "done" }, retries: [{ message: "execution.retry" }] });
  expect(explained.attempts).toMatchObject([
    { error: { code: "ACTION_FAILED" }, of: id, message: "execution.fail" },
    { message: "execution.complete" },
  ]);
});
