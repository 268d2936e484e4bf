// Hostile scripts against a whole node, over its wire: each is registered and performed as a tenant would, and comes to
// nothing. After all of them the node, its other callers and its memory are what they were.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Connected, connect } from "@capstan/orchestrator/client";
import { script } from "@capstan/plugins";
import { startNode, stopNodes, type TestNode } from "../wire/node.ts";
import { complaint, makeDirectory, Tenant, tenantGrant } from "./tenant.ts";

const directory = makeDirectory();
const scripts = script({ slots: 2 });
// Known before anything is started: each is a test of its own.
const { list } = new Tenant({} as never, directory);
let node: TestNode;
let connected: Connected;
let tenant: Tenant;

beforeAll(async () => {
  node = await startNode({ protocols: [scripts] });
  for (const name of ["echo", "vault"]) await node.ask("action", "register", { name, protocol: "echo" });
  const { secret } = await node.grant({ principal: "tenant", allow: tenantGrant(directory) });
  connected = connect({ url: node.url, as: { connectionFromCli: secret } });
  tenant = new Tenant(connected.scope as never, directory);
});

afterAll(async () => {
  connected.close();
  await scripts.stop?.();
  await stopNodes();
  directory.remove();
});

describe("a script comes to nothing with", () => {
  for (const [place, { name }] of list.entries()) {
    test(name, async () => {
      const attempt = tenant.list[place] as (typeof list)[number];
      const registered = await tenant.register(attempt);
      if (attempt.unregistered) {
        expect(complaint(attempt, registered)).toBeUndefined();
        return;
      }
      expect(registered).not.toHaveProperty("message");
      const tried = await tenant.perform(attempt);
      expect(complaint(attempt, tried)).toBeUndefined();
      expect(tried.message ?? "").not.toMatch(/node_modules|packages\/|bunfs|\p{Cc}/u);
    });
  }
});

describe("after all of them", () => {
  const probe = {
    name: "probe",
    source: `const polluted = [];
      for (const one of [Object, Array, Function, String, Promise, WeakMap, Error]) for (const key of Object.keys(one.prototype)) polluted.push(key);
      return [polluted, Object.keys(globalThis), JSON.stringify([1]), Reflect.apply(String.prototype.slice, "abc", [1])];`,
    answers: [[], ["console"], "[1]", "bc"],
  };

  test("another script finds nothing of theirs", async () => {
    const pollute = `Object.prototype.polluted = 1; Array.prototype.polluted = 1; globalThis.kept = 1; Function.prototype.polluted = 1;
      JSON.stringify = () => "0"; Object.freeze(Promise.prototype); return 1;`;
    const source = (body: string): string => `export default function () { ${body} }`;
    const { scope } = connected;
    for (const [name, body] of [
      ["pollute", pollute],
      ["probe", probe.source],
    ] as const) {
      await scope.applyAction({
        resource: "action",
        action: "register",
        data: { name, protocol: "script", configuration: { source: source(body) } },
      });
    }
    const perform = async (name: string) =>
      ((await scope.applyAction({ resource: "action", action: "perform", data: { name } })) as { output: unknown })
        .output;
    for (let i = 0; i < 4; i++) {
      expect(await perform("pollute")).toBe(1);
      expect(await perform("probe")).toEqual(probe.answers);
    }
  });

  test("the node's own objects and files are as they were", () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(readFileSync(join(directory.outside, "secret.txt"), "utf8")).toBe("secret");
  });

  test("the node's log has no line that a guest could pass off as another", () => {
    expect(node.lines.length).toBeGreaterThan(0);
    for (const line of node.lines) expect(line.trimEnd()).not.toMatch(/\p{Cc}/u);
  });
});
