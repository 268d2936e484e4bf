// Compositions that are put together at run time, where no compiler has seen them: the default one starts, and none does
// in which a plugin stands before what it needs. The compiler's half is order.type-test.ts.

import { describe, expect, test } from "bun:test";
import { type AnyPlugin, createOrchestrator, definePlugin, kernelFaults, next } from "@capstan/orchestrator";
import { auth } from "./auth/auth.ts";
import { deadLetter } from "./dead-letter/dead-letter.ts";
import { executor } from "./executor/executor.ts";
import { faultFrom } from "./hub.fixture.ts";
import { ledger } from "./ledger/ledger.ts";
import { registry } from "./registry/registry.ts";
import { standard } from "./standard.ts";

const start = (plugins: readonly AnyPlugin[]) => createOrchestrator({ plugins: plugins as readonly AnyPlugin[] });
const byName: Readonly<Record<string, AnyPlugin>> = Object.fromEntries(
  (standard() as readonly AnyPlugin[]).map((plugin) => [plugin.name, plugin]),
);
const inOrder = (names: string) => names.split(" ").map((name) => byName[name] as AnyPlugin);

describe("the default composition", () => {
  test("starts, in the order that it is written in", async () => {
    const hub = await start(standard());
    expect(hub.composition.plugins.map(({ name }) => name)).toEqual([
      "auth",
      "registry",
      "dead-letter",
      "executor",
      "publisher",
      "peer-propagation",
      "ledger",
      "kernel",
    ]);
    expect(hub.composition.plugins[hub.composition.authorityAt]?.name).toBe("auth");
    await hub.stop();
  });

  test("declares a fault for every code, and no code twice", async () => {
    const hub = await start(standard());
    const declared = [kernelFaults, ...hub.composition.plugins.map(({ faults }) => faults ?? {})].flatMap(Object.keys);
    expect(new Set(declared).size).toBe(declared.length);
    expect([...hub.composition.faults.keys()].sort()).toEqual(declared.sort());
    await hub.stop();
  });
});

describe("a composition made at run time", () => {
  test("does not start with two plugins swapped, and says which and why", async () => {
    for (const [names, why] of [
      [
        "auth dead-letter executor registry ledger",
        'plugin "executor" needs "actions", which no plugin before it adds; "registry" adds it: put that one first',
      ],
      [
        "auth registry executor dead-letter ledger",
        'plugin "executor" needs "deadLetters", which no plugin before it adds; "dead-letter" adds it: put that one first',
      ],
      [
        "registry auth dead-letter executor ledger",
        'plugin "registry" needs "authority", which no plugin before it adds; "auth" adds it: put that one first',
      ],
      [
        "ledger auth registry dead-letter executor",
        'plugin "ledger" needs "authority", which no plugin before it adds; "auth" adds it: put that one first',
      ],
    ] as const) {
      const refused = await faultFrom(start(inOrder(names)));
      expect(refused.code).toBe("COMPOSITION_INVALID");
      expect(refused.message).toContain(why);
    }
  });

  test("starts in every order that gives each plugin what it needs, and in no other", async () => {
    const orders = permutations(["auth", "registry", "dead-letter", "executor", "publisher", "ledger"]);
    const started: string[] = [];
    for (const order of orders) {
      const hub = await start(inOrder(order.join(" "))).catch(() => undefined);
      if (hub === undefined) continue;
      started.push(order.join(" "));
      await hub.stop();
    }
    expect(orders).toHaveLength(720);
    // After auth in any order, but for the executor, which comes after both that it needs, and the publisher after that one.
    const rest = permutations(["dead-letter", "executor", "ledger", "publisher", "registry"]);
    const fit = rest.filter(
      (one) =>
        one.indexOf("executor") > Math.max(one.indexOf("dead-letter"), one.indexOf("registry")) &&
        one.indexOf("publisher") > one.indexOf("executor"),
    );
    expect(fit).toHaveLength(10);
    expect(started.sort()).toEqual(fit.map((one) => ["auth", ...one].join(" ")).sort());
  });

  test("does not start without an authority", async () => {
    for (const plugins of [[], [definePlugin({ name: "alone", decide: () => next() })]]) {
      const refused = await faultFrom(start(plugins));
      expect(refused).toMatchObject({ code: "COMPOSITION_INVALID" });
      expect(refused.message).toContain("authority");
    }
    expect(await faultFrom(start([registry(), deadLetter(), executor({ protocols: [] }), ledger()]))).toMatchObject({
      code: "COMPOSITION_INVALID",
    });
  });

  test("does not start where a plugin turns out not to add what it may", async () => {
    const { adds: _adds, gives: _gives, ...hollow } = registry();
    const refused = await faultFrom(
      start([auth(), hollow as AnyPlugin, deadLetter(), executor({ protocols: [] }), ledger()]),
    );
    expect(refused).toMatchObject({
      code: "COMPOSITION_INVALID",
      message: expect.stringContaining('plugin "executor" needs "actions"'),
    });
  });

  test("does not start with a plugin twice", async () => {
    expect(await faultFrom(start([auth(), registry(), registry()]))).toMatchObject({
      code: "COMPOSITION_INVALID",
      message: expect.stringContaining('plugin "registry" is there twice'),
    });
  });
});

function permutations(names: readonly string[]): string[][] {
  if (names.length < 2) return [[...names]];
  return names.flatMap((first) => permutations(names.filter((one) => one !== first)).map((rest) => [first, ...rest]));
}
