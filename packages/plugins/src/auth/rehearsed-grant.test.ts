// A grant as a rehearsal changes it, and messages decided again under it: its own, and those of grants made under it.

import { describe, expect, test } from "bun:test";
import { type AnyPlugin, memoryLog, type Rehearsal, rehearse } from "@capstan/orchestrator";
import fc from "fast-check";
import { firstMatch, namespaceCovers } from "../clause.ts";
import { executor } from "../executor/executor.ts";
import { echo, granted, type HubScope, NOON, scopeOf, startHub } from "../hub.fixture.ts";
import { standard } from "../standard.ts";
import { type GrantChange, rehearsedGrant } from "./rehearsed-grant.ts";
import type { GrantRow } from "./schema.ts";

const plugins = (standard() as readonly AnyPlugin[]).map((plugin) =>
  plugin.name === "executor" ? (executor({ protocols: [echo] }) as AnyPlugin) : plugin,
);

async function history() {
  const log = memoryLog();
  const { hub, app, clock } = await startHub({ log });
  await app.action.register({ name: "greet", protocol: "echo", idempotent: true });
  await app.action.register({ name: "ops/stop", protocol: "echo" });
  const bob = await granted(hub, { principal: "bob", allow: ["action.perform", "grant"], delegable: true });
  const child = await bob.scope.grant.attenuate({ allow: ["action.perform"] });
  const asked: Promise<unknown>[] = [];
  const perform = (scope: HubScope, name: string) => asked.push(scope.action.perform({ name }).catch(() => {}));
  for (const scope of [bob.scope, scopeOf(hub, child)]) for (const name of ["greet", "ops/stop"]) perform(scope, name);
  await Promise.all(asked);
  await bob.scope.action.remove({ name: "greet" }).catch(() => {});
  await hub.committer.whenDurable(hub.committer.tip);
  const under = async (change: GrantChange) => rehearse({ log, plugins, changes: [rehearsedGrant(bob.id, change)] });
  return { log, under, clock, ids: [bob.id, child.grant] };
}

/** `message principal: was → now`, without what stayed. */
function said({ differences }: Rehearsal): string[] {
  return differences.map(
    ({ message, was, now }) =>
      `${message}: ${was.code ?? was.verdict} → ${now.code ?? now.verdict} ${now.clause ?? ""}`,
  );
}

describe("a changed grant", () => {
  test("is what its own messages and those of grants made under it are decided by", async () => {
    const { under, ids } = await history();
    expect(ids).toEqual(["g-2", "g-3"]);
    const report = await under({ allow: ["action.perform:greet"] });
    expect(said(report)).toEqual([
      'grant.attenuate: done → REFUSED clause 1: resource "grant" is not "action"',
      'action.perform: done → REFUSED clause 1: name "ops/stop" is not "greet"',
      'action.perform: done → REFUSED clause 1: name "ops/stop" is not "greet"',
      'action.remove: REFUSED → REFUSED clause 1: verb "remove" is not "perform"',
    ]);
    expect(report.differences.map(({ now }) => now.text?.split(" ")[0])).toEqual(["g-2", "g-2", "g-3", "g-2"]);
    expect(report.differences[1]?.was).toEqual({ verdict: "done", plugin: "auth", clause: "action.perform" });
    expect([report.undecidable, report.state.same]).toEqual([0, true]);
  });

  test("that is wider lets its own messages pass, and leaves those made under it as narrow as they are", async () => {
    const { under } = await history();
    const report = await under({ allow: ["action", "grant"] });
    expect(said(report)).toEqual(["action.remove: REFUSED → done action"]);
    expect(await under({})).toMatchObject({ differ: 0, undecidable: 0 });
  });

  test("with other namespaces, another end, or none of it any more is refused by that", async () => {
    const { under } = await history();
    expect(said(await under({ write: ["default"] }))).toEqual([
      "action.perform: done → NAMESPACE_REFUSED write: default",
      "action.perform: done → NAMESPACE_REFUSED write: default",
    ]);
    expect(said(await under({ expires: NOON })).map((line) => line.trim())).toEqual([
      ...Array.from(
        { length: 5 },
        (_, at) => `${at === 0 ? "grant.attenuate" : "action.perform"}: done → GRANT_EXPIRED`,
      ),
      "action.remove: REFUSED → GRANT_EXPIRED",
    ]);
    expect(await under({ expires: NOON + 1 })).toMatchObject({ differ: 0 });
    const revoked = await under({ revoke: true });
    expect(revoked.differences.map(({ now }) => now.code)).toEqual(Array.from({ length: 6 }, () => "GRANT_REVOKED"));
  });
});

const row = (id: string, over: Partial<GrantRow>): GrantRow => ({
  ...{ id, principal: "bob", allow: ["*"], read: ["*"], write: ["*"], delegable: true, by: "a", at: 7 },
  ...over,
});

test("what history did to the grant otherwise stays, and other grants are what they were", () => {
  const { becomes } = rehearsedGrant("g-2", { allow: ["log"], revoke: true });
  const spent = row("g-2", { uses: 3, expires: 99, parent: "g-1" });
  expect(becomes(spent, "g-2", () => undefined)).toEqual({ ...spent, allow: ["log"], revoked: 7 });
  const other = row("g-4", { parent: "g-3" });
  expect(becomes(other, "g-4", (id) => (id === "g-3" ? row("g-3", {}) : undefined))).toBe(other);
});

test("a grant made under a changed one never covers what either does not", () => {
  const clause = fc.constantFrom(
    "*",
    "action",
    "action.perform",
    "action.perform:a*",
    "action.perform:a/b",
    "log.list",
  );
  const namespace = fc.constantFrom("*", "a", "a/b", "b");
  const limits = fc.record({
    allow: fc.array(clause, { minLength: 1, maxLength: 3 }),
    read: fc.array(namespace, { maxLength: 2 }),
    write: fc.array(namespace, { maxLength: 2 }),
  });
  const asked = [
    { resource: "action", verb: "perform", name: "a/b" },
    { resource: "action", verb: "perform", name: "b" },
    { resource: "action", verb: "list", name: undefined },
    { resource: "log", verb: "list", name: undefined },
  ];
  fc.assert(
    fc.property(limits, limits, limits, (first, second, change) => {
      const [parent, child] = [row("g-2", first), row("g-3", { ...second, parent: "g-2" })];
      const { becomes } = rehearsedGrant("g-2", change);
      const made = becomes(child, "g-3", (id) => (id === "g-2" ? parent : undefined)) as GrantRow;
      for (const one of asked) {
        const both = firstMatch(child.allow, one) >= 0 && firstMatch(change.allow, one) >= 0;
        expect(firstMatch(made.allow, one) >= 0).toBe(both);
      }
      for (const right of ["read", "write"] as const) {
        for (const one of ["a", "a/b", "a/b/c", "b", "default"]) {
          const both = namespaceCovers(child[right], one) && namespaceCovers(change[right], one);
          expect(namespaceCovers(made[right], one)).toBe(both);
        }
      }
    }),
  );
});
