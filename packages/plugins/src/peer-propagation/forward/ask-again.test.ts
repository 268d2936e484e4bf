// When what nobody knows is asked again by itself: at once when a session is there again, seldom and bounded while it is not known.

import { expect, test } from "bun:test";
import type { ExecutionRow } from "../../executor/schema.ts";
import { Clock } from "../../hub.fixture.ts";
import { AskAgain, type AskAgainParts } from "./ask-again.ts";

function asking(count: number) {
  const clock = new Clock();
  const rows = new Map<string, Partial<ExecutionRow>>();
  for (let i = 0; i < count; i++)
    rows.set(`x-${String(i).padStart(4, "0")}`, { state: "ambiguous", elsewhere: { by: "p", to: "n-b", again: true } });
  const asked: string[] = [];
  const neighbours: (string | null)[] = [];
  let session = true;
  const runtime = {
    timers: clock,
    log: { error: (fields: object) => expect.unreachable(JSON.stringify(fields)) },
    reader: { rows: () => rows },
    given: () => undefined,
    async note({ action, data }: { action: string; data: { execution: string; node: string | null } }) {
      if (action !== "again") return void neighbours.push(data.node);
      asked.push(data.execution);
      const row = rows.get(data.execution) as Partial<ExecutionRow>;
      rows.set(data.execution, { ...row, attempt: (row.attempt ?? 1) + 1 });
    },
  };
  const again = new AskAgain({
    ...{ by: "p", first: 1000, runtime: runtime as unknown as AskAgainParts["runtime"] },
    session: () => session,
  });
  return {
    ...{ clock, rows, asked, neighbours, again },
    lose() {
      session = false;
      again.lost({ name: "berlin", node: "n-b" });
    },
    establish() {
      session = true;
      again.established({ name: "berlin", node: "n-b" });
    },
  };
}

test("all of a neighbour's are asked when it is back, so many at a time, and nobody else's", () => {
  const { clock, rows, asked, neighbours, establish } = asking(150);
  rows.set("x-other", { state: "ambiguous", elsewhere: { by: "p", to: "n-c", again: true } });
  // It was asked before another was, and nobody knows whether it still sees to it.
  rows.set("x-y-open", { state: "ambiguous", elsewhere: { by: "p", to: "n-c", open: ["n-d", "n-b"], again: true } });
  rows.set("x-running", { state: "running", elsewhere: { by: "p", to: "n-b" } });
  rows.set("x-here", { state: "ambiguous" });
  establish();
  expect(asked).toHaveLength(64);
  clock.advance(1000);
  clock.advance(1000);
  expect(asked).toEqual([...[...rows.keys()].slice(0, 150), "x-y-open"]);
  expect(neighbours).toEqual(["n-b"]);
});

test("what it does not know is asked ever more seldom, once an hour later on, and no more in the end", () => {
  const { clock, asked, establish } = asking(1);
  const start = clock.now();
  establish();
  const times: number[] = [];
  for (let second = 0; second < 4 * 3600; second++) {
    clock.advance(1000);
    if (asked.length > times.length + 1) times.push((clock.now() - start) / 1000);
  }
  expect(times.slice(0, 4)).toEqual([2, 6, 14, 30]);
  expect(times.filter((time) => time < 2.2 * 3600)).toHaveLength(17);
  expect(asked.length).toBeLessThan(21);
  clock.advance(3 * 24 * 3_600_000);
  expect(asked).toHaveLength(50);
  expect(clock.set).toBe(0);
});

test("what all have given up is asked of nobody", () => {
  const { asked, rows, establish } = asking(1);
  rows.set("x-0000", { state: "ambiguous", elsewhere: { by: "p", to: "n-b", again: true, givenUp: true } });
  establish();
  expect(asked).toEqual([]);
});

test("while there is no session nothing is asked; then at once, and from the beginning", () => {
  const { clock, asked, neighbours, again, lose, establish } = asking(1);
  lose();
  again.unknown("n-b");
  clock.advance(3_600_000);
  expect([asked, neighbours]).toEqual([[], [null]]);
  establish();
  expect(asked).toHaveLength(1);
  again.unknown("n-b");
  again.stop();
  clock.advance(3_600_000);
  expect(asked).toHaveLength(1);
});

test("is asked no more in the end either where its session comes and goes", () => {
  const { asked, rows, lose, establish } = asking(1);
  for (let times = 1; times <= 200; times++) {
    const [id, row] = [...rows][0] as [string, Partial<ExecutionRow>];
    rows.set(id, { ...row, attempt: times });
    establish();
    lose();
  }
  expect(asked).toHaveLength(50);
});

test("what became known is left alone", () => {
  const { clock, rows, asked, establish } = asking(1);
  establish();
  rows.clear();
  clock.advance(3_600_000);
  expect(asked).toHaveLength(1);
});

test("what becomes unknown while something else is asked about seldom is asked soon, and does not cost that its tries", () => {
  const { clock, rows, asked, again, establish } = asking(1);
  establish();
  clock.advance(3 * 60 * 60_000);
  const [old] = rows.keys();
  const before = asked.length;
  rows.set("x-new", { state: "ambiguous", attempt: 1, elsewhere: { by: "p", to: "n-b", again: true } });
  again.unknown("n-b");
  clock.advance(1000);
  expect(asked.slice(before)).toEqual(["x-new"]);
  clock.advance(2000);
  expect(asked.slice(before)).toEqual(["x-new", "x-new"]);
  rows.delete("x-new");
  clock.advance(60_000);
  expect(asked.slice(before).filter((one) => one === old).length).toBeLessThan(2);
  again.stop();
  expect(clock.set).toBe(0);
});

test("nothing is left to be asked soon when it stops, also where nothing is asked seldom any more", () => {
  const { clock, rows, again, establish } = asking(1);
  establish();
  clock.advance(1500);
  again.unknown("n-b");
  rows.clear();
  clock.advance(500);
  expect(clock.set).toBe(1);
  again.stop();
  expect(clock.set).toBe(0);
});
