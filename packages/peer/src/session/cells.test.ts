import { expect, test } from "bun:test";
import { join } from "node:path";
import { cells, SAMPLES, SITUATIONS } from "./cells.fixture.ts";
import { SESSION_INPUTS } from "./input.ts";
import { violations } from "./session.fixture.ts";
import { STATES } from "./session.ts";

const ROOT = join(import.meta.dir, "..", "..", "..", "..");
const all = cells();

test("every state × input is sampled", () => {
  const sampled = new Set(all.map(({ state, input }) => `${state} × ${input}`));
  const missing = STATES.flatMap((state) => SESSION_INPUTS.map((input) => `${state} × ${input}`)).filter(
    (cell) => !sampled.has(cell),
  );
  expect(missing).toEqual([]);
  expect(sampled.size).toBe(STATES.length * SESSION_INPUTS.length);
});

test("every sample has a name of its own", () => {
  expect(new Set(SAMPLES.map(({ input, when }) => `${input}: ${when}`)).size).toBe(SAMPLES.length);
});

test("each situation is in the state that it stands for, and every cell leads to a defined one", () => {
  for (const state of STATES) {
    for (const { session } of SITUATIONS[state]) {
      expect(session.state).toBe(state);
      expect(violations(session)).toEqual([]);
    }
  }
  expect(all.flatMap(({ step }) => violations(step.session))).toEqual([]);
});

test("a connection that a step leaves is disconnected, unless it is gone", () => {
  for (const { state, step, situation } of all) {
    const before = SITUATIONS[state].find(({ when }) => when === situation)?.session.connection;
    const left = before !== undefined && step.session.connection !== before;
    const disconnects = step.effects.some((effect) => effect.type === "disconnect" && effect.connection === before);
    expect(disconnects).toBe(left && step.reason.kind !== "connection-failed");
  }
});

test("what was up is down exactly when Established is left, and the other way round", () => {
  for (const { state, step } of all) {
    const types = step.effects.map(({ type }) => type);
    expect(types.includes("down")).toBe(state === "established" && step.session.state !== "established");
    expect(types.includes("established")).toBe(state !== "established" && step.session.state === "established");
  }
});

test("docs/peering-states.md is what the state machine does (`npm run docs` writes it)", async () => {
  const { statesPage, stateCells, STATES_PAGE } = await import(join(ROOT, "scripts/docs/states.ts"));
  const { cells, names } = await stateCells();
  expect(await Bun.file(STATES_PAGE).text()).toBe(statesPage(cells, names));
});
