// What has happened cannot be stopped by somebody's rule: the node's own messages are noted by every plugin, and judged by theirs.

import { expect, test } from "bun:test";
import { decodeEntry } from "../log/entry.ts";
import type { AnyPlugin, PluginContext } from "../plugin/plugin.ts";
import { hold, next, type PluginResult, refuse } from "../plugin/result.ts";
import { authority, type Token } from "../plugin/token.ts";
import { jobs } from "../testing/jobs.fixture.ts";
import { admits, codeOf, plugin, start } from "../testing/start.fixture.ts";

type Decide = (context: PluginContext<readonly [typeof authority]>) => PluginResult<readonly Token[]>;

/** A rule of an operator's that did not think of the node's own messages. */
const rule = (decide: Decide): AnyPlugin => plugin("rule", { needs: [authority], decide });

const rules: [string, Decide][] = [
  ["refuses everything else", ({ message }) => (message.action === "run" ? next() : refuse("NO", "no"))],
  ["holds everything else", ({ message }) => (message.action === "run" ? next() : hold("later"))],
  [
    "throws at what it does not know",
    ({ message }) => next({ clause: (message.data as { name: string }).name.trim() }),
  ],
  ["answers nonsense", ({ message }) => (message.action === "run" ? next() : (undefined as never))],
];

test.each(rules)("a plugin that %s stops neither the start nor an outcome", async (_, decide) => {
  const lenient: Decide = (context) => (context.message.action === "run" ? next() : decide(context));
  const node = await start([admits(), rule(lenient), jobs(async () => "ok")]);
  expect(await node.send<string>("job.run")).toBe("ok");
  expect(await node.history()).toEqual(["job.run done", "job.done done"]);
  expect(node.errors.length).toBeGreaterThan(0);
});

test("an outcome that its own plugin refuses fails, and whoever waits is told", async () => {
  const stubborn = jobs(async () => "ok");
  const refusing: AnyPlugin = {
    ...stubborn,
    decide: (context) => (context.envelope.internal ? refuse("JOB_ODD", "not like this") : stubborn.decide(context)),
  };
  const node = await start([admits(), refusing]);
  expect(await codeOf(node.send("job.run"))).toBe("INTERNAL");
  expect(node.errors.some((line) => line.includes("could not be recorded"))).toBe(true);
});

test("attaching is for what the caller's own grant would let it ask", async () => {
  const node = await start([admits(new Set()), jobs(async () => "ok")]);
  const scope = await node.orchestrator.scope({ principal: "ada", allow: ["*"] });
  await scope.applyAction({ resource: "job", action: "run", data: {} });
  const [entry] = (await node.log.read(2)).map(decodeEntry);
  const id = entry?.header.id;
  expect(await node.send<string>("message.attach", { id })).toBe("ok");
  expect(await codeOf(node.send("message.attach", { id }, { as: "bob" }))).toBe("MESSAGE_NOT_FOUND");
});
