// What a session's public object shows, by reflection on the real one, and what becomes of results that are scopes.

import { expect, test } from "bun:test";
import { RpcTarget } from "capnweb";
import { z } from "zod";
import type { FaultError } from "../fault/fault.ts";
import { command } from "../message/definition.ts";
import { createOrchestrator, type Orchestrator } from "../orchestrator.ts";
import { Turns } from "../pipeline/turns.ts";
import { definePlugin } from "../plugin/plugin.ts";
import { done, hold, next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { SessionBudget } from "../rpc/budget.ts";
import { publicApiClass } from "./session.ts";

/** Everybody may do everything. */
const open = definePlugin({
  name: "open",
  adds: [authority],
  decide: ({ envelope: { principal, grant } }) =>
    next({ adds: { authority: { principal, grant, reads: () => true, writes: () => true, allows: () => undefined } } }),
  connections: {
    connectionFromName: { input: z.string(), verify: (name) => ({ principal: String(name), grant: String(name) }) },
  },
});

/** `pass.take` gives a scope of the grant asked for, or waits for somebody who approves. */
const passes = definePlugin({
  name: "passes",
  needs: [authority],
  messages: {
    pass: {
      take: command({
        summary: "Take a pass.",
        data: z.strictObject({ grant: z.string(), held: z.boolean().optional() }),
        result: z.unknown(),
        scope: true,
      }),
    },
  },
  decide({ message, envelope }) {
    if (message.resource !== "pass") return next();
    const { grant, held } = message.data as { grant: string; held?: boolean };
    return held ? hold("approval") : done({ data: { principal: envelope.principal, grant } });
  },
});

// The generated classes have whatever the composition says.
type Generated = any;

async function openSession(): Promise<Generated> {
  const orchestrator = (await createOrchestrator({ plugins: [open, passes] })) as Orchestrator;
  const Api = publicApiClass(orchestrator);
  return new Api({
    orchestrator,
    budget: new SessionBudget(),
    lives: orchestrator.lives.session(true),
    turns: new Turns(),
  });
}

/** Own names along the prototype chain, as far as capnweb can be made to look. */
function membersOf(target: object): string[] {
  const names = new Set<string>();
  for (let one: object = target; one !== RpcTarget.prototype; one = Object.getPrototypeOf(one)) {
    for (const name of Object.getOwnPropertyNames(one)) names.add(name);
  }
  names.delete("constructor");
  return [...names].sort();
}

test("the public object has its connections and health, and its methods have nothing", async () => {
  const api = await openSession();
  expect(membersOf(api)).toEqual(["connectionFromName", "health"]);
  expect(Object.getOwnPropertyNames(api)).toEqual([]);
  expect(Object.getOwnPropertyNames(api.health)).toEqual([]);
  expect(Object.getOwnPropertyNames(api.connectionFromName)).toEqual([]);
  expect(api.health()).toMatchObject({ node: "n-embedded" });
});

test("a scope has its resources and applyAction, its resources their verbs", async () => {
  const scope = await (await openSession()).connectionFromName("bob");
  expect(membersOf(scope)).toEqual(["applyAction", "key", "log", "message", "node", "pass"]);
  expect(membersOf(scope.pass)).toEqual(["take"]);
  expect(Object.getOwnPropertyNames(scope.pass.take)).toEqual([]);
  expect(Object.getOwnPropertyNames(scope.applyAction)).toEqual([]);
});

test("what a target does not have is a fault that names the nearest; promises and JSON may ask all the same", async () => {
  const api = await openSession();
  const said = (read: () => unknown): string => {
    try {
      return String(read());
    } catch (thrown) {
      return `${(thrown as FaultError).code}: ${(thrown as FaultError).message}`;
    }
  };
  expect(said(() => api.healht)).toBe('MESSAGE_UNKNOWN: the public object has no "healht"; did you mean health?');
  expect(said(() => api.weather)).toBe(
    'MESSAGE_UNKNOWN: the public object has no "weather"; it has connectionFromName, health',
  );
  const scope = await api.connectionFromName("bob");
  expect(said(() => scope.pass.tkae)).toBe('MESSAGE_UNKNOWN: pass has no "tkae"; did you mean take?');
  expect(said(() => scope["\u001b[2J"])).toContain("\\u001b[2J");
  for (const name of ["then", "toJSON"])
    expect([api[name], scope[name], scope.pass[name]]).toEqual(Array(3).fill(undefined));
});

test("a result that is a scope comes with one; while it is held there is none, and the node's own grant is nobody's", async () => {
  const scope = await (await openSession()).connectionFromName("bob");
  expect(await scope.pass.take({ grant: "g-2" })).toMatchObject({ grant: "g-2", scope: expect.any(RpcTarget) });
  expect(await scope.pass.take({ grant: "g-2", held: true }, { wait: 0 })).toEqual({
    message: expect.stringMatching(/^m-/),
    held: "approval",
    pending: true,
  });
  expect(await scope.pass.take({ grant: "node" })).toEqual({ principal: "bob", grant: "node" });
});

test("nobody connects with the node's own grant", async () => {
  const api = await openSession();
  await expect(api.connectionFromName("node")).rejects.toMatchObject({ code: "CREDENTIAL_INVALID" });
});
