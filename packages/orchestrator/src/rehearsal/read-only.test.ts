// What of a history a rehearsal looks at, and that looking is all that it does.

import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { memoryLog } from "../log/memory/memory-log.ts";
import { query } from "../message/definition.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { authority } from "../plugin/token.ts";
import { byHand, jobs } from "../testing/jobs.fixture.ts";
import { notes, noteTable } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, settled, start } from "../testing/start.fixture.ts";
import { historyOf } from "./history.fixture.ts";
import { forbids, said, written } from "./rehearse.fixture.ts";
import { rehearse } from "./rehearse.ts";

describe("what is looked at", () => {
  test("is the newest so many; the rows before them are there", async () => {
    const node = await written([admits(), notes()], ["a", "b", "a", "b"]);
    const told: number[] = [];
    const report = await rehearse({
      log: await historyOf(node.log),
      plugins: [admits(), forbids("b"), notes()],
      last: 2,
      onDifference: ({ entry }) => told.push(entry),
    });
    expect(report).toMatchObject({ messages: 2, same: 1, differ: 1, entries: { from: 4, to: 5 } });
    expect(said(report)).toEqual(["5: refused NOTE_THERE notes → refused NAME_FORBIDDEN forbids not b"]);
    expect(told).toEqual([5]);
  });

  test("can be nothing", async () => {
    const report = await rehearse({ log: await historyOf(memoryLog()), plugins: [admits()] });
    expect(report).toMatchObject({ messages: 0, compared: 0, entries: { from: 1, to: 0 }, state: { same: true } });
  });

  test("lies in the entries, or beside them", async () => {
    const node = await written([admits(), notes()], ["a", "b", "a"]);
    const plugins = [admits(), forbids("b"), notes()];
    const inside = await rehearse({ log: await historyOf(node.log), plugins });
    expect(await rehearse({ log: await historyOf(node.log, { beside: true }), plugins })).toEqual(inside);
    expect(inside.differ).toBe(1);
  });

  test("is told of plugins that do not fit together before anything is read", async () => {
    const log = { ...(await historyOf(memoryLog())), read: () => expect.unreachable("nothing is read") };
    const rehearsed = rehearse({ log, plugins: [notes(), admits()] });
    expect(await codeOf(rehearsed)).toBe("COMPOSITION_INVALID");
  });
});

describe("nothing is carried out", () => {
  test("of a plugin only decide runs: no prepare, no effect, no start, no connection, no answer", async () => {
    const never = () => expect.unreachable("only decide runs");
    const work = byHand();
    const node = await start([admits(), jobs(work.work), notes()]);
    void node.send("job.run").catch(() => {});
    await node.send("note.write", { name: "a", text: "hi" });
    work.running[0]?.end("ready");
    await settled();
    let decided = 0;
    const everything: AnyPlugin = {
      ...jobs(never),
      prepare: { "job.run": never, "job.done": never },
      effects: { work: { carryOut: never, failed: never, lost: never } },
      connections: { connectionFromNobody: { input: z.string(), verify: never, open: never } },
      doors: [{ path: "/nobody", fetch: never }],
      start: never,
      stop: never,
      decide(context) {
        decided++;
        return jobs(never).decide(context);
      },
    };
    const reads = plugin("reads", {
      needs: [authority],
      messages: { read: { it: query({ summary: "Read.", data: z.strictObject({}), result: z.unknown() }) } },
      answer: { "read.it": never },
    });
    const { head } = node.log;
    const report = await rehearse({ log: await historyOf(node.log), plugins: [admits(), everything, reads, notes()] });
    expect(decided).toBe(report.compared);
    expect(report).toMatchObject({ same: 3, differ: 0, undecidable: 0, state: { same: true } });
    expect([node.log.head, work.running.length]).toEqual([head, 1]);
  });

  test("a log that somebody else writes to meanwhile is told apart", async () => {
    const node = await written([admits(), forbids("a"), notes()], ["a", "b"]);
    const write = { table: noteTable.name, key: "meanwhile", json: '"x"' };
    const report = await rehearse({
      log: await historyOf(node.log),
      plugins: [admits(), notes()],
      onDifference() {
        const [id, at] = ["m-0", node.log.lastAt];
        void node.log.append(node.log.head, [{ id, at, text: `{"id":"${id}"}`, rows: [write] }]);
      },
    });
    expect(report.differ).toBe(1);
    expect(report.state.same).toBe(false);
    expect(report.state.before).toBe(report.state.replayed as string);
    expect(report.state.after).not.toBe(report.state.before);
  });

  test("the log is asked for nothing but to be read", async () => {
    const node = await written([admits(), notes()], ["a"]);
    const log = await historyOf(node.log);
    const asked = new Set<string | symbol>();
    const watched = new Proxy(log, {
      get(target, name) {
        asked.add(name);
        return Reflect.get(target, name);
      },
    });
    await rehearse({ log: watched, plugins: [admits(), notes()] });
    expect([...asked].sort()).toEqual(["first", "head", "read", "rows"]);
  });
});
