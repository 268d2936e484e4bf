// What was held more than once here before it was asked of a neighbour is explained by the id that its caller knows.

import { afterEach, expect, test } from "bun:test";
import { authority, definePlugin, hold, next } from "@capstan/orchestrator";
import { peered, until } from "../peers.fixture.ts";
import { explained, first, known, newest, Site } from "./explain.fixture.ts";

const site = new Site();
afterEach(() => site.close());

/** Two have to say yes, one after the other. */
const approvals = definePlugin({
  name: "approvals",
  needs: [authority],
  decide({ message, envelope: { facts } }) {
    if (message.resource !== "action" || message.action !== "perform") return next();
    return facts.carol === undefined ? hold("carol") : facts.dave === undefined ? hold("dave") : next();
  },
});

test("held while it is, and then by whom it was asked of", async () => {
  const a = await site.start("n-a", { also: [approvals] });
  const b = await site.start("n-b");
  await b.app.action.register({ name: "greet", protocol: "echo" });
  await peered(a, b);
  await known(a, "greet");
  const performed = a.app.action.perform({ name: "greet", input: 1 });
  const held = (times: number) =>
    until(async () => {
      const { items } = await a.app.log.list({ message: "action.perform", verdict: "held" });
      return items.length === times ? items[0]?.id : undefined;
    });
  const id = await held(1);
  expect(await explained(a, id)).toMatchObject({ state: "held" });
  await a.app.message.settle({ id, hold: "carol", outcome: "yes" });
  const second = await held(2);
  expect(await explained(a, id)).toMatchObject({ state: "held" });
  await a.app.message.settle({ id: second, hold: "dave", outcome: "yes" });
  expect(await performed).toMatchObject({ output: 1 });
  const told = await explained(a, id);
  expect(told).toMatchObject({ state: "done" });
  expect(first(told)).toMatchObject({ name: "n-b", said: { id: await newest(b, "action.perform"), state: "done" } });
});
