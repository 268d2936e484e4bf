// The plugin at any hour, by a clock of the test's own, and the configuration that loads it.

import { describe, expect, test } from "bun:test";
import { type AnyPlugin, authority, createOrchestrator, definePlugin, next, parseConfig } from "@capstan/orchestrator";
import { auth, deadLetter, executor, ledger, registry } from "@capstan/plugins";
import { businessHours } from "./business-hours.ts";
import config from "./capstan.config.ts";

async function at(time: string) {
  const hub = await createOrchestrator({
    plugins: [auth(), businessHours(9, 17), registry(), deadLetter(), executor({ protocols: [] }), ledger()],
    now: () => Date.parse(`2026-03-02T${time}Z`),
  });
  return await hub.scope({ principal: "app", allow: ["*"] });
}

describe("business hours", () => {
  test("let an action be performed from the first hour until before the last", async () => {
    for (const time of ["09:00:00", "12:30:00", "16:59:59.999"]) {
      const app = await at(time);
      // There is no such action: that it was looked for shows that the hours let it pass.
      const refused = await app.action.perform({ name: "greet" }).catch((fault) => fault);
      expect(refused).toMatchObject({ code: "ACTION_UNKNOWN" });
      const { plugins } = (await app.log.explain({ id: refused.id })) as { plugins: unknown[] };
      expect(plugins[1]).toEqual({ plugin: "business-hours", verdict: "next", clause: "open 9 to 17" });
    }
  });

  test("refuse it outside of them, with a fault of their own, and change nothing", async () => {
    for (const time of ["08:59:59.999", "17:00:00", "00:00:00"]) {
      const app = await at(time);
      const refused = await app.action.perform({ name: "greet" }).catch((fault) => fault);
      expect(refused).toMatchObject({
        code: "BUSINESS_HOURS_CLOSED",
        message: `app: closed at ${Number(time.slice(0, 2))}:00 UTC; open 9 to 17`,
      });
      expect(await app.log.explain({ id: refused.id })).toMatchObject({
        verdict: "refused",
        rows: [],
        plugins: [
          { plugin: "auth", verdict: "next" },
          { plugin: "business-hours", verdict: "refused", clause: "open 9 to 17" },
          { plugin: "registry", verdict: "not reached" },
          { plugin: "dead-letter", verdict: "not reached" },
          { plugin: "executor", verdict: "not reached" },
          { plugin: "ledger", verdict: "not reached" },
        ],
      });
    }
  });

  test("leave alone what is no performing", async () => {
    const app = await at("03:00:00");
    expect(await app.action.list()).toEqual({ items: [] });
    await app.principal.create({ name: "bob" });
  });
});

describe("the configuration", () => {
  test("loads, with the plugin between auth and registry", async () => {
    const plugins = parseConfig(config).plugins as readonly AnyPlugin[];
    const others = ["registry", "dead-letter", "executor", "publisher", "peer-propagation", "ledger"];
    expect(plugins.map(({ name }) => name)).toEqual(["auth", "business-hours", ...others]);
    const hub = await createOrchestrator({ plugins });
    expect(hub.composition.faults.get("BUSINESS_HOURS_CLOSED")).toMatchObject({ status: 403, retryable: true });
    await hub.stop();
  });

  test("does not start with the plugin before the one that it needs", async () => {
    const admits = definePlugin({
      name: "admits",
      adds: [authority],
      decide: () =>
        next({
          adds: {
            authority: { principal: "p", grant: "g", reads: () => true, writes: () => true, allows: () => undefined },
          },
        }),
    });
    const plugins: readonly AnyPlugin[] = [businessHours(9, 17), admits];
    await expect(createOrchestrator({ plugins })).rejects.toMatchObject({ code: "COMPOSITION_INVALID" });
  });
});
