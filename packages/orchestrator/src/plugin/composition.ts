// A list of plugins, checked and indexed once at start: order and tokens, message names, tables, faults, connections. What
// does not fit refuses to start, by name. Nothing is sorted or invented.

import { z } from "zod";
import { FaultError, type FaultRow, type FaultTable } from "../fault/fault.ts";
import { kernelFaults } from "../fault/kernel-faults.ts";
import { printable } from "../fault/printable.ts";
import type { MessageDefinition } from "../message/definition.ts";
import { nearest } from "../message/nearest.ts";
import { COLD_TABLES, type Table } from "../state/table.ts";
import type { Connection } from "./connection.ts";
import type { AnyPlugin, Door, EffectHandler, PluginDescription } from "./plugin.ts";
import { authority } from "./token.ts";

/** A message's definition with what the pipeline needs to route it. */
export interface Route {
  readonly name: string;
  readonly resource: string;
  readonly verb: string;
  readonly definition: MessageDefinition;
  readonly plugin: AnyPlugin;
  /** Plugins that prepare for it, in order. */
  readonly preparers: readonly AnyPlugin[];
}

/** The plugins of an orchestrator, checked and indexed. */
export interface Composition {
  readonly plugins: readonly AnyPlugin[];
  readonly routes: ReadonlyMap<string, Route>;
  readonly tables: readonly Table[];
  /** Those whose rows can be reached by a route. */
  readonly routable: readonly Table[];
  readonly faults: ReadonlyMap<string, FaultRow>;
  readonly connections: ReadonlyMap<string, Connection>;
  readonly doors: readonly Door[];
  /** Name, version and configuration of each plugin, in order: what the log records of it. */
  readonly description: readonly PluginDescription[];
  /** What plugins give for every message alike, by token. */
  readonly given: Readonly<Record<string, unknown>>;
  /** For each plugin the tokens that its decisions have to add. */
  readonly adding: readonly (readonly string[])[];
  /** Index of the plugin that establishes the authority. */
  readonly authorityAt: number;
  ownerOf(table: string): string | undefined;
  handler(plugin: string, kind: string): EffectHandler | undefined;
  /** The route of a message, or the fault that says which name is nearest. */
  route(resource: string, verb: string): Route;
}

// What a stub, a promise or an object uses itself, and so can be no name of a resource or verb (capnweb's RpcPromise).
const RESERVED = new Set([
  ...[
    "then",
    "catch",
    "finally",
    "map",
    "dup",
    "onRpcBroken",
    "constructor",
    "prototype",
    "applyAction",
    "at",
    "toJSON",
  ],
  ...Object.getOwnPropertyNames(Object.prototype),
]);
const NAME = /^[a-z][A-Za-z0-9]{0,63}$/;
const TABLE_NAME = /^[a-z][\w-]{0,63}$/;
// The kernel's own, which no plugin declares because their rows are not kept in memory.
const RESERVED_TABLES = new Set<string>(COLD_TABLES);
const CONNECTION_RESERVED = new Set(["challenge", "health"]);
// What the node's key signs of its own begins otherwise (proof/checkpoint.ts, proof/cosignature.ts, notary/rotation-statement.ts,
// server/local-request.ts): no label can be the first line of any of that.
const LABEL = /^capstan [a-z]+( [a-z]+)*\/[1-9][0-9]{0,3}$/;

export function compose(plugins: readonly AnyPlugin[]): Composition {
  const added = new Set<string>();
  const names = new Set<string>();
  const routes = new Map<string, Route>();
  const owners = new Map<string, string>();
  const tables: Table[] = [];
  const faults = new Map<string, FaultRow>(Object.entries(kernelFaults));
  const connections = new Map<string, Connection>();
  const doors = new Map<string, Door>();
  const labels = new Map<string, string>();
  let cosigner: string | undefined;
  const handlers = new Map<string, ReadonlyMap<string, EffectHandler>>();
  const given: Record<string, unknown> = {};

  if (!plugins.some((plugin) => plugin.adds?.some(({ name }) => name === authority.name))) {
    invalid(
      `no plugin adds "${authority.name}"; without it nothing could be allowed: one that authenticates goes first`,
    );
  }
  for (const plugin of plugins) {
    const who = `plugin "${plugin.name}"`;
    if (names.has(plugin.name)) invalid(`${who} is there twice`);
    names.add(plugin.name);
    for (const { name } of plugin.needs ?? []) {
      if (!added.has(name))
        invalid(`${who} needs "${name}", which no plugin before it adds; ${whoAdds(plugins, name)}`);
    }
    for (const { name } of plugin.adds ?? []) {
      if (added.has(name)) invalid(`${who} adds "${name}", which a plugin before it already adds`);
      added.add(name);
    }
    for (const [name, value] of Object.entries(plugin.gives ?? {})) {
      if (!plugin.adds?.some((token) => token.name === name) || name === authority.name)
        invalid(`${who} gives "${name}", which ${name === authority.name ? "only a decision can" : "it does not add"}`);
      given[name] = value;
    }
    for (const [resource, verbs] of Object.entries(plugin.messages ?? {})) {
      for (const [verb, definition] of Object.entries(verbs)) {
        const name = `${resource}.${verb}`;
        for (const part of [resource, verb]) {
          if (RESERVED.has(part) || !NAME.test(part)) invalid(`${who} declares ${name}: "${part}" cannot be a name`);
        }
        if (routes.has(name))
          invalid(`${who} declares ${name}, which "${routes.get(name)?.plugin.name}" declares already`);
        if (!isClosed(definition.data)) invalid(`${who} declares ${name} with open data; use z.strictObject`);
        if (definition.addressed && !takesAt(definition.data))
          invalid(`${who} declares ${name}, which can be addressed, and whose data has no optional text "at"`);
        const preparers = plugins.filter((one) => one.prepare !== undefined && Object.hasOwn(one.prepare, name));
        routes.set(name, { name, resource, verb, definition, plugin, preparers });
      }
    }
    for (const table of plugin.tables ?? []) {
      if (!TABLE_NAME.test(table.name) || RESERVED_TABLES.has(table.name))
        invalid(`${who} owns table "${table.name}": that cannot be its name`);
      if (owners.has(table.name))
        invalid(`${who} owns table "${table.name}", which "${owners.get(table.name)}" owns already`);
      if (table.kind === "session" && table.routes !== undefined)
        invalid(`${who} owns table "${table.name}": only logged tables have rows that can be reached by a route`);
      if (table.kind === "session" && table.countedBy !== undefined)
        invalid(`${who} owns table "${table.name}": only rows of logged tables are counted`);
      owners.set(table.name, plugin.name);
      tables.push(table);
    }
    addFaults(faults, plugin.faults ?? {}, who);
    for (const [name, connection] of Object.entries(plugin.connections ?? {})) {
      if (connections.has(name) || CONNECTION_RESERVED.has(name))
        invalid(`${who} offers ${name}, which is there already`);
      if (RESERVED.has(name) || !NAME.test(name)) invalid(`${who} offers "${name}", which cannot be a name`);
      if (connection.bearer && (connection.lasting || connection.challenge !== undefined))
        invalid(`${who} offers ${name}: what a request brings by itself needs no session and no challenge`);
      connections.set(name, connection);
    }
    for (const label of plugin.signs ?? []) {
      if (!LABEL.test(label)) invalid(`${who} signs "${label}": a label is like "capstan route origin/1"`);
      if (labels.has(label)) invalid(`${who} signs "${label}", which "${labels.get(label)}" signs already`);
      labels.set(label, plugin.name);
    }
    if (plugin.cosigns === true) {
      if (cosigner !== undefined) invalid(`${who} cosigns checkpoints, which "${cosigner}" does already`);
      cosigner = plugin.name;
    }
    for (const door of plugin.doors ?? []) {
      if (doors.has(door.path)) invalid(`${who} opens ${door.path}, which is open already`);
      doors.set(door.path, door);
    }
    handlers.set(plugin.name, new Map(Object.entries(plugin.effects ?? {})));
  }
  // Names are not put together for each message: each would be hashed anew.
  const verbs = new Map<string, Map<string, Route>>();
  for (const route of routes.values()) {
    const known = verbs.get(route.resource) ?? new Map<string, Route>();
    verbs.set(route.resource, known.set(route.verb, route));
  }
  return {
    plugins,
    routes,
    tables,
    routable: tables.filter((table) => table.routes !== undefined),
    faults,
    connections,
    doors: [...doors.values()],
    given: Object.freeze(given),
    adding: plugins.map(({ adds = [], gives = {} }) =>
      adds.map(({ name }) => name).filter((name) => !Object.hasOwn(gives, name)),
    ),
    authorityAt: plugins.findIndex((plugin) => plugin.adds?.some(({ name }) => name === authority.name)),
    description: plugins.map(({ name, version, configuration }) => ({
      name,
      version: version ?? "0",
      configuration: configuration ?? null,
    })),
    ownerOf: (table) => owners.get(table),
    handler: (plugin, kind) => handlers.get(plugin)?.get(kind),
    route: (resource, verb) => verbs.get(resource)?.get(verb) ?? unknownMessage(routes, resource, verb),
  };
}

function whoAdds(plugins: readonly AnyPlugin[], name: string): string {
  const later = plugins.find((plugin) => plugin.adds?.some((token) => token.name === name));
  return later === undefined
    ? "nor does any after it: put the plugin in that does"
    : `"${later.name}" adds it: put that one first`;
}

function addFaults(faults: Map<string, FaultRow>, table: FaultTable, who: string): void {
  for (const [code, row] of Object.entries(table)) {
    if (faults.has(code)) invalid(`${who} declares the fault ${code}, which is declared already`);
    faults.set(code, row);
  }
}

function isClosed(schema: z.ZodType): boolean {
  return schema instanceof z.ZodObject && schema.def.catchall instanceof z.ZodNever;
}

function takesAt(schema: z.ZodType): boolean {
  const at = schema instanceof z.ZodObject ? (schema.shape.at as z.ZodType | undefined) : undefined;
  return at?.safeParse(undefined).success === true && at.safeParse("a").success;
}

function unknownMessage(routes: ReadonlyMap<string, Route>, resource: string, verb: string): never {
  const open = [...routes.values()].filter(({ definition }) => !definition.internal).map(({ name }) => name);
  const asked = `${String(resource)}.${String(verb)}`.slice(0, 80);
  const suggestion = nearest(asked, open);
  const hint = suggestion === undefined ? "`message.list` names all" : `did you mean ${suggestion}?`;
  throw new FaultError({ code: "MESSAGE_UNKNOWN", message: `no message "${printable(asked)}"; ${hint}` });
}

function invalid(text: string): never {
  throw new FaultError({ code: "COMPOSITION_INVALID", message: text });
}
