// What a composition refuses to start with, by name. What the compiler refuses is in order.type-test.ts.

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { FaultError } from "../fault/fault.ts";
import { query } from "../message/definition.ts";
import { createOrchestrator } from "../orchestrator.ts";
import { table } from "../state/table.ts";
import { admits, plugin, takes } from "../testing/start.fixture.ts";
import { compose } from "./composition.ts";
import type { AnyPlugin } from "./plugin.ts";
import { authority, token } from "./token.ts";

const badge = token<string>()("badge");

function refusalOf(...plugins: AnyPlugin[]): string {
  try {
    compose(plugins);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(FaultError);
    expect((thrown as FaultError).code).toBe("COMPOSITION_INVALID");
    return (thrown as FaultError).message;
  }
  return "it composes";
}

describe("order", () => {
  const adds = plugin("badges", { needs: [authority], adds: [badge] });
  const needs = plugin("reader", { needs: [authority, badge] });

  test("what a plugin needs has to be added before it, and the refusal says by whom", () => {
    expect(refusalOf(admits(), adds, needs)).toBe("it composes");
    expect(refusalOf(admits(), needs, adds)).toBe(
      'plugin "reader" needs "badge", which no plugin before it adds; "badges" adds it: put that one first',
    );
    expect(refusalOf(admits(), needs)).toContain("nor does any after it: put the plugin in that does");
  });

  test("a list made at run time with a swapped order does not start", async () => {
    const plugins: AnyPlugin[] = [adds, admits()];
    const started = createOrchestrator({ plugins }).then(
      () => "started",
      (thrown: FaultError) => thrown.code,
    );
    expect(await started).toBe("COMPOSITION_INVALID");
  });

  test("without a plugin that adds the authority nothing starts", () => {
    expect(refusalOf()).toContain('no plugin adds "authority"');
    expect(refusalOf(plugin("notes", {}))).toContain('no plugin adds "authority"');
  });

  test("an authority is established once", () => {
    expect(refusalOf(admits(), plugin("usurper", { adds: [authority] }))).toContain('"usurper" adds "authority"');
  });
});

describe("what is given", () => {
  const gives = (name: string, parts: Partial<AnyPlugin>) => plugin(name, { ...parts, gives: { badge: "gold" } });

  test("is there for the plugins after, whatever was decided", () => {
    const { given, adding } = compose([admits(), gives("badges", { adds: [badge] })]);
    expect([given, adding]).toEqual([{ badge: "gold" }, [["authority"], []]]);
  });

  test("is a token that the plugin adds", () => {
    expect(refusalOf(admits(), gives("badges", {}))).toBe('plugin "badges" gives "badge", which it does not add');
  });

  test("is never the authority: that is of a message", () => {
    const usurper = { ...admits(), gives: { authority: {} } } as unknown as AnyPlugin;
    expect(refusalOf(usurper)).toContain('gives "authority", which only a decision can');
  });
});

describe("names", () => {
  const says = (resource: string, verb: string, definition = takes()) =>
    plugin("talker", { messages: { [resource]: { [verb]: definition } } });

  test.each(["then", "catch", "finally", "map", "dup", "onRpcBroken", "constructor", "prototype", "applyAction", "at"])(
    "%s is neither a resource nor a verb",
    (name) => {
      expect(refusalOf(admits(), says(name, "list"))).toContain("cannot be a name");
      expect(refusalOf(admits(), says("note", name))).toContain("cannot be a name");
    },
  );

  test("what every object has is no name", () => {
    for (const name of Object.getOwnPropertyNames(Object.prototype)) {
      if (name === "__proto__") continue; // as a key of a literal it sets the prototype
      expect(refusalOf(admits(), says("note", name))).toContain("cannot be a name");
    }
    const hidden = { ...says("note", "list"), messages: { note: JSON.parse('{"__proto__":{}}') } };
    expect(refusalOf(admits(), hidden)).toContain("cannot be a name");
  });

  test.each(["", "Note", "no-te", "no.te", "nöte", "_note", "1note", "n".repeat(65)])("%p is no name", (name) => {
    expect(refusalOf(admits(), says(name, "list"))).toContain("cannot be a name");
  });

  test("two plugins of a name, two owners of a message, a table, a fault, a connection or a door do not start", () => {
    const twice = (parts: Omit<Partial<AnyPlugin>, "name">) =>
      refusalOf(admits(), plugin("a", parts), plugin("b", parts));
    expect(refusalOf(admits(), plugin("a", {}), plugin("a", {}))).toBe('plugin "a" is there twice');
    expect(twice({ messages: { note: { write: takes() } } })).toContain('note.write, which "a" declares already');
    expect(twice({ tables: [table("note")] })).toContain('table "note", which "a" owns already');
    expect(twice({ faults: { NOTE_LOST: { status: 404, retryable: false } } })).toContain("NOTE_LOST");
    const connection = { input: z.strictObject({}), verify: () => ({ principal: "p", grant: "g" }) };
    expect(twice({ connections: { connectionFromPipe: connection } })).toContain("connectionFromPipe");
    expect(twice({ doors: [{ path: "/pipe", fetch: () => new Response() }] })).toContain("/pipe");
  });

  test("a resource may be shared, verb by verb", () => {
    const a = plugin("a", { messages: { note: { write: takes() } } });
    const b = plugin("b", { messages: { note: { read: takes() } } });
    expect(refusalOf(admits(), a, b)).toBe("it composes");
  });

  test("the kernel's faults, connections and tables are taken", () => {
    const row = { status: 500, retryable: false };
    expect(refusalOf(admits(), plugin("a", { faults: { INTERNAL: row } }))).toContain("INTERNAL");
    const connection = { input: z.strictObject({}), verify: () => ({ principal: "p", grant: "g" }) };
    for (const name of ["challenge", "health", "then", "constructor"]) {
      expect(refusalOf(admits(), plugin("a", { connections: { [name]: connection } }))).toContain(name);
    }
    for (const name of ["key", "outcome", 'a"b', ""]) {
      expect(refusalOf(admits(), plugin("a", { tables: [table(name)] }))).toContain("cannot be its name");
    }
  });
});

test("only logged tables have rows that a route leads to, and they are found by it", () => {
  const routes = (key: string): [string, string][] => [[`note:${key}`, "digest"]];
  const notes = table<string>("note", "logged", { routes });
  const { routable } = compose([admits(), plugin("a", { tables: [table("other"), notes] })]);
  expect(routable).toEqual([notes]);
  const session = table<string>("note", "session", { routes });
  expect(refusalOf(admits(), plugin("a", { tables: [session] }))).toContain("only logged tables have rows");
  const counted = table<string>("note", "session", { countedBy: () => "all" });
  expect(refusalOf(admits(), plugin("a", { tables: [counted] }))).toContain("only rows of logged tables are counted");
});

test("what a request brings by itself needs neither a session nor a challenge", () => {
  const bearer = { input: z.string(), bearer: true, verify: () => ({ principal: "p", grant: "g" }) };
  const challenge = { input: z.string(), offer: () => ({ answer: "" }) };
  for (const more of [{ lasting: true }, { challenge }]) {
    const connections = { connectionFromPipe: { ...bearer, ...more } };
    expect(refusalOf(admits(), plugin("a", { connections }))).toContain("needs no session and no challenge");
  }
});

test("a label is one plugin's, and nothing that the node signs by itself can begin with one", () => {
  const signs = (...labels: string[]) => plugin("a", { signs: labels });
  expect(refusalOf(admits(), signs("capstan route origin/1", "capstan peer proof/12"))).toBe("it composes");
  const other = plugin("b", { signs: ["capstan route origin/1"] });
  expect(refusalOf(admits(), signs("capstan route origin/1"), other)).toContain('which "a" signs already');
  const bad = [
    ...[
      "",
      "capstan",
      "cosignature/v1",
      "capstan/l-0123456789/1",
      "capstan key rotation",
      "capstan request recover",
      "route origin/1",
    ],
    ...[
      "capstan route origin/0",
      "capstan route origin/1\n",
      "capstan  route/1",
      "capstan Route/1",
      "capstan route/1/2",
    ],
  ];
  for (const label of bad) expect(refusalOf(admits(), signs(label))).toContain("a label is like");
});

test("one plugin cosigns checkpoints: two would contradict each other", () => {
  expect(refusalOf(admits(), plugin("a", { cosigns: true }))).toBe("it composes");
  const twice = refusalOf(admits(), plugin("a", { cosigns: true }), plugin("b", { cosigns: true }));
  expect(twice).toContain('plugin "b" cosigns checkpoints, which "a" does already');
});

test("data that is not a closed object does not start", () => {
  const open = [z.object({}), z.looseObject({}), z.record(z.string(), z.string()), z.unknown(), z.string()];
  for (const data of open) {
    const bad = query({ summary: "open", data, result: z.unknown() });
    expect(refusalOf(admits(), plugin("a", { messages: { note: { list: bad } } }))).toContain("open data");
  }
});

test("an unknown message names the nearest open one, and quotes nothing raw", () => {
  const composition = compose([admits(), plugin("a", { messages: { note: { write: takes() } } })]);
  const faultOf = (resource: string, verb: string): FaultError => {
    try {
      return expect.unreachable(composition.route(resource, verb).name);
    } catch (thrown) {
      return thrown as FaultError;
    }
  };
  expect(faultOf("note", "wirte").message).toContain("did you mean note.write?");
  expect(faultOf("constructor", "name").code).toBe("MESSAGE_UNKNOWN");
  expect(faultOf("note\u001b[2J", "\u202ewrite").message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
