// The log as it is read: filters, pages, one entry, what comes next, and why something was decided.

import { describe, expect, test } from "bun:test";
import { faultFrom, granted, NOON, startHub } from "../hub.fixture.ts";

/** Five greetings, one of them refused: entries 3 to 11. */
async function withHistory() {
  const started = await startHub();
  const { app, hub } = started;
  await app.action.register({ name: "greet", protocol: "echo", input: { type: "integer" } });
  for (const input of [1, 2, 3]) await app.action.perform({ name: "greet", input });
  const refused = await faultFrom(app.action.perform({ name: "greet", input: "no" }));
  await (await hub.scope({ principal: "other", allow: ["*"] })).action.perform({ name: "greet", input: 4 });
  return { ...started, refused: refused.id as string };
}

const numbers = ({ items }: { readonly items: readonly { readonly entry: number }[] }) =>
  items.map(({ entry }) => entry).join(" ");

describe("log.list", () => {
  test("gives headers, newest first", async () => {
    const { app } = await withHistory();
    const { items } = await app.log.list();
    expect(
      items.map(({ entry, message, principal, verdict }) => `${entry} ${message} ${principal} ${verdict}`),
    ).toEqual([
      "11 execution.complete node:n-test done",
      "10 action.perform other done",
      "9 action.perform app refused",
      "8 execution.complete node:n-test done",
      "7 action.perform app done",
      "6 execution.complete node:n-test done",
      "5 action.perform app done",
      "4 execution.complete node:n-test done",
      "3 action.perform app done",
      "2 action.register app done",
      "1 pipeline.adopt node:n-test done",
    ]);
    expect(items[0]).toMatchObject({ at: NOON, grant: "node", cause: items[1]?.id });
  });

  test("is filtered by message, principal and verdict, together", async () => {
    const { app } = await withHistory();
    expect(numbers(await app.log.list({ message: "action.perform" }))).toBe("10 9 7 5 3");
    expect(numbers(await app.log.list({ message: "action.*", principal: "app" }))).toBe("9 7 5 3 2");
    expect(numbers(await app.log.list({ message: "action.*", principal: "app", verdict: "refused" }))).toBe("9");
    expect(numbers(await app.log.list({ message: "action.perf" }))).toBe("");
  });

  test("goes by pages, of which none is lost or told twice", async () => {
    const { app } = await withHistory();
    const pages: string[] = [];
    for (let before: number | undefined; ; ) {
      const page = await app.log.list({ limit: 2, message: "action.*", ...(before === undefined ? {} : { before }) });
      pages.push(numbers(page));
      before = page.next;
      if (before === undefined) break;
    }
    expect(pages).toEqual(["10 9", "7 5", "3 2", ""]);
  });
});

describe("log.show", () => {
  test("gives an entry with its parts, by number or by message", async () => {
    const { app } = await withHistory();
    const shown = await app.log.show({ entry: 3 });
    expect(shown).toMatchObject({
      ...{ entry: 3, message: "action.perform", verdict: "done" },
      body: { data: { name: "greet", input: 1 } },
      rows: [
        ["execution", expect.any(String), { action: "greet" }],
        ["effect", expect.any(String), {}],
      ],
      trace: { pending: true, verdicts: [{ plugin: "auth" }, { plugin: "executor", wrote: 1 }] },
    });
    expect(await app.log.show({ id: (shown as { id: string }).id })).toEqual(shown);
  });

  test("of what there is not says so", async () => {
    const { app } = await withHistory();
    for (const data of [{ entry: 99 }, { id: "m-0000000000000000" }, {}]) {
      expect(await faultFrom(app.log.show(data))).toMatchObject({ code: "ENTRY_NOT_FOUND" });
    }
  });
});

describe("log.tail", () => {
  test("gives what there is from a number on, and where to go on from", async () => {
    const { app } = await withHistory();
    const page = await app.log.tail({ from: 3, limit: 2, message: "action.*" });
    expect(numbers(page)).toBe("3 5");
    expect(numbers(await app.log.tail({ from: page.next, message: "action.*" }))).toBe("7 9 10");
  });

  test("waits for the next entry where there is none yet", async () => {
    const { app, clock } = await withHistory();
    const next = app.log.tail({});
    await app.action.remove({ name: "greet" });
    expect(numbers(await next)).toBe("12");
    expect(clock.set).toBe(0);
  });

  test("gives an empty page when the wait is over", async () => {
    const { app, clock } = await withHistory();
    const next = app.log.tail({ wait: 1000 });
    clock.advance(1000);
    expect(await next).toEqual({ items: [], next: 12 });
  });
});

describe("log.explain", () => {
  test("says what each plugin said, and what came of it", async () => {
    const { app } = await withHistory();
    const { items } = await app.log.list({ message: "action.perform", principal: "other" });
    expect(await app.log.explain({ id: items[0]?.id as string })).toMatchObject({
      ...{ entry: 10, message: "action.perform", data: { name: "greet", input: 4 }, verdict: "done" },
      plugins: [
        { plugin: "auth", verdict: "next", clause: "*" },
        { plugin: "registry", verdict: "passed" },
        { plugin: "dead-letter", verdict: "passed" },
        { plugin: "executor", verdict: "next", wrote: 1 },
        { plugin: "publisher", verdict: "passed" },
        { plugin: "ledger", verdict: "passed" },
      ],
      because: [],
      outcome: { state: "done", entry: 11 },
    });
  });

  test("of an outcome names what it came from", async () => {
    const { app } = await withHistory();
    const { items } = await app.log.list({ limit: 2 });
    expect(await app.log.explain({ id: items[0]?.id as string })).toMatchObject({
      because: [{ id: items[1]?.id, message: "action.perform", principal: "other" }],
    });
  });

  test("of a refusal says who refused, why, and who was not asked", async () => {
    const { app, refused } = await withHistory();
    expect(await app.log.explain({ id: refused })).toMatchObject({
      ...{ verdict: "refused", rows: [], error: { code: "INPUT_INVALID", message: "greet: must be integer" } },
      plugins: [
        ...[{ verdict: "next" }, { verdict: "passed" }, { verdict: "passed" }],
        ...[{ verdict: "refused" }, { verdict: "not reached" }, { verdict: "not reached" }],
      ],
    });
    expect(await faultFrom(app.log.explain({ id: "m-none" }))).toMatchObject({ code: "MESSAGE_NOT_FOUND" });
  });
});

test("the log is read by whom a grant says so", async () => {
  const { hub } = await withHistory();
  const { scope } = await granted(hub, { principal: "bob", allow: ["log.list"] });
  expect(numbers(await scope.log.list({ limit: 1 }))).toBe("12");
  expect(await faultFrom(scope.log.show({ entry: 1 }))).toMatchObject({ code: "REFUSED" });
});
