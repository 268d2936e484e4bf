// Who is told of a cancelling, and when: all that were asked, as soon as each can be, and nobody when nothing of it can run any more.

import { expect, test } from "bun:test";
import { fault, type Message, memoryLog, type StoredRow } from "@capstan/orchestrator";
import { altered, reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { type RecallRow, recallTable } from "../../executor/schema.ts";
import { Clock } from "../../hub.fixture.ts";
import { CARRIER } from "../peering.ts";
import { startNode, until } from "../peers.fixture.ts";
import { Fake } from "./forward.fixture.ts";
import { TakeBack, type TakeBackParts } from "./take-back.ts";

function owing(neighbours: Record<string, Fake>) {
  const clock = new Clock();
  const rows = new Map<string, RecallRow>();
  let isFull = false;
  const runtime = {
    ...{ timers: clock, now: clock.now, log: { warn: () => {} } },
    async note({ data }: Message) {
      if (isFull) throw new Error("ENOSPC");
      const { execution, node } = data as { execution: string; node?: string };
      const row = rows.get(execution) as RecallRow;
      const nodes = row.nodes.filter((one) => node !== undefined && one !== node);
      if (nodes.length === 0) rows.delete(execution);
      else rows.set(execution, { ...row, nodes });
      await undefined;
      tell(execution);
    },
  };
  const owed = new TakeBack({
    ...{ by: "p", again: 1000, runtime: runtime as unknown as TakeBackParts["runtime"] },
    neighbour: (node) => neighbours[node],
  });
  const tell = (key: string): void => owed.followed([{ table: recallTable, key, row: rows.get(key) }]);
  return {
    ...{ clock, rows, owed },
    establish: (node: string) => owed.established({ name: node, node }),
    cancel(execution: string, nodes: readonly string[], by = "p") {
      const until = clock.now() + 600_000;
      rows.set(execution, { by, action: "greet", under: `m-${execution}`, request: "r", nodes, until });
      tell(execution);
    },
    fill(full: boolean) {
      isFull = full;
    },
  };
}

const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};
const toldOf = ({ asked }: Fake) => asked.map(([{ data }]) => (data as { under: string }).under);

test("all that were asked are told, each once: at once, or when it has a session again", async () => {
  const [b, c] = [new Fake("berlin"), new Fake("cairo")];
  const neighbours: Record<string, Fake> = { b };
  const { rows, establish, cancel } = owing(neighbours);
  establish("b");
  cancel("1", ["c", "b"]);
  cancel("2", ["b"], "somebody else");
  await turns();
  const data = { name: "greet", under: "m-1", request: "r" };
  expect(b.asked).toEqual([
    [
      { resource: "action", action: "recall", data },
      { via: [], hops: 1 },
    ],
  ]);
  expect(rows.get("1")?.nodes).toEqual(["c"]);
  neighbours.c = c;
  establish("c");
  await turns();
  expect([toldOf(b), toldOf(c), [...rows.keys()]]).toEqual([["m-1"], ["m-1"], ["2"]]);
});

test("a session that is lost, a neighbour that is about to go: it is told again; a refusal is an answer", async () => {
  const says: unknown[] = [
    Object.assign(new Error("stopping"), { code: "STOPPING" }),
    new Error("lost"),
    Object.assign(new Error("no"), fault("REFUSED", "no")),
  ];
  const b = new Fake("berlin", () => Promise.reject(says.shift()));
  const { clock, rows, establish, cancel } = owing({ b });
  establish("b");
  cancel("1", ["b"]);
  for (let second = 0; second < 5; second++) {
    await turns();
    clock.advance(1000);
  }
  expect([b.asked.length, rows.size]).toEqual([3, 0]);
});

test("what cannot be noted is said again, and costs nobody anything", async () => {
  const b = new Fake("berlin");
  const { clock, rows, establish, cancel, fill } = owing({ b });
  establish("b");
  fill(true);
  cancel("1", ["b"]);
  await turns();
  fill(false);
  clock.advance(1000);
  await turns();
  expect([toldOf(b), rows.size]).toEqual([["m-1", "m-1"], 0]);
});

test("so many at a time, and none that hangs holds up another neighbour", async () => {
  const free: (() => void)[] = [];
  const b = new Fake("berlin", () => new Promise<void>((resolve) => free.push(resolve)));
  const c = new Fake("cairo");
  const { rows, establish, cancel } = owing({ b, c });
  establish("b");
  establish("c");
  for (let i = 10; i < 60; i++) cancel(String(i), ["b", "c"]);
  await turns();
  expect([b.asked.length, c.asked.length]).toEqual([16, 50]);
  while (rows.size > 0) {
    for (const go of free.splice(0)) go();
    await turns();
  }
  expect(new Set(toldOf(b)).size).toBe(50);
  expect(b.asked).toHaveLength(50);
});

test("when nothing of it can run any more nobody is told, and nothing waits", async () => {
  const neighbours: Record<string, Fake> = {};
  const { clock, rows, owed, establish, cancel } = owing(neighbours);
  cancel("1", ["b"]);
  clock.advance(600_000);
  await turns();
  expect([rows.size, clock.set]).toEqual([0, 0]);
  neighbours.b = new Fake("berlin");
  establish("b");
  expect((neighbours.b as Fake).asked).toEqual([]);
  cancel("2", ["c"]);
  owed.stop();
  expect(clock.set).toBe(0);
});

test("what was owed to a peer that was removed since is let go, also where a node has no peer any more", async () => {
  const log = memoryLog();
  const first = await startNode({ id: "n-alone", log });
  await first.server.stop();
  const row: RecallRow = { by: CARRIER, action: "greet", under: "m-1", nodes: ["n-gone"], until: 1 };
  const owing = altered(reopened(log), {
    *snapshot(tables) {
      yield* log.snapshot(tables) as Iterable<StoredRow>;
      if (tables.includes("recall"))
        yield { table: "recall", key: "x-1KJMMA2G0E0J38R2", json: JSON.stringify(row), seq: 1 };
    },
  });
  const second = await startNode({ id: "n-alone", log: owing });
  try {
    await until(() => [...second.hub.reader.rows(recallTable)].length === 0);
  } finally {
    await second.server.stop();
  }
});
