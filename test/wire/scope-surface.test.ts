// What can be reached over the wire is what the message table says, and nothing beside it (issue 2, "must show" 3): probed with
// the table's names, with every name that reflection finds, and with random ones, by reads and by calls.

import { afterEach, expect, test } from "bun:test";
import { RpcTarget } from "capnweb";
import { startNode, stopNodes, type TestNode } from "./node.ts";
import { type Probe, type Probing, probing, transportNames } from "./session.ts";

afterEach(stopNodes);

const PUBLIC = 0;
const SCOPE = 1;
/** No message takes it, and so every one says MESSAGE_INVALID and does nothing. */
const NONSENSE = { nonsense: 1 };
const AT_ONCE = 2000;

test.each(transportNames)(
  "over %s a scope answers the message table, applyAction and at, and nothing else",
  async (transport) => {
    const node = await startNode();
    const wire = await probing(transport, node.url, node.admin);
    const table = openTable(node);
    const names = allNames(node);
    expect(names.length).toBeGreaterThan(1100);

    const added = await node.added(async () => {
      expect(await answering(wire, SCOPE, [], names)).toEqual({
        read: [...table.keys(), "applyAction", "at"].sort(),
        called: ["applyAction", "at"],
      });
      for (const [resource, verbs] of table) {
        expect(await answering(wire, SCOPE, [resource], names)).toEqual({ read: verbs, called: verbs });
      }
    });
    expect(added).toEqual([]);
    wire.close();
  },
);

test.each(transportNames)(
  "over %s the public object answers its connections and health, and nothing else",
  async (transport) => {
    const node = await startNode();
    const wire = await probing(transport, node.url, node.admin);
    const members = [...node.orchestrator.composition.connections.keys(), "health"].sort();
    expect(members).toEqual(["connectionFromCli", "health"]);
    expect(await answering(wire, PUBLIC, [], allNames(node))).toEqual({ read: members, called: members });
    wire.close();
  },
);

test.each(transportNames)(
  "over %s nothing lies behind a method: no constructor, no prototype, no name",
  async (transport) => {
    const node = await startNode();
    const wire = await probing(transport, node.url, node.admin);
    const names = reflectedNames(node);
    const nothing = { read: [], called: [] };
    expect(await answering(wire, PUBLIC, ["health"], names)).toEqual(nothing);
    expect(await answering(wire, PUBLIC, ["connectionFromCli"], names)).toEqual(nothing);
    for (const method of ["applyAction", "at"]) expect(await answering(wire, SCOPE, [method], names)).toEqual(nothing);
    for (const [resource, verbs] of openTable(node)) {
      expect(await answering(wire, SCOPE, [resource, verbs[0] as string], names)).toEqual(nothing);
    }
    for (const way of ["constructor", "__proto__", "prototype"]) {
      expect(await answering(wire, SCOPE, [way], names)).toEqual(nothing);
      expect(await answering(wire, SCOPE, ["action", way], names)).toEqual(nothing);
      expect(await answering(wire, SCOPE, ["action", "perform", way, "constructor"], names)).toEqual(nothing);
    }
    wire.close();
  },
);

test("applyAction answers exactly the open messages; internal ones are refused as what they are", async () => {
  const node = await startNode();
  const wire = await probing("WebSocket", node.url, node.admin);
  const routes = [...node.orchestrator.composition.routes.values()];
  const resources = [
    ...new Set([...routes.map(({ resource }) => resource), ...reflectedNames(node).slice(0, 60), "", "action.perform"]),
  ];
  const verbs = [
    ...new Set([...routes.map(({ verb }) => verb), "constructor", "__proto__", "toString", "", "perform.perform"]),
  ];
  const asked = resources.flatMap((resource) => verbs.map((action) => ({ resource, action })));

  const codes = new Map<string, string[]>();
  for (let from = 0; from < asked.length; from += AT_ONCE) {
    const some = asked.slice(from, from + AT_ONCE);
    const probes = some.map((message) => ({
      target: SCOPE,
      path: ["applyAction"],
      args: [{ ...message, data: NONSENSE }],
    }));
    for (const [i, answer] of (await wire.probe(probes)).entries()) {
      const code = codeIn(answer) ?? "answered";
      const name = `${some[i]?.resource}.${some[i]?.action}`;
      codes.set(code, [...(codes.get(code) ?? []), name]);
    }
  }
  const named = (internal: boolean) =>
    routes.filter((one) => Boolean(one.definition.internal) === internal).map(({ name }) => name);
  expect([...codes.keys()].sort()).toEqual(["MESSAGE_INTERNAL", "MESSAGE_INVALID", "MESSAGE_UNKNOWN"]);
  expect(codes.get("MESSAGE_INVALID")?.sort()).toEqual(named(false).sort());
  expect(codes.get("MESSAGE_INTERNAL")?.sort()).toEqual(named(true).sort());
  expect(named(true)).toContain("execution.complete");
  wire.close();
});

/** Which of the names behind a path give something when they are read, and which when they are called. */
async function answering(wire: Probing, target: number, path: readonly string[], names: readonly string[]) {
  const read: string[] = [];
  const called: string[] = [];
  for (let from = 0; from < names.length; from += AT_ONCE) {
    const some = names.slice(from, from + AT_ONCE);
    const reads = await wire.probe(some.map((name): Probe => ({ target, path: [...path, name] })));
    const calls = await wire.probe(some.map((name): Probe => ({ target, path: [...path, name], args: [NONSENSE] })));
    for (const [i, name] of some.entries()) {
      const [type, , value] = reads[i] as any[];
      if (type === "resolve" && JSON.stringify(value) !== '["undefined"]') read.push(name);
      if (codeIn(calls[i] as any[]) !== "MESSAGE_UNKNOWN") called.push(name);
    }
  }
  return { read: read.sort(), called: called.sort() };
}

function codeIn([type, , error]: any[]): string | undefined {
  return type === "reject" ? error[4].code : undefined;
}

/** resource → its verbs, sorted; without the internal ones. */
function openTable(node: TestNode): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const { resource, verb, definition } of node.orchestrator.composition.routes.values()) {
    if (!definition.internal) table.set(resource, [...(table.get(resource) ?? []), verb].sort());
  }
  return table;
}

function allNames(node: TestNode): string[] {
  return [...new Set([...reflectedNames(node), ...randomNames(1000, 20_300_101)])];
}

/** The table's names, and the own names of the server's objects along their prototype chains. */
function reflectedNames(node: TestNode): string[] {
  const { orchestrator } = node;
  const names = new Set<string>();
  for (const { name, resource, verb } of orchestrator.composition.routes.values()) {
    for (const one of [name, resource, verb]) names.add(one);
  }
  for (const name of [...orchestrator.composition.connections.keys(), "health", "challenge"]) names.add(name);
  const scope: any = orchestrator.scopeFor({ call: () => undefined });
  const targets = [scope, ...[...openTable(node).keys()].map((resource) => scope[resource])];
  const roots = [
    ...[...targets, ...targets.map((target) => target.constructor), scope.applyAction, scope.action.perform],
    ...[RpcTarget, RpcTarget.prototype, Object, Object.prototype, Function, Function.prototype, Promise.prototype],
    ...[orchestrator, orchestrator.hub, orchestrator.committer, orchestrator.reader, orchestrator.composition],
  ];
  for (const root of roots) {
    for (let one: object | null = root; one !== null; one = Object.getPrototypeOf(one)) {
      for (const name of Object.getOwnPropertyNames(one)) names.add(name);
    }
  }
  // Private names, and what an engine or a library is known to look for.
  for (const name of [
    "#caller",
    "#session",
    "caller",
    "session",
    "budget",
    "then",
    "toJSON",
    "map",
    "dup",
    "onRpcBroken",
    "",
    "0",
  ])
    names.add(name);
  return [...names];
}

/** Mulberry32, so that a failure can be repeated. */
function randomNames(count: number, seed: number): string[] {
  let state = seed;
  const random = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$";
  return Array.from({ length: count }, () =>
    Array.from({ length: 1 + random(14) }, () => letters[random(letters.length)]).join(""),
  );
}
