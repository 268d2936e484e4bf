// One decision: what plugins see, what they may answer, and that a broken one is refused and harms nobody.

import { expect, test } from "bun:test";
import type { Message } from "../message/message.ts";
import type { AnyPlugin, PluginContext } from "../plugin/plugin.ts";
import { done, hold, next, type PluginResult, refuse } from "../plugin/result.ts";
import { authority, type Token, token } from "../plugin/token.ts";
import type { State } from "../state/state.ts";
import { table } from "../state/table.ts";
import { admits, codeOf, plugin, start, takes } from "../testing/start.fixture.ts";

type Context = PluginContext<readonly Token[]>;
type Result = PluginResult<readonly Token[]>;

const notes = table<string>("note");
const tags = table<string>("tag");
const badge = token<{ color: string }>()("badge");

/** A plugin between the authority and the one that writes the note. */
function between(decide: (context: Context) => Result, parts: Omit<Partial<AnyPlugin>, "name"> = {}) {
  const writes = plugin("writes", {
    needs: [authority],
    tables: [notes],
    messages: { note: { write: takes("text") } },
    decide: ({ state, envelope, message }) =>
      next({
        state: state.put(notes, envelope.id, (message as Message<{ text: string }>).data.text),
        data: { written: true },
      }),
  });
  return [admits(), plugin("between", { decide, tables: [tags], ...parts }), writes];
}

async function outcome(plugins: readonly AnyPlugin[]) {
  const node = await start(plugins);
  const answer = await node.send("note.write", { text: "hi" }).catch((error) => error.code);
  return { answer, rows: [...node.orchestrator.reader.rows(notes)].length, node };
}

test("next lets the others go on, done stops them", async () => {
  expect(await outcome(between(() => next()))).toMatchObject({ answer: { written: true }, rows: 1 });
  expect(await outcome(between(() => done({ data: "enough" })))).toMatchObject({ answer: "enough", rows: 0 });
});

test("a refusal changes nothing, whoever wrote before it, and is an entry", async () => {
  const last = plugin("last", { needs: [authority], decide: () => refuse("NO", "no") });
  const { answer, rows, node } = await outcome([
    ...between(({ state }) => next({ state: state.put(tags, "t", "x") })),
    last,
  ]);
  expect([answer, rows]).toEqual(["NO", 0]);
  expect([...node.orchestrator.reader.rows(tags)]).toEqual([]);
  expect(await node.history()).toEqual(["note.write refused"]);
});

test("changes tell what earlier plugins altered, before how it was", async () => {
  let seen: unknown;
  const last = plugin("last", {
    needs: [authority],
    decide({ changes, before, state, envelope }) {
      seen = [
        changes.map(({ table, row }) => [table.name, row]),
        before.get(notes, envelope.id),
        state.get(notes, envelope.id),
      ];
      return next();
    },
  });
  await outcome([...between(({ state }) => next({ state: state.put(tags, "t", "x") })), last]);
  expect(seen).toEqual([
    [
      ["tag", "x"],
      ["note", "hi"],
    ],
    undefined,
    "hi",
  ]);
});

test("what earlier plugins added is handed down, frozen", async () => {
  let seen: unknown;
  const last = plugin("last", {
    needs: [authority, badge],
    decide({ needs }) {
      seen = (needs as { badge: unknown }).badge;
      expect(() => Object.assign(needs, { authority: { principal: "root" } })).toThrow();
      return next();
    },
  });
  await outcome([...between(() => next({ adds: { badge: { color: "red" } } }), { adds: [badge] }), last]);
  expect(seen).toEqual({ color: "red" });
});

test("no plugin can alter a message, its data or the envelope", async () => {
  const { answer } = await outcome(
    between(({ message, envelope }) => {
      expect(() => Object.assign(message.data as object, { text: "forged" })).toThrow();
      expect(() => Object.assign(message, { data: {} })).toThrow();
      expect(() => Object.assign(envelope, { principal: "root" })).toThrow();
      expect(() => Object.assign(envelope.facts, { approved: true })).toThrow();
      return next();
    }),
  );
  expect(answer).toEqual({ written: true });
});

let kept: State | undefined;
interface Broken {
  readonly what: string;
  decide(context: Context): Result;
  readonly parts?: Omit<Partial<AnyPlugin>, "name">;
}

const broken: Broken[] = [
  { what: "throws", decide: () => expect.unreachable("a plugin's own bug") },
  { what: "promises to add and does not", decide: () => next(), parts: { adds: [badge] } },
  { what: "adds what it does not declare", decide: () => next({ adds: { badge: { color: "red" } } }) },
  {
    what: "replaces the authority",
    decide: () =>
      next({
        adds: {
          authority: { principal: "root", grant: "g", reads: () => true, writes: () => true, allows: () => undefined },
        },
      }),
  },
  { what: "writes to another's table", decide: ({ state }) => next({ state: state.put(notes, "n", "forged") }) },
  { what: "removes another's row", decide: ({ state }) => next({ state: state.remove(notes, "n") }) },
  {
    what: "writes to a table of the kernel",
    decide: ({ state }) => next({ state: state.put(table("effect"), "e", {}) }),
  },
  { what: "hands back a state of its own making", decide: () => next({ state: { get() {} } as unknown as State }) },
  { what: "answers a promise", decide: () => Promise.resolve(refuse("NO", "no")) as unknown as Result },
  { what: "answers nothing", decide: () => undefined as unknown as Result },
  { what: "answers a word of its own", decide: () => ({ kind: "maybe" }) as unknown as Result },
  { what: "writes what is no JSON", decide: ({ state }) => next({ state: state.put(tags, "t", 1n as never) }) },
];

test.each(broken)("a plugin that $what is refused as a bug, and nothing is done", async ({ decide, parts }) => {
  const { answer, rows, node } = await outcome(between(decide, parts));
  expect([answer, rows]).toEqual(["INTERNAL", 0]);
  expect(node.errors).toHaveLength(1);
  expect(await node.history()).toEqual(["note.write refused"]);
});

test("a state kept from another message is refused", async () => {
  const plugins = between(({ state }) => {
    const given = kept ?? state.put(tags, "t", "x");
    kept = given;
    return next({ state: given });
  });
  const node = await start(plugins);
  await node.send("note.write", { text: "first" });
  expect(await codeOf(node.send("note.write", { text: "second" }))).toBe("INTERNAL");
});

const early: [string, (context: Context) => Result][] = [
  ["writes", ({ state }) => next({ state: state.put(tags, "t", "x") })],
  ["stops with success", () => done({})],
  ["holds", () => hold("approval")],
  ["owes", () => next({ effects: [{ kind: "ring", data: {} }] })],
  ["cancels", () => next({ cancels: ["e-1"] })],
  ["settles", () => next({ settles: [{ id: "m-1" }] })],
  ["sends", () => next({ then: [{ message: { resource: "note", action: "write", data: {} } }] })],
];

test.each(early)("before an authority is established nobody %s", async (_, decide) => {
  const [admitting, , writes] = between(() => next()) as [AnyPlugin, AnyPlugin, AnyPlugin];
  const { answer, rows } = await outcome([plugin("early", { decide, tables: [tags] }), admitting, writes]);
  expect([answer, rows]).toEqual(["UNAUTHORIZED", 0]);
});

test("before an authority is established anybody may refuse", async () => {
  const { answer } = await outcome([
    plugin("early", { decide: () => refuse("CLOSED", "closed") }),
    ...between(() => next()),
  ]);
  expect(answer).toBe("CLOSED");
});
