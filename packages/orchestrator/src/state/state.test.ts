// State and tables against the simplest thing that could be right: a plain Map of what is decided, and one of what is durable.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { StateView } from "./state.ts";
import { table } from "./table.ts";
import { Tables } from "./tables.ts";

/** Nines are in no group. */
const countedBy = (_key: string, row: number) => (row === 9 ? undefined : row % 2 === 0 ? "even" : "odd");
const things = table<number>("thing", "logged", { countedBy });
const others = table<number>("other");
const key = fc.constantFrom("a", "b", "c", "d");

interface Write {
  readonly on: "thing" | "other";
  readonly key: string;
  /** `undefined` removes. */
  readonly row: number | undefined;
}

const write: fc.Arbitrary<Write> = fc.record({
  on: fc.constantFrom("thing", "other"),
  key,
  row: fc.option(fc.nat(9), { nil: undefined }),
});
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("decide" as const), writes: fc.array(write, { maxLength: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("commit" as const), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("undo" as const) }) },
);

type Rows = Map<string, number>;
const sorted = (rows: Iterable<readonly [string, unknown]>) => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
const name = (one: Write) => `${one.on}/${one.key}`;

function applied(rows: Rows, writes: readonly Write[]): Rows {
  const after = new Map(rows);
  for (const one of writes) {
    if (one.row === undefined) after.delete(name(one));
    else after.set(name(one), one.row);
  }
  return after;
}

function written(state: StateView, writes: readonly Write[]): StateView {
  for (const { on, key, row } of writes) {
    const where = on === "thing" ? things : others;
    state = row === undefined ? state.remove(where, key) : state.put(where, key, row);
  }
  return state;
}

function rowsOf(state: Pick<StateView, "rows">) {
  const all = [...state.rows(things)].map(([key, row]) => [`thing/${key}`, row] as const);
  return sorted([...all, ...[...state.rows(others)].map(([key, row]) => [`other/${key}`, row] as const)]);
}

/** Of `things`: even ones, odd ones, and both. */
const countsOf = (state: Pick<StateView, "count">) => [
  ...[state.count(things, "even"), state.count(things, "odd"), state.count(things)],
];

function countedIn(rows: Rows) {
  const groups = [...rows].filter(([name]) => name.startsWith("thing/")).map(([name, row]) => countedBy(name, row));
  const [even, odd] = ["even", "odd"].map((group) => groups.filter((one) => one === group).length) as [number, number];
  return [even, odd, even + odd];
}

test("whatever is decided, committed and undone, the tables hold what a Map would", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const tables = new Tables([things, others]);
      let history: Rows[] = [new Map()]; // by entry: the durable one first
      let first = 0;
      for (const one of steps) {
        const tip = first + history.length - 1;
        const model = history.at(-1) as Rows;
        if (one.kind === "decide") {
          const before = new StateView(tables);
          const after = written(before, one.writes);
          const expected = applied(model, one.writes);
          expect(rowsOf(after)).toEqual(sorted(expected));
          expect(rowsOf(before)).toEqual(sorted(model));
          expect([countsOf(after), countsOf(before)]).toEqual([countedIn(expected), countedIn(model)]);
          for (const each of one.writes) {
            expect(after.get(each.on === "thing" ? things : others, each.key)).toBe(expected.get(name(each)));
          }
          tables.apply(after.changes(), tip + 1);
          history.push(expected);
        } else if (one.kind === "commit") {
          const durable = Math.max(first, tip - one.back);
          tables.commit(durable);
          history = history.slice(durable - first);
          first = durable;
        } else {
          tables.undo();
          history = history.slice(0, 1);
        }
        expect(rowsOf(new StateView(tables))).toEqual(sorted(history.at(-1) as Rows));
        expect(countsOf(new StateView(tables))).toEqual(countedIn(history.at(-1) as Rows));
      }
    }),
  );
});

test("rows that are loaded are counted, once each; those of a table that counts none are a bug to ask for", () => {
  const tables = new Tables([things, others]);
  for (const row of [2, 2, 3, 9]) tables.load("thing", `row${row}`, row);
  expect(countsOf(new StateView(tables))).toEqual([1, 1, 2]);
  expect(() => new StateView(tables).count(others)).toThrow('rows of "other" are not counted');
});

test("an older state keeps what it showed", () => {
  const start = new StateView(new Tables([things]));
  const one = start.put(things, "a", 1);
  const two = one.put(things, "a", 2).remove(things, "b");
  expect([start.get(things, "a"), one.get(things, "a"), two.get(things, "a")]).toEqual([undefined, 1, 2]);
  expect(two.changes(one).map(({ key, row }) => [key, row])).toEqual([
    ["a", 2],
    ["b", undefined],
  ]);
  expect(two.changes()).toHaveLength(3);
});

test("a state knows what it was made from", () => {
  const tables = new Tables([things]);
  const start = new StateView(tables);
  const one = start.put(things, "a", 1);
  const other = start.put(things, "a", 1);
  expect([one.descendsFrom(start), one.descendsFrom(one), one.put(things, "b", 2).descendsFrom(one)]).toEqual([
    true,
    true,
    true,
  ]);
  expect([start.descendsFrom(one), other.descendsFrom(one), other.put(things, "b", 2).descendsFrom(one)]).toEqual([
    false,
    false,
    false,
  ]);
  expect(new StateView(tables).put(things, "a", 1).descendsFrom(start)).toBe(false);
});

test("every row read from a session table is told, by key and in a list; what the decision itself wrote is not", () => {
  const live = table<number>("live", "session");
  const tables = new Tables([live, things]);
  tables.apply(new StateView(tables).put(live, "a", 1).put(live, "b", 2).put(things, "a", 3).changes(), 1);
  const told: unknown[] = [];
  const state = new StateView(tables, ({ name }, key, row) => told.push([name, key, row])).put(live, "b", 9);
  state.get(live, "a");
  state.get(live, "b");
  state.get(live, "nobody");
  state.get(things, "a");
  expect(told.splice(0)).toEqual([
    ["live", "a", 1],
    ["live", "nobody", undefined],
  ]);
  expect([...state.rows(live)]).toEqual([
    ["a", 1],
    ["b", 9],
  ]);
  expect(told).toEqual([["live", "a", 1]]);
});

test("a table that nobody owns is a bug, and said so", () => {
  expect(() => new StateView(new Tables([])).get(things, "a")).toThrow('owns a table "thing"');
});
