// What nobody can say of executions elsewhere is an alert, once: after an hour, or when it was given up where it was done.

import { expect, test } from "bun:test";
import { type Message, memoryLog } from "@capstan/orchestrator";
import { reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { recording, startWithWays } from "../../executor/elsewhere/elsewhere.fixture.ts";
import { type ExecutionRow, executionTable } from "../../executor/schema.ts";
import { Clock, faultFrom } from "../../hub.fixture.ts";
import { Unsettled } from "../../registry/elsewhere.ts";
import { Unresolved, type UnresolvedParts } from "./unresolved.ts";

type Told = { executions: string[]; about: string; text: string };

const HOUR = 60 * 60_000;

function looking(rows: Record<string, Partial<ExecutionRow>>, node: Partial<UnresolvedParts> = {}) {
  const clock = new Clock();
  const told: Told[] = [];
  const ended: string[][] = [];
  const all = new Map(
    Object.entries(rows).map(([id, row]) => [id, { state: "ambiguous", action: "greet", at: clock.now(), ...row }]),
  );
  const runtime = {
    ...{ timers: clock, now: clock.now, log: { warn() {} }, given: () => undefined, reader: { rows: () => all } },
    async note({ action, data }: Message) {
      if (action === "lose") {
        const { execution, error } = data as { execution: string; error: { code: string } };
        all.delete(execution);
        return void ended.push([execution, error.code]);
      }
      told.push(data as Told);
      for (const id of (data as Told).executions) all.set(id, { ...(all.get(id) as object), alerted: true } as never);
    },
  };
  const unresolved = new Unresolved({
    ...{ by: "p", nameOf: () => "berlin", session: () => false, ...node },
    runtime: runtime as unknown as UnresolvedParts["runtime"],
  });
  return { clock, told, ended, unresolved };
}

const asked = (to: string, more: object = {}) => ({ elsewhere: { by: "p", to, again: true as const, ...more } });

test("after an hour, one for all that a neighbour was asked, with what to do; and no other after that", () => {
  const { clock, told, unresolved } = looking({
    "x-2": asked("n-b"),
    "x-1": asked("n-b", { open: ["n-c"] }),
    "x-3": asked("n-c"),
    "x-here": {},
    "x-running": { ...asked("n-b"), state: "running" },
    "x-other": { elsewhere: { by: "q", to: "n-b", again: true } },
  });
  clock.advance(HOUR - 1);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told.map(({ executions, about }) => [about, ...executions])).toEqual([
    ["n-b", "x-1", "x-2"],
    ["x-3", "x-3"],
  ]);
  expect(told[0]?.text).toBe(
    '2 executions, the oldest x-1 (greet), may have been done, and nobody knows: there is no session with berlin, which was asked, and is asked again when there is one; "capstan execution retry ID" asks now, "capstan execution abandon ID" gives one up, "capstan execution list --state ambiguous" lists them',
  );
  clock.advance(24 * HOUR);
  expect(told).toHaveLength(2);
  unresolved.stop();
  expect(clock.set).toBe(0);
});

test("what was given up there is told at once, apart; of a peer that is gone it is said", () => {
  const row = { ...asked("n-b", { givenUp: true as const }), at: Number.MAX_SAFE_INTEGER };
  const given = looking({ "x-1": row, "x-2": { ...row, ...asked("n-b") } });
  given.clock.advance(HOUR);
  expect(given.told).toMatchObject([{ executions: ["x-1"], about: "x-1" }]);
  expect(given.told[0]?.text).toContain("berlin, which was asked, tells that it was given up");
  for (const [node, why] of [
    [{ nameOf: () => undefined }, "n-b, which was asked, is no peer any more"],
    [{ session: () => true }, "berlin, which was asked, does not know either"],
  ] as const) {
    const { clock, told } = looking({ "x-1": asked("n-b") }, node);
    clock.advance(HOUR);
    expect(told[0]?.text).toContain(why);
  }
});

test("what was handed on for another node is nobody's alert here, and is given up after a day", () => {
  const { clock, told, ended } = looking({ "x-1": asked("n-b", { via: ["n-z"] }), "x-2": asked("n-b") });
  clock.advance(24 * HOUR - 1);
  expect([told.map(({ executions }) => executions), ended]).toEqual([[["x-2"]], []]);
  clock.advance(HOUR);
  expect(ended).toEqual([["x-1", "EXECUTION_ABANDONED"]]);
});

test("thousands are told of in a few alerts", () => {
  const { clock, told } = looking(
    Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x-${1000 + i}`, asked("n-b")])),
  );
  clock.advance(HOUR);
  expect(told.map(({ executions }) => executions.length)).toEqual([256, 256, 256, 232]);
});

test("it is an entry, and once: also over restarts; when it is given up there, once more", async () => {
  const log = memoryLog();
  const carrier = recording((_, nth) => {
    const code = nth < 3 ? "EXECUTION_AMBIGUOUS" : "EXECUTION_ABANDONED";
    throw new Unsettled({ code, message: code }, ["n-b"]);
  });
  const first = await startWithWays({ carrier, log });
  await first.learn("greet");
  await faultFrom(first.app.action.perform({ name: "greet" }));
  const [id] = [...first.hub.reader.rows(executionTable)][0] as [string, ExecutionRow];
  type Node = typeof first;
  const tell = ({ runtime }: Node) =>
    runtime.note({ resource: "execution", action: "unresolved", data: { executions: [id], about: id, text: "look" } });
  const alerts = async ({ app }: Node) => (await app.log.list({ message: "alert.raised" })).items.length;
  await tell(first);
  await tell(first);
  expect(await alerts(first)).toBe(1);
  const second = await startWithWays({ carrier, log: reopened(log), clock: first.clock });
  const again = async () => {
    await second.runtime.note({ resource: "execution", action: "again", data: { execution: id } });
    while (second.hub.reader.get(executionTable, id)?.state === "running") await new Promise(setImmediate);
  };
  await again();
  await tell(second);
  expect(await alerts(second)).toBe(1);
  await again();
  expect(second.hub.reader.get(executionTable, id)).toMatchObject({ elsewhere: { givenUp: true } });
  await tell(second);
  await tell(second);
  expect(await alerts(second)).toBe(2);
  await second.hub.stop();
});
