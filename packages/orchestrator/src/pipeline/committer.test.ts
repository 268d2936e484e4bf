// Output commit: nobody is told what is not durable, and what could not be made durable never happened.

import { describe, expect, test } from "bun:test";
import { memoryLog } from "../log/memory/memory-log.ts";
import type { AnyPlugin } from "../plugin/plugin.ts";
import { faultyLog, gatedLog, logWith } from "../testing/faulty-log.fixture.ts";
import { notes, noteTable } from "../testing/notes.fixture.ts";
import { admits, codeOf, settled, start } from "../testing/start.fixture.ts";

const plugins: readonly AnyPlugin[] = [admits(), notes()];
const write = (name: string) => ["note.write", { name, text: `text of ${name}` }] as const;

/** What a promise has come to by now. */
function watch(promise: Promise<unknown>) {
  const seen = { state: "pending", value: undefined as unknown };
  promise.then(
    (value) => Object.assign(seen, { state: "resolved", value }),
    (error) => Object.assign(seen, { state: "rejected", value: error.code }),
  );
  return seen;
}

describe("groups", () => {
  test("what arrives before the append is one group, in order, and all see what was decided before them", async () => {
    const groups: number[] = [];
    const inner = memoryLog();
    const log = logWith(inner, {
      append(head, entries) {
        groups.push(entries.length);
        return inner.append(head, entries);
      },
    });
    const node = await start(plugins, { log, manual: true });
    const answers = [
      node.send(...write("a")),
      node.send("note.read", { name: "a" }),
      node.send(...write("a")).catch(({ code }) => code),
    ];
    const seen = answers.map(watch);
    await settled();
    expect(seen.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
    expect(node.log.head).toBe(1);
    node.flush();
    expect(await Promise.all(answers)).toEqual([{ name: "a" }, "text of a", "NOTE_THERE"]);
    expect(groups).toEqual([1, 2]);
    expect(await node.history()).toEqual(["note.write done", "note.write refused"]);
  });

  test("a query on a durable tip waits for nothing", async () => {
    const node = await start(plugins, { manual: true });
    expect(await node.send("note.read", { name: "a" })).toBeNull();
  });

  test("entries that are decided and not yet durable can be read, whatever their append does", async () => {
    const gate = gatedLog();
    const starting = start(plugins, { log: gate.log, manual: true });
    await settled();
    gate.appends.shift()?.pass();
    const node = await starting;
    const { reader, committer } = node.orchestrator;
    const sent = [node.send(...write("a")), node.send(...write("b"))];
    await settled();
    node.flush(); // a and b are under way
    sent.push(node.send(...write("c")));
    await settled();
    const seqs = async (...args: Parameters<typeof reader.entries>) =>
      (await reader.entries(...args)).map(({ seq }) => seq);
    expect([committer.durable, committer.tip]).toEqual([1, 4]);
    expect(await seqs(1)).toEqual([1, 2, 3, 4]);
    expect(await seqs(3)).toEqual([3, 4]);
    expect(await seqs(1, { limit: 2 })).toEqual([1, 2]);
    expect(await seqs(4, { reverse: true })).toEqual([4, 3, 2, 1]);
    expect(await seqs(3, { reverse: true, limit: 2 })).toEqual([3, 2]);
    const second = JSON.parse(((await reader.entries(3))[0]?.text ?? "").split("\n")[0] as string) as { id: string };
    expect(await reader.find(second.id)).toBe(3);
    const during = reader.entries(1);
    gate.appends.shift()?.pass();
    await settled();
    expect((await during).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    gate.appends.shift()?.pass();
    await Promise.all(sent);
    expect(await seqs(1)).toEqual([1, 2, 3, 4]);
    node.send(...write("d")).catch(() => {});
    await settled();
    expect(await seqs(1)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("an append that fails", () => {
  test("undoes everything of its group, and everybody is told that it can be tried again", async () => {
    const disk = faultyLog();
    const node = await start(plugins, { log: disk.log, manual: true });
    const { committer, reader } = node.orchestrator;
    const kept = node.send(...write("kept"));
    await settled();
    node.flush();
    await kept;
    const answers = [
      node.send(...write("a"), { key: "k" } as never),
      node.send("note.read", { name: "a" }),
      node.send(...write("a")),
    ];
    const codes = Promise.all(answers.map(codeOf));
    await settled();
    expect([...reader.rows(noteTable)]).toHaveLength(2);
    disk.full = true;
    node.flush();
    expect(await codes).toEqual(["LOG_UNAVAILABLE", "LOG_UNAVAILABLE", "LOG_UNAVAILABLE"]);
    expect([committer.tip, committer.durable, committer.generation]).toEqual([2, 2, 1]);
    expect([...reader.rows(noteTable)]).toEqual([["kept", "text of kept"]]);
    expect(await node.history()).toEqual(["note.write done"]);
  });

  test("leaves reads on, refuses writes without deciding them, and writes work again once the disk does", async () => {
    const disk = faultyLog();
    const node = await start(plugins, { log: disk.log });
    await node.send(...write("kept"));
    disk.full = true;
    expect(await codeOf(node.send(...write("a"), { key: "k" } as never))).toBe("LOG_UNAVAILABLE");
    expect(await node.send("note.read", { name: "kept" })).toBe("text of kept");
    expect(await node.send("note.read", { name: "a" })).toBeNull();
    const { generation } = node.orchestrator.committer;
    expect(await codeOf(node.send(...write("b")))).toBe("LOG_UNAVAILABLE");
    expect(node.orchestrator.committer.generation).toBe(generation);
    disk.full = false;
    expect(await node.send(...write("a"), { key: "k" } as never)).toEqual({ name: "a" });
    expect(await node.history()).toEqual(["note.write done", "note.write done"]);
  });
});

describe("a log that answers later", () => {
  async function later() {
    const gate = gatedLog();
    const starting = start(plugins, { log: gate.log });
    await settled();
    gate.appends.shift()?.pass();
    return { gate, node: await starting };
  }

  test("appends one group at a time, and answers each when it is durable", async () => {
    const { gate, node } = await later();
    const first = watch(node.send(...write("a")));
    await settled();
    const second = watch(node.send(...write("b")));
    const third = watch(node.send(...write("c")));
    await settled();
    expect(gate.appends.map(({ entries }) => entries)).toEqual([1]);
    gate.appends.shift()?.pass();
    await settled();
    expect([first.state, second.state, third.state]).toEqual(["resolved", "pending", "pending"]);
    expect(gate.appends.map(({ entries }) => entries)).toEqual([2]);
    gate.appends.shift()?.pass();
    await settled();
    expect([second.state, third.state]).toEqual(["resolved", "resolved"]);
  });

  test.each(["fail", "conflict"] as const)("undoes what is under way and what came after, at a %s", async (how) => {
    const { gate, node } = await later();
    const first = watch(node.send(...write("a")));
    await settled();
    const second = watch(node.send(...write("b")));
    const read = watch(node.send("note.read", { name: "a" }));
    await settled();
    gate.appends.shift()?.[how]();
    await settled();
    for (const one of [first, second, read]) expect(one).toEqual({ state: "rejected", value: "LOG_UNAVAILABLE" });
    expect([...node.orchestrator.reader.rows(noteTable)]).toEqual([]);
    expect(gate.appends).toHaveLength(0);
    // The probe answers later too: the first to ask finds out for the next.
    expect(await codeOf(node.send(...write("c")))).toBe("LOG_UNAVAILABLE");
    const again = watch(node.send(...write("c")));
    await settled();
    gate.appends.shift()?.pass();
    await settled();
    expect(again).toEqual({ state: "resolved", value: { name: "c" } });
    expect(node.log.head).toBe(2);
  });
});

test("whoever waits for an earlier entry is not kept by who waits for a later one", async () => {
  const gate = gatedLog();
  const starting = start(plugins, { log: gate.log });
  await settled();
  gate.appends.shift()?.pass();
  const node = await starting;
  const { committer } = node.orchestrator;
  node.send(...write("a")).catch(() => {});
  await settled();
  node.send(...write("b")).catch(() => {});
  await settled();
  const late = watch(committer.whenDurable(3) as Promise<void>);
  const early = watch(committer.whenDurable(2) as Promise<void>);
  gate.appends.shift()?.pass();
  await settled();
  expect([late.state, early.state]).toEqual(["pending", "resolved"]);
  gate.appends.shift()?.fail();
  await settled();
  expect(late).toEqual({ state: "rejected", value: "LOG_UNAVAILABLE" });
});
