// What an action throws is bounded as its output is: it is recorded, listed, and answered to whoever asked.

import { expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import { faultFrom, protocol, startHub } from "../../hub.fixture.ts";
import { plainFault } from "./plain-fault.ts";

const circle: unknown[] = [];
circle.push(circle);

test.each([
  ["a text", new Error("x".repeat(20_000)), { code: "ACTION_FAILED", message: `a: ${"x".repeat(8192)}` }],
  ["a fault's text", fails("ODD", "x".repeat(9000)), { code: "ODD", message: "x".repeat(8192) }],
  ["details", fails("ODD", "no", "d".repeat(262_144)), { code: "ODD", message: "no" }],
  ["details in a circle", fails("ODD", "no", circle), { code: "ODD", message: "no" }],
  ["a code", fails("C".repeat(101), "no"), { code: "ACTION_FAILED", message: "a: no" }],
  ["no code", fails("", "no"), { code: "ACTION_FAILED", message: "a: no" }],
  ["few details", fails("ODD", "no", [1]), { code: "ODD", message: "no", details: [1] }],
])("%s", (_, thrown, told) => {
  expect(plainFault(thrown, "a")).toEqual(told);
});

function fails(code: string, text: string, details?: unknown) {
  return new FaultError(fault(code, text, details));
}

test("a page of failed executions ends where their faults are long, and the next page goes on", async () => {
  const failing = protocol("failing", () => {
    throw fails("ODD", "no", "d".repeat(200_000));
  });
  const { app } = await startHub({ protocols: [failing] });
  await app.action.register({ name: "a", protocol: "failing" });
  for (let i = 0; i < 8; i++) await faultFrom(app.action.perform({ name: "a" }));
  const first = await app.execution.list();
  expect(first.items).toHaveLength(6);
  expect((await app.execution.list({ before: first.next })).items).toHaveLength(2);
});
