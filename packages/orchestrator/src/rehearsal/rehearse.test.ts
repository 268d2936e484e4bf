// Rehearsals of histories that were made by running nodes: what differs, by whose clause, and that nothing of it happens.

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { command } from "../message/definition.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { done, hold, next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { table } from "../state/table.ts";
import { byHand, jobs } from "../testing/jobs.fixture.ts";
import { notes, noteTable } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, settled, start, takes } from "../testing/start.fixture.ts";
import { historyOf } from "./history.fixture.ts";
import { forbids, said, written } from "./rehearse.fixture.ts";
import { rehearse } from "./rehearse.ts";
import type { RowOverride } from "./row-override.ts";

describe("where nothing changes, nothing differs", () => {
  test("of what was done, refused, refused by the kernel, or led to others", async () => {
    const follows = plugin("follows", {
      needs: [authority],
      messages: { chain: { begin: takes(), bad: takes() } },
      decide({ message, envelope }) {
        if (message.resource !== "chain") return next();
        const then = { resource: message.action === "bad" ? "nobody" : "note", action: "write", data: {} };
        return next({
          then: [{ message: message.action === "bad" ? then : { ...then, data: { name: envelope.id, text: "x" } } }],
        });
      },
    });
    const plugins = [admits(new Set(["mal"])), follows, notes()];
    const node = await written(plugins, ["a", "b", "a"]);
    await codeOf(node.send("note.read", { name: "a" }, { as: "mal" }));
    await node.send("chain.begin");
    await node.send("chain.bad");
    await node.send("note.write", { name: "k", text: "1" }, { key: "k" });
    expect(await codeOf(node.send("note.write", { name: "k", text: "2" }, { key: "k" }))).toBe("KEY_REUSED");
    expect(await node.history()).toContain("nobody.write refused");
    const report = await rehearse({ log: await historyOf(node.log), plugins });
    expect(report).toMatchObject({ messages: 11, compared: 10, same: 10, skipped: 1, differences: [], notes: [] });
    expect([report.undecidables, report.entries]).toEqual([[], { from: 1, to: 11 }]);
  });

  test("of what was held, and decided once more", async () => {
    const node = await start(approved("approval"));
    const { message } = await node.send<{ message: string }>("note.write", { name: "a", text: "hi" }, { wait: 0 });
    await node.send("message.settle", { id: message, hold: "approval", outcome: "yes" });
    await codeOf(node.send("message.settle", { id: message, hold: "approval", outcome: "yes" }));
    expect(await node.history()).toEqual([
      ...["note.write held", "message.settle done", "note.write done", "message.settle refused"],
    ]);
    const report = await rehearse({ log: await historyOf(node.log), plugins: approved("approval") });
    expect(report).toMatchObject({ same: 4, differ: 0, undecidable: 0 });
  });

  test("of what was owed, what came of it, and what a start took over", async () => {
    const work = byHand();
    const node = await start([admits(), jobs(work.work)]);
    void node.send("job.run").catch(() => {});
    void node.send("job.run").catch(() => {});
    await settled();
    work.running[0]?.end("ready");
    work.running[1]?.fail(new Error("no"));
    await settled();
    expect(await node.history()).toEqual(["job.run done", "job.run done", "job.done done", "job.failed done"]);
    const report = await rehearse({ log: await historyOf(node.log), plugins: [admits(), jobs(work.work)] });
    expect(report).toMatchObject({ same: 4, differ: 0, undecidable: 0 });
  });

  test("of what plugins made that is no JSON", async () => {
    const odd = plugin("odd", {
      needs: [authority],
      messages: { odd: { make: takes() } },
      decide: ({ message }) => (message.resource === "odd" ? next({ data: { n: 1n } }) : next()),
    });
    const node = await start([admits(), odd]);
    expect(await codeOf(node.send("odd.make"))).toBe("INTERNAL");
    const report = await rehearse({ log: await historyOf(node.log), plugins: [admits(), odd] });
    expect(report).toMatchObject({ same: 1, differ: 0 });
  });
});

/** Notes are written once somebody approved of it. */
const approved = (name: string): AnyPlugin[] => [
  admits(),
  plugin("approval", {
    configuration: { name },
    needs: [authority],
    decide({ message, envelope }) {
      if (message.resource !== "note" || envelope.facts[name] !== undefined) return next();
      return hold(name, undefined, "notes need approval");
    },
  }),
  notes(),
];

describe("a change of plugins", () => {
  test("is told message by message, with who stopped it and the clause", async () => {
    const node = await written([admits(), forbids("a"), notes()], ["a", "b", "b"]);
    const log = await historyOf(node.log);
    const report = await rehearse({ log, plugins: [admits(), forbids("b"), notes()] });
    expect(said(report)).toEqual([
      "2: refused NAME_FORBIDDEN forbids not a → done",
      "3: done → refused NAME_FORBIDDEN forbids not b",
      "4: refused NOTE_THERE notes → refused NAME_FORBIDDEN forbids not b",
    ]);
    expect(report.notes).toEqual(['"forbids" has another version or configuration']);
    expect(report.differences[1]).toEqual({
      ...{ entry: 3, id: expect.stringMatching(/^m-/), message: "note.write", principal: "ada" },
      was: { verdict: "done" },
      now: {
        ...{ verdict: "refused", code: "NAME_FORBIDDEN", plugin: "forbids", clause: "not b" },
        text: "b is not to be written",
      },
    });
    const without = await rehearse({ log, plugins: [admits(), notes()] });
    expect([said(without), without.notes]).toEqual([
      ["2: refused NAME_FORBIDDEN forbids not a → done"],
      ['"forbids" is gone'],
    ]);
  });

  test("compares each message on the history that happened, not on what the change would have made of it", async () => {
    const node = await written([admits(), notes()], ["a", "a"]);
    // The first would have been refused, and so the second would have found no note; but it was written.
    const once = plugin("once", {
      needs: [authority],
      decide: ({ message, state }) =>
        message.resource === "note" && state.get(noteTable, "a") === undefined
          ? refuse("TOO_EARLY", "not yet")
          : next(),
    });
    const report = await rehearse({ log: await historyOf(node.log), plugins: [admits(), once, notes()] });
    expect(said(report)).toEqual(["2: done → refused TOO_EARLY once"]);
    expect(report.same).toBe(1);
  });

  test("that brings a table of its own decides on none of its rows, and the report says so", async () => {
    const seen = table<number>("seen");
    const counter = plugin("counter", {
      needs: [authority],
      tables: [seen],
      decide({ message, state }) {
        if (message.resource !== "note") return next();
        const count = state.get(seen, "n") ?? 0;
        return count > 0 ? refuse("ENOUGH", "enough") : next({ state: state.put(seen, "n", count + 1) });
      },
    });
    const node = await written([admits(), notes()], ["a", "b", "c"]);
    const report = await rehearse({ log: await historyOf(node.log), plugins: [admits(), counter, notes()] });
    expect(report).toMatchObject({
      same: 3,
      notes: ['"counter" is new; history has no rows of "seen", so it decides without any'],
    });
  });

  test("that takes a plugin away leaves its messages unknown; one that adds them back knows them", async () => {
    const node = await written([admits(), notes()], ["a"]);
    const log = await historyOf(node.log);
    const report = await rehearse({ log, plugins: [admits()] });
    expect(said(report)).toEqual(["2: done → refused MESSAGE_UNKNOWN"]);
    expect(report.differences[0]?.now.text).toBe("no plugin declares note.write");

    const chain = plugin("chain", {
      needs: [authority],
      messages: { chain: { begin: takes() } },
      decide: ({ message }) =>
        message.resource === "chain"
          ? next({ then: [{ message: { resource: "note", action: "write", data: { name: "n", text: "t" } } }] })
          : next(),
    });
    const other = await start([admits(), chain]);
    await other.send("chain.begin");
    expect(await other.history()).toEqual(["chain.begin done", "note.write refused"]);
    const back = await rehearse({ log: await historyOf(other.log), plugins: [admits(), chain, notes()] });
    expect(said(back)).toEqual(["3: refused MESSAGE_UNKNOWN → done"]);
  });

  test("that throws is a difference, told with what it threw, and the rest is compared", async () => {
    const node = await written([admits(), notes()], ["a", "b"]);
    const throws = plugin("throws", {
      needs: [authority],
      decide({ message }) {
        if ((message.data as { name?: string }).name === "a") throw new Error("boom");
        return next();
      },
    });
    const report = await rehearse({ log: await historyOf(node.log), plugins: [admits(), throws, notes()] });
    expect(said(report)).toEqual(["2: done → refused INTERNAL throws"]);
    expect([report.differences[0]?.now.text, report.same]).toEqual(['"throws": boom', 1]);
  });

  test("does not refuse what has happened: a rule only notes the node's own messages", async () => {
    const work = byHand();
    const node = await start([admits(), jobs(work.work)]);
    void node.send("job.run");
    await settled();
    work.running[0]?.end("ready");
    await settled();
    const never = plugin("never", {
      needs: [authority],
      decide: ({ message }) => (message.resource === "job" ? refuse("NEVER", "never", { clause: "all" }) : next()),
    });
    const report = await rehearse({ log: await historyOf(node.log), plugins: [admits(), never, jobs(work.work)] });
    expect(said(report)).toEqual(["2: done → refused NEVER never all"]);
    expect(report).toMatchObject({ same: 1, skipped: 1 });
  });

  test("that holds, or holds no more, differs; what came of the hold is compared as it came", async () => {
    const node = await start(approved("approval"));
    const { message } = await node.send<{ message: string }>("note.write", { name: "a", text: "hi" }, { wait: 0 });
    await node.send("message.settle", { id: message, hold: "approval", outcome: "yes" });
    const log = await historyOf(node.log);
    const free = await rehearse({ log, plugins: [admits(), notes()] });
    expect(said(free)).toEqual(["2: held approval notes need approval → done"]);
    const renamed = await rehearse({ log, plugins: approved("board") });
    expect(said(renamed)).toEqual(["4: done → held approval notes need approval"]);
    expect(renamed.differences[0]?.now.text).toBe("board");

    const other = await written([admits(), notes()], ["a"]);
    const report = await rehearse({ log: await historyOf(other.log), plugins: approved("approval") });
    expect(said(report)).toEqual(["2: done → held approval notes need approval"]);
  });

  test("of schemas refuses what no longer fits, and fills in what is new", async () => {
    const takesNotes = (data: z.ZodType, version: string): AnyPlugin =>
      plugin("notes", {
        version,
        needs: [authority],
        messages: { note: { write: command({ summary: "Write.", data, result: z.unknown() }) } },
        decide({ message }) {
          const { tag } = message.data as { tag?: string };
          return message.resource === "note" && tag === undefined
            ? refuse("TAG_MISSING", "no tag")
            : done({ data: {} });
        },
      });
    const before = takesNotes(z.strictObject({ name: z.string(), tag: z.string().default("x") }), "1");
    const node = await start([admits(), before]);
    await node.send("note.write", { name: "a" });
    await node.send("note.write", { name: "b".repeat(20), tag: "y" });
    const shorter = z.strictObject({ name: z.string().max(10), tag: z.string(), more: z.number().default(1) });
    const report = await rehearse({
      log: await historyOf(node.log),
      plugins: [admits(), takesNotes(shorter, "2")],
    });
    expect(said(report)).toEqual(["3: done notes → refused MESSAGE_INVALID"]);
    expect(report.differences[0]?.now.text).toContain('"name" must be at most 10 characters');
    expect(report.same).toBe(1);
  });
});

describe("a change of rows", () => {
  const hiding = (name: string): RowOverride => ({
    table: noteTable.name,
    becomes: (row, key) => (key === name ? undefined : row),
  });

  test("is what decisions read for the whole stretch, by key and in lists; history keeps its own", async () => {
    const lists = plugin("lists", {
      needs: [authority],
      messages: { list: { two: takes() } },
      decide({ message, state }) {
        if (message.resource !== "list") return next();
        const names = [...state.rows(noteTable)].map(([name, text]) => `${name}=${text}`).sort();
        return names.length >= 2 ? next() : refuse("TOO_FEW", names.join());
      },
    });
    const plugins = [admits(), notes(), lists];
    const node = await written(plugins, ["a", "b", "a"]);
    await node.send("list.two");
    const log = await historyOf(node.log);
    const hidden = await rehearse({ log, plugins, changes: [hiding("a")] });
    expect(said(hidden)).toEqual(["4: refused NOTE_THERE notes → done", "5: done → refused TOO_FEW lists"]);
    expect(hidden.differences[1]?.now.text).toBe("b=hi");
    expect(hidden.state.same).toBe(true);
    const both = await rehearse({ log, plugins, changes: [hiding("a"), hiding("b")] });
    expect(both.differences[1]?.now.text).toBe("");
    expect((await rehearse({ log, plugins, changes: [hiding("c")] })).differ).toBe(0);
  });

  test("is what decisions count; of what is not in the log any more nobody can say how many there were", async () => {
    const sheep = table<string>("sheep", "logged", { countedBy: (_, color) => color });
    const flock = plugin("flock", {
      needs: [authority],
      tables: [sheep],
      messages: { sheep: { add: takes("name", "color") } },
      decide({ message, state }) {
        if (message.resource !== "sheep") return next();
        const { name, color } = message.data as { readonly name: string; readonly color: string };
        const after = state.put(sheep, name, color);
        return after.count(sheep, "black") > 1 || after.count(sheep) > 3
          ? refuse("TOO_MANY", name)
          : next({ state: after });
      },
    });
    const node = await start([admits(), flock]);
    for (const [name, color] of Object.entries({ a: "black", b: "white", c: "black", d: "white", e: "white" }))
      await node.send("sheep.add", { name, color }).catch(() => {});
    expect(await node.history()).toEqual(
      ["done", "done", "refused", "done", "refused"].map((how) => `sheep.add ${how}`),
    );
    const asked = { log: await historyOf(node.log), plugins: [admits(), flock] };
    expect(await rehearse(asked)).toMatchObject({ same: 5, differ: 0 });
    const painted: RowOverride = { table: "sheep", becomes: (row, key) => (key === "a" ? "white" : row) };
    expect(said(await rehearse({ ...asked, changes: [painted] }))).toEqual(["4: refused TOO_MANY flock → done"]);
    const late = await rehearse({ ...asked, log: await historyOf(node.log, { first: 6 }) });
    expect(late.undecidables).toMatchObject([{ entry: 6, reason: 'rows of "sheep" are not in the log any more' }]);
  });

  test("finds the rows around it as history left them", async () => {
    const asked: unknown[] = [];
    const node = await written([admits(), notes()], ["a", "b", "a"]);
    const peeking: RowOverride = {
      table: noteTable.name,
      becomes(row, key, recorded) {
        asked.push([key, row, recorded("b"), recorded("nobody")]);
        return row;
      },
    };
    await rehearse({ log: await historyOf(node.log), plugins: [admits(), notes()], changes: [peeking] });
    expect(asked).toEqual([["a", "hi", "hi", undefined]]);
  });
});
