// A scope answers exactly the message table, less what is internal, and applyAction: by any way that reflection finds.

import { describe, expect, test } from "bun:test";
import { RpcTarget } from "capnweb";
import { z } from "zod";
import { addressed, command } from "../message/definition.ts";
import { compose } from "../plugin/composition.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, records, start, takes } from "../testing/start.fixture.ts";
import type { Caller } from "./caller.ts";
import { scopeClass } from "./scope.ts";

const mixed = plugin("mixed", { messages: { note: { secret: records() }, hidden: { only: records() } } });
const composition = compose([admits(), notes(), mixed, plugin("more", { messages: { more: { say: takes("text") } } })]);
const Scoped = scopeClass(composition);

function scoped() {
  const calls: unknown[] = [];
  const call: Caller["call"] = ({ name }, data, options) => {
    calls.push([name, data, options]);
    return Promise.resolve(name);
  };
  return { scope: new Scoped({ call }) as any, calls };
}

/** Every name that an object or one of its prototypes has, up to RpcTarget. */
function namesOf(target: object): string[] {
  const names = new Set<string>();
  for (let one = target; one !== RpcTarget.prototype; one = Object.getPrototypeOf(one)) {
    for (const name of Object.getOwnPropertyNames(one)) if (name !== "constructor") names.add(name);
  }
  return [...names].sort();
}

describe("what is there", () => {
  test("a scope has the table's resources and applyAction, a resource its verbs, and nothing of its own", () => {
    const { scope } = scoped();
    const answers = (target: object) => namesOf(target).filter((name) => isAnswer(Reflect.get(target, name)));
    expect(answers(scope)).toEqual(["applyAction", "more", "note"]);
    expect(answers(scope.note)).toEqual(["read", "write"]);
    expect(answers(scope.more)).toEqual(["say"]);
    for (const target of [scope, scope.note]) expect(Object.keys(target)).toEqual([]);
  });

  function isAnswer(value: unknown): boolean {
    return typeof value === "function" || value instanceof RpcTarget;
  }

  test("each verb sends its own message, with data and options", async () => {
    const { scope, calls } = scoped();
    await scope.note.write({ name: "a", text: "b" }, { key: "k" });
    await scope.more.say({ text: "c" });
    expect(calls).toEqual([
      ["note.write", { name: "a", text: "b" }, { key: "k" }],
      ["more.say", { text: "c" }, {}],
    ]);
    expect(scope.note).toBe(scope.note);
  });

  test("every verb is bound to its holder: it cannot be borrowed for another's caller", () => {
    const { scope } = scoped();
    expect(() => scope.note.write.call({}, { name: "a", text: "b" })).toThrow();
    expect(() => Object.getPrototypeOf(scope).applyAction.call({}, { resource: "note", action: "read" })).toThrow();
  });
});

describe("at", () => {
  const data = z.strictObject({ text: z.string(), at: z.string().optional() });
  const far = plugin("far", {
    messages: {
      far: {
        ask: addressed(command({ summary: "For tests.", data, result: z.unknown() })),
        own: takes("text"),
      },
    },
  });
  const Far = scopeClass(compose([admits(), notes(), far]));

  function reaching() {
    const calls: unknown[] = [];
    const call: Caller["call"] = ({ name }, asked, options) => {
      calls.push([name, asked, options]);
      return Promise.resolve(name);
    };
    return { scope: new Far({ call }) as any, calls };
  }

  test("sets it in what can be addressed, hop behind hop, and takes the options along", async () => {
    const { scope, calls } = reaching();
    const berlin = scope.at("berlin");
    await berlin.far.ask({ text: "a" }, { key: "k" });
    await berlin.at("cairo").far.ask({ text: "a", at: "delhi" });
    await berlin.applyAction({ resource: "far", action: "ask", data: { text: "b" } }, { wait: 0 });
    await berlin.far.ask();
    await berlin.far.ask("no object");
    expect(calls).toEqual([
      ["far.ask", { text: "a", at: "berlin" }, { key: "k" }],
      ["far.ask", { text: "a", at: "berlin/cairo/delhi" }, {}],
      ["far.ask", { text: "b", at: "berlin" }, { wait: 0 }],
      ["far.ask", { at: "berlin" }, {}],
      ["far.ask", "no object", {}],
    ]);
  });

  test("has those messages, and no others", async () => {
    const { scope, calls } = reaching();
    const berlin = scope.at("berlin");
    const names = namesOf(berlin).filter((name) => typeof Reflect.get(berlin, name) !== "undefined");
    expect(names).toEqual(["applyAction", "at", "far"]);
    expect(namesOf(berlin.far)).toEqual(["ask"]);
    expect(() => berlin.note).toThrow("it has far, applyAction, at");
    expect(() => berlin.far.own).toThrow('has no "own"');
    const own = berlin.applyAction({ resource: "far", action: "own", data: { text: "a" } });
    expect(await codeOf(own)).toBe("MESSAGE_UNKNOWN");
    expect(await codeOf(berlin.applyAction({ resource: "far", action: "nope" }))).toBe("MESSAGE_UNKNOWN");
    expect(calls).toEqual([]);
  });

  test.each([[undefined], [""], [7], [{}], ["a".repeat(3000)]])("of %p is refused", (where) => {
    const { scope } = reaching();
    expect(() => scope.at(where)).toThrow("must be a name");
    expect(() => scope.at("berlin").at(where)).toThrow("must be a name");
  });

  test("is not there where nothing can be addressed, and no message can be that does not take it", () => {
    const { scope } = scoped();
    expect(() => scope.at).toThrow('has no "at"');
    const ask = addressed(takes("text"));
    expect(() => compose([admits(), plugin("far", { messages: { far: { ask } } })])).toThrow('no optional text "at"');
  });

  test("an object of it is bound to its holder, and its end is not the scope's", () => {
    let released = 0;
    const scope = new Far({ call: () => undefined, dispose: () => released++ }) as any;
    scope.at("berlin")[Symbol.dispose]?.();
    expect(released).toBe(0);
    expect(() => Object.getPrototypeOf(scope).at.call({}, "berlin")).toThrow();
  });
});

describe("applyAction", () => {
  async function refusal(message: unknown, options?: unknown): Promise<string> {
    const { scope, calls } = scoped();
    const code = await codeOf((async () => scope.applyAction(message, options))());
    expect(calls).toEqual([]);
    return code;
  }

  test("sends any message of the table", async () => {
    const { scope, calls } = scoped();
    expect(await scope.applyAction({ resource: "note", action: "read", data: { name: "a" } }, { wait: 0 })).toBe(
      "note.read",
    );
    expect(calls).toEqual([["note.read", { name: "a" }, { wait: 0 }]]);
  });

  test.each(
    [
      undefined,
      null,
      7,
      "note.read",
      [],
      {},
      { resource: "note" },
      { resource: "note", action: 7 },
      { resource: "note", action: "read", data: {}, principal: "root" },
      { resource: "n".repeat(65), action: "read" },
    ].map((one) => [one]),
  )("refuses %p, which is no message", async (message) => {
    expect(await refusal(message)).toBe("MESSAGE_INVALID");
  });

  test.each([
    ["note", "nope"],
    ["", ""],
    ["note.read", ""],
    ["constructor", "prototype"],
    ["__proto__", "toString"],
    ["note", "constructor"],
  ])("knows no %s.%s", async (resource, action) => {
    expect(await refusal({ resource, action })).toBe("MESSAGE_UNKNOWN");
  });

  test("refuses options that are none", async () => {
    expect(await refusal({ resource: "note", action: "read" }, { principal: "root" })).toBe("MESSAGE_INVALID");
  });
});

test("an internal message is refused, by whatever way and as whomever it is asked for", async () => {
  const node = await start([admits(), notes(), mixed]);
  for (const name of ["note.secret", "hidden.only", "node.expire", "pipeline.adopt"]) {
    expect(await codeOf(node.send(name))).toBe("MESSAGE_INTERNAL");
  }
  expect(await node.history()).toEqual([]);
});

test("a scope that is released says so to whoever made it", () => {
  let released = 0;
  const scope = new Scoped({ call: () => undefined, dispose: () => released++ });
  (scope as unknown as Disposable)[Symbol.dispose]();
  expect(released).toBe(1);
});

test("message.list tells of every message that can be asked, with its schema, and of no internal one", async () => {
  const node = await start([admits(), notes(), mixed]);
  const listed = (await node.send("message.list")) as { name: string; kind: string; data: object }[];
  expect(listed.map(({ name }) => name).sort()).toEqual([
    ...["key.rotate", "log.compact", "log.redact"],
    "message.attach",
    "message.list",
    "message.settle",
    "node.metrics",
    "note.read",
    "note.write",
  ]);
  expect(listed.find(({ name }) => name === "note.write")?.data).toMatchObject({
    type: "object",
    additionalProperties: false,
  });
});
