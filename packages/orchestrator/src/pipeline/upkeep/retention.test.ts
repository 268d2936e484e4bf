// How far a log is compacted: as far as was asked, and not past what is still needed; the reason is told.

import { describe, expect, test } from "bun:test";
import { hold, next } from "../../plugin/result.ts";
import { authority } from "../../plugin/token.ts";
import { cells, cellTable } from "../../testing/cells.fixture.ts";
import { checked, compact, DAY, filled, type Node } from "../../testing/compaction.fixture.ts";
import { byHand, jobs } from "../../testing/jobs.fixture.ts";
import { ManualTime } from "../../testing/manual-time.fixture.ts";
import { admits, codeOf, plugin, settled, start, takes } from "../../testing/start.fixture.ts";

describe("how far", () => {
  async function stopped(node: Node, data: object = {}): Promise<string> {
    const { before, first, stoppedBy } = await compact(node, data);
    expect([first, node.log.first]).toEqual([before, before]);
    await checked(node, [cellTable.name, "job"]);
    return stoppedBy === undefined ? `${before}` : `${before}: ${stoppedBy.why}`;
  }
  const since = (node: Node) => node.log.head + 1;

  test("not past a message that still owes something", async () => {
    const { work, running } = byHand();
    const node = await start([admits(), cells(), jobs(work)]);
    await node.send("cell.set", { name: "a", text: "1" });
    const owed = since(node);
    const run = node.send("job.run");
    await settled();
    for (let i = 0; i < 5; i++) await node.send("cell.set", { name: "a", text: `${i}` });
    expect(await stopped(node)).toMatch(new RegExp(`^${owed}: m-\\w+ still owes "work"$`));
    running[0]?.end("ok");
    await run;
    expect(await stopped(node)).toBe(`${node.log.head - 1}`);
  });

  test("not past one that is held", async () => {
    const gate = plugin("gate", {
      needs: [authority],
      decide: ({ message, envelope }) =>
        message.resource === "cell" && envelope.facts.approval === undefined ? hold("approval") : next(),
    });
    const node = await start([admits(), gate, cells()]);
    const held = since(node);
    const { message } = await node.send<{ message: string }>("cell.set", { name: "a", text: "1" }, { wait: 0 });
    for (let i = 0; i < 4; i++) await codeOf(node.send("message.settle", { id: "m-none", hold: "no", outcome: 1 }));
    // The gate holds what comes in the same millisecond as well: the oldest entry of then is kept.
    expect(await stopped(node, { before: 5 })).toMatch(/^\d+: m-\w+ is held for "approval"$/);
    expect(node.log.first).toBeLessThanOrEqual(held);
    await node.send("message.settle", { id: message, hold: "approval", outcome: true });
    expect(await stopped(node)).toBe(`${node.log.head - 1}`);
  });

  test("not past what somebody here waits for", async () => {
    const promises = plugin("promises", {
      needs: [authority],
      messages: { promise: { make: takes() } },
      decide: ({ message }) => (message.resource === "promise" ? next({ pending: true, data: {} }) : next()),
    });
    const node = await start([admits(), promises, cells()]);
    const made = since(node);
    void node.send("promise.make").catch(() => {});
    await settled();
    await node.send("cell.set", { name: "a", text: "1" });
    expect(await stopped(node)).toBe(`${made}: somebody waits for what comes of its message`);
  });

  test("not past a key that a repeat may still come with", async () => {
    const time = new ManualTime();
    const node = await start([admits(), cells()], { time });
    const set = (key?: string) => node.send("cell.set", { name: "a", text: "1" }, key === undefined ? {} : { key });
    await set("old");
    time.advance(DAY);
    await set();
    const keyed = since(node);
    await set("young");
    await set();
    time.advance(DAY);
    expect(await stopped(node)).toBe(`${keyed}: a key of the last 24 hours`);
    time.advance(1);
    expect(await stopped(node)).toBe(`${node.log.head - 1}`);
  });

  test("not past what a plugin needs, and says which", async () => {
    let needed: number | undefined = 4;
    const node = await filled({}, 8, [
      admits(),
      cells(() => (needed === undefined ? undefined : { entry: needed, why: "a cursor stands there" })),
    ]);
    node.time.advance(2 * DAY);
    expect(await stopped(node)).toBe("4: cells: a cursor stands there");
    needed = 99;
    expect(await stopped(node, { before: 6 })).toBe("6");
    needed = undefined;
    expect(await stopped(node)).toBe(`${node.log.head - 1}`);
  });

  test("only what is older than was asked", async () => {
    const time = new ManualTime();
    const node = await start([admits(), cells()], { time });
    for (let i = 0; i < 10; i++) {
      time.advance(1000);
      await node.send("cell.set", { name: "a", text: `${i}` });
    }
    expect(await stopped(node, { olderThan: 5000 })).toBe("6");
    expect(await stopped(node, { olderThan: 5000 })).toBe("6");
    expect(await stopped(node, { olderThan: DAY })).toBe("6");
  });

  test("nothing is done, and no row stated again, where nothing may go", async () => {
    const node = await filled({}, 20);
    const answer = await compact(node, { before: 1 });
    expect(answer).toEqual({ before: 1, first: 1 } as never);
    expect((await compact(node)).stoppedBy).toEqual({ entry: 2, why: "a key of the last 24 hours" });
    const [last] = await node.log.read(node.log.head, { limit: 1 });
    expect(last?.text).toContain('"message":"log.trimmed"');
  });

  test("the reasons stand in the entry's facts", async () => {
    const node = await filled({}, 3, [admits(), cells(() => ({ entry: 3, why: "a cursor" }))]);
    await compact(node);
    const stored = (await node.log.read(node.log.first)).find(({ text }) => text.includes('"message":"log.compact"'));
    expect(stored?.text).toContain('"stops":[{"entry":3,"why":"cells: a cursor"},{"entry":2,"why":"a key of');
  });
});
