// By which ways actions elsewhere are reached: who may say so, where it is shown, and what is believed of what is told there.

import { describe, expect, test } from "bun:test";
import { startWithWays } from "../executor/elsewhere/elsewhere.fixture.ts";
import { faultFrom } from "../hub.fixture.ts";
import { digestOf } from "./digest.ts";

describe("ways", () => {
  test("are shown where actions are, and told apart", async () => {
    const { app, learn, hub } = await startWithWays({});
    await app.action.register({ name: "b", protocol: "echo" });
    for (const name of ["a", "b", "c"]) await learn(name);
    const { items } = await app.action.list();
    expect(items.map(({ name, revision, elsewhere }) => [name, revision, elsewhere?.peer])).toEqual([
      ["a", 0, "berlin"],
      ["b", 1, undefined],
      ["c", 0, "berlin"],
    ]);
    expect((await app.action.list({ limit: 2 })).next).toBe("b");
    expect((await app.action.list({ limit: 2, after: "b" })).items.map(({ name }) => name)).toEqual(["c"]);
    await hub.stop();
  });

  test("are listed in pages whatever their number", async () => {
    const { app, note, hub } = await startWithWays({});
    const names = Array.from({ length: 1000 }, (_, i) => `a${String((i * 379) % 1000).padStart(3, "0")}`);
    const way = { peer: "berlin", node: "n-b", path: ["n-b"], origin: "n-b", digest: "d" };
    for (let i = 0; i < 1000; i += 250) await note(names.slice(i, i + 250).map((name) => ({ name, way })));
    const found: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await app.action.list({ limit: 7, ...(after === undefined ? {} : { after }) });
      found.push(...page.items.map(({ name }) => name));
      if (page.next === undefined) break;
      after = page.next;
    }
    expect(found).toEqual([...names].sort());
    await hub.stop();
  });

  test("are nobody's else to take away, and no entry", async () => {
    const { app, learn, note, hub } = await startWithWays({});
    const before = ((await app.log.head()) as { entries: number }).entries;
    await learn("a");
    await note([{ name: "a", way: null }], "others");
    await note([{ name: "no name", way: { peer: "p", node: "n", path: [], origin: "n", digest: "d" } }]);
    expect((await app.action.list()).items.map(({ name }) => name)).toEqual(["a"]);
    expect(((await app.log.head()) as { entries: number }).entries).toBe(before);
    await hub.stop();
  });

  test("cannot be noted by a caller", async () => {
    const { app, hub } = await startWithWays({});
    const forged = app.applyAction({ resource: "action", action: "reach", data: { by: "x", changes: [] } });
    expect(await faultFrom(forged)).toMatchObject({ code: "MESSAGE_INTERNAL" });
    await hub.stop();
  });

  test("lead to schemas, which are believed where they are what was signed", async () => {
    const input = { type: "object", properties: { a: { type: "string" } } };
    const told: unknown[] = [{ input, output: true }, { input: true, output: true }, { input: () => 1 }, undefined];
    const { app, learn, hub } = await startWithWays({ carrier: { describe: async () => told.shift() } });
    await learn("a", { digest: digestOf({ input, output: true }) });
    expect(await app.action.describe({ name: "a" })).toMatchObject({
      input,
      output: true,
      elsewhere: { peer: "berlin" },
    });
    for (let i = 0; i < 3; i++) {
      const described = await app.action.describe({ name: "a" });
      expect(described).toMatchObject({ name: "a", untold: expect.stringContaining("SCHEMAS_UNKNOWN") });
      expect(described).not.toHaveProperty("input");
    }
    await app.action.register({ name: "b", protocol: "echo", input: { type: "string" } });
    expect(await app.action.schemas({ name: "b" })).toEqual({ name: "b", input: { type: "string" }, output: true });
    await hub.stop();
  });
});

test("a digest is the same whatever order keys stand in, and another where a schema is", () => {
  const one = digestOf({ input: { type: "object", required: ["a", "b"] }, output: true });
  expect(digestOf({ output: true, input: { required: ["a", "b"], type: "object" } })).toBe(one);
  expect(digestOf({ input: { type: "object", required: ["b", "a"] }, output: true })).not.toBe(one);
  expect(one).toMatch(/^[\w-]{43}$/);
});
