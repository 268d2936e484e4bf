// Actions as they are registered, updated, removed, listed and described. What runs is the executor's; here it is data.

import { describe, expect, test } from "bun:test";
import { faultFrom, granted, startHub } from "../hub.fixture.ts";

const ECHO = { protocol: "echo" } as const;
const INPUT = {
  type: "object",
  properties: { name: { type: "string" } },
  required: ["name"],
  additionalProperties: false,
} as const;

describe("register", () => {
  test("makes revision 1, of what is said and else of defaults", async () => {
    const { app } = await startHub();
    expect(await app.action.register({ name: "greet", ...ECHO, input: INPUT })).toEqual({
      name: "greet",
      revision: 1,
      input: INPUT,
      output: true,
    });
    expect(await app.action.describe({ name: "greet" })).toEqual({
      name: "greet",
      revision: 1,
      protocol: "echo",
      configuration: {},
      input: INPUT,
      output: true,
      idempotent: false,
      readOnly: false,
      may: [],
      timeout: 30_000,
      attempts: 1,
      backoff: 1000,
      registrant: { principal: "app", grant: "node", may: ["*"] },
      at: Date.UTC(2026, 2, 1, 12),
      publishes: { topic: "action.greet", schema: true },
    } as never);
  });

  test("refuses a name that is there", async () => {
    const { app } = await startHub();
    await app.action.register({ name: "greet", ...ECHO });
    expect(await faultFrom(app.action.register({ name: "greet", ...ECHO }))).toMatchObject({
      code: "ACTION_EXISTS",
      message: 'there is an action "greet" at revision 1; use action.update',
    });
  });

  test("refuses what is no name, at the edge", async () => {
    const { hub, app } = await startHub();
    const { head } = hub.log;
    for (const name of ["", "a b", "../a", "a//b", "a\u0000b", "a\u202eb", "/a", "x".repeat(201)]) {
      expect(await faultFrom(() => app.action.register({ name, ...ECHO }))).toMatchObject({ code: "MESSAGE_INVALID" });
    }
    expect(hub.log.head).toBe(head);
  });

  test("refuses a schema that is none, or cannot be checked in linear time, and changes nothing", async () => {
    const { hub, app } = await startHub();
    const deep = (depth: number): unknown => (depth === 0 ? true : { items: deep(depth - 1) });
    for (const input of [{ type: "nonsense" }, 7, "string", { $ref: "https://example.com/a" }, deep(45)]) {
      const refused = await faultFrom(app.action.register({ name: "bad", ...ECHO, input }));
      expect(refused).toMatchObject({ code: "SCHEMA_INVALID" });
      expect(refused.message).toStartWith("bad: input: ");
      expect(await app.log.explain({ id: refused.id as string })).toMatchObject({ verdict: "refused", rows: [] });
    }
    expect(await faultFrom(app.action.register({ name: "bad", ...ECHO, output: { pattern: 1 } }))).toMatchObject({
      message: expect.stringMatching(/^bad: output: /),
    });
    expect((await app.action.list()).items).toEqual([]);
    expect(hub.reader.revision).toBeGreaterThan(5);
  });
});

describe("update", () => {
  test("makes the next revision, keeps what is not said, and acts for whoever updated", async () => {
    const { hub, app } = await startHub();
    await app.action.register({ name: "greet", ...ECHO, input: INPUT, attempts: 3, may: ["log.head"] });
    const bob = await granted(hub, { principal: "bob", allow: ["action.update"] });
    expect(await bob.scope.action.update({ name: "greet", revision: 1, idempotent: true })).toMatchObject({
      revision: 2,
      input: INPUT,
    });
    expect(await app.action.describe({ name: "greet" })).toMatchObject({
      ...{ revision: 2, idempotent: true, attempts: 3, may: ["log.head"], input: INPUT, protocol: "echo" },
      registrant: { principal: "bob", grant: bob.id },
    } as never);
  });

  test("of another revision than the one that is there is a conflict; one of two wins", async () => {
    const { app } = await startHub();
    await app.action.register({ name: "greet", ...ECHO });
    const [first, second] = await Promise.allSettled([
      app.action.update({ name: "greet", revision: 1, timeout: 10 }),
      app.action.update({ name: "greet", revision: 1, timeout: 20 }),
    ]);
    expect(first).toMatchObject({ status: "fulfilled", value: { revision: 2 } });
    expect(second).toMatchObject({
      status: "rejected",
      reason: { code: "REVISION_CONFLICT", message: '"greet" is at revision 2, not 1; read it again' },
    });
    expect(await faultFrom(app.action.remove({ name: "greet", revision: 1 }))).toMatchObject({
      code: "REVISION_CONFLICT",
    });
  });

  test("of an action that there is not names the nearest that the caller may know of", async () => {
    const { hub, app } = await startHub();
    await app.action.register({ name: "greet", ...ECHO });
    expect(await faultFrom(app.action.update({ name: "gret" }))).toMatchObject({
      code: "ACTION_UNKNOWN",
      message: 'there is no action "gret"; did you mean "greet"?',
    });
    const { scope } = await granted(hub, { principal: "bob", allow: ["*"], read: ["team"], write: ["default"] });
    expect(await faultFrom(scope.action.remove({ name: "gret" }))).toMatchObject({
      message: 'there is no action "gret"; action.list names all',
    });
    expect(await faultFrom(scope.action.perform({ name: "gret" }))).toMatchObject({
      message: 'there is no action "gret"; action.list names all',
    });
  });
});

test("what is answered is a copy: altering it alters no action", async () => {
  const { app } = await startHub();
  await app.action.register({ name: "greet", ...ECHO, input: INPUT });
  const described = (await app.action.describe({ name: "greet" })) as any;
  described.input.type = "string";
  described.revision = 9;
  ((await app.action.list()).items[0] as any).output = { type: "null" };
  expect(await app.action.describe({ name: "greet" })).toMatchObject({ revision: 1, input: INPUT, output: true });
});

test("what is removed can be made anew, from revision 1", async () => {
  const { app } = await startHub();
  await app.action.register({ name: "greet", ...ECHO });
  await app.action.update({ name: "greet" });
  expect(await app.action.remove({ name: "greet", revision: 2 })).toEqual({ name: "greet", revision: 2 });
  expect(await faultFrom(app.action.describe({ name: "greet" }))).toMatchObject({ code: "ACTION_UNKNOWN" });
  expect(await app.action.register({ name: "greet", ...ECHO })).toMatchObject({ revision: 1 });
});

describe("list", () => {
  test("goes by name and by pages, and leaves out what the caller may not read", async () => {
    const { hub, app } = await startHub();
    for (const name of ["team/b", "c", "team/sub/d", "a", "teams/e"]) await app.action.register({ name, ...ECHO });
    const names = async (data: Parameters<typeof app.action.list>[0], scope = app) => {
      const { items, next } = await scope.action.list(data);
      return [...items.map(({ name }) => name), ...(next === undefined ? [] : [`→ ${next}`])].join(" ");
    };
    expect(await names({ limit: 2 })).toBe("a c → c");
    expect(await names({ after: "c", limit: 3 })).toBe("team/b team/sub/d teams/e");
    expect(await names({ namespace: "team" })).toBe("team/b team/sub/d");
    const { scope } = await granted(hub, { principal: "bob", allow: ["action.list"], read: ["team"] });
    expect(await names({ limit: 1 }, scope)).toBe("team/b → team/b");
    expect(await names({ after: "team/b" }, scope)).toBe("team/sub/d");
  });
});
