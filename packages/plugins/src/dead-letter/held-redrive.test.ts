// Redriving where a plugin holds what is asked: the letter waits with it, over a restart too, and nobody else may end it.

import { expect, test } from "bun:test";
import { authority, createOrchestrator, definePlugin, hold, type Log, memoryLog, next } from "@capstan/orchestrator";
import { auth } from "../auth/auth.ts";
import { executor } from "../executor/executor.ts";
import { faultFrom, protocol } from "../hub.fixture.ts";
import { ledger } from "../ledger/ledger.ts";
import { registry } from "../registry/registry.ts";
import { reopened, turn, until } from "./dead-letter.fixture.ts";
import { deadLetter } from "./dead-letter.ts";

const approval = definePlugin({
  name: "approval",
  needs: [authority],
  decide: ({ message, envelope }) =>
    message.action === "retry" && envelope.facts.approval === undefined ? hold("approval") : next(),
});

async function start(log: Log, runs: string[], well: boolean) {
  const work = protocol("work", () => {
    runs.push("");
    if (!well) throw new Error("no");
    return "done";
  });
  const hub = await createOrchestrator({
    // After the executor: what it prepares for has to be found before it is held.
    plugins: [auth(), registry(), deadLetter(), executor({ protocols: [work] }), approval, ledger()],
    log,
  });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  const held = async (): Promise<string[]> => {
    const { items } = await app.log.list({ message: "execution.retry", verdict: "held" });
    return items.map(({ id }) => id);
  };
  const settle = (id: string) =>
    app.applyAction({ resource: "message", action: "settle", data: { id, hold: "approval", outcome: "yes" } });
  return { hub, app, held, settle };
}

/** A letter whose redriving is held. */
async function held() {
  const log = memoryLog();
  const runs: string[] = [];
  const node = await start(log, runs, false);
  await node.app.action.register({ name: "mail", protocol: "work", attempts: 2 });
  await faultFrom(node.app.action.perform({ name: "mail" }));
  const { items } = await node.app.deadLetter.list();
  const { id } = items[0] as { id: string };
  const redriving = node.app.deadLetter.redrive({ id });
  redriving.catch(() => {});
  for (let turns = 0; (await node.held()).length === 0 && turns < 100; turns++) await turn();
  return { ...node, log, runs, id, redriving };
}

test("a second redriving is refused meanwhile, and so is giving it up; then it is run once", async () => {
  const { app, id, runs, settle, held: asked, redriving } = await held();
  for (const call of [app.deadLetter.redrive({ id }), app.deadLetter.discard({ id, reason: "-" })]) {
    expect(await faultFrom(call)).toMatchObject({ code: "DEAD_LETTER_REDRIVING" });
  }
  expect(await app.deadLetter.list({ state: "redriving" })).toMatchObject({ items: [{ id, state: "redriving" }] });
  expect(await app.deadLetter.list({ state: "open" })).toEqual({ items: [] });
  const [first, ...others] = await asked();
  expect(others).toEqual([]);
  await settle(first as string);
  expect(await redriving).toMatchObject({ id, message: expect.any(String) });
  await until(() => runs.length === 2);
  expect(await app.deadLetter.show({ id })).toMatchObject({ state: "redriven" });
});

test("a restart asks for it once: what is held stays held, and is run once", async () => {
  const { log, id, runs, held: before } = await held();
  const asked = await before();
  const next = await start(reopened(log), runs, true);
  for (let turns = 0; turns < 20; turns++) await turn();
  expect(await next.held()).toEqual(asked);
  expect(await next.app.deadLetter.list()).toMatchObject({ items: [{ id, state: "redriving" }] });
  await next.settle(asked[0] as string);
  await until(() => runs.length === 2);
  expect(await next.app.deadLetter.list()).toEqual({ items: [] });
  expect(await next.app.deadLetter.show({ id })).toMatchObject({ state: "redriven" });
});
