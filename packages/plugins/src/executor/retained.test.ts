// What the executor needs of the log: compaction stops at the oldest execution that is not finished, and one of which it was
// erased what came of it is not run again.

import { expect, test } from "bun:test";
import { faultFrom, type HubScope, protocol, startHub } from "../hub.fixture.ts";

const send = (scope: HubScope, resource: string, action: string, data: object = {}) =>
  scope.applyAction({ resource, action, data }) as Promise<{
    readonly before: number;
    readonly stoppedBy?: { readonly entry: number; readonly why: string };
  }>;

test("compaction stops at the oldest execution that is not finished, running or ambiguous", async () => {
  let end: (() => void)[] = [];
  const slow = protocol("slow", () => new Promise<void>((resolve) => void end.push(resolve)));
  const { hub, clock, app } = await startHub({ protocols: [slow] });
  await app.action.register({ name: "a", protocol: "slow" });
  clock.advance(1000);
  const started = hub.log.head + 1;
  const [first, second] = [app.action.perform({ name: "a", input: 1 }), app.action.perform({ name: "a", input: 2 })];
  while (end.length < 2) await new Promise((resolve) => setImmediate(resolve));
  const stopped = await send(app, "log", "compact");
  expect(stopped.before).toBe(started);
  expect(stopped.stoppedBy?.why).toContain("still owes");
  for (const resolve of end.splice(0)) resolve();
  const { execution } = await first;
  await second;
  const { before } = await send(app, "log", "compact");
  expect(before).toBe(hub.log.head - 1);
  expect(await faultFrom(app.execution.show({ id: execution }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
  end = [];
  await hub.stop();
});

test("what a plugin that is asked says, compaction says", async () => {
  const { hub, app } = await startHub();
  await app.action.register({ name: "a", protocol: "echo" });
  const { execution } = await app.action.perform({ name: "a", input: 1 });
  const { executionTable } = await import("./schema.ts");
  const { oldestOpen } = await import("./retained.ts");
  const open = { ...hub.reader, first: hub.reader.first, revision: hub.reader.revision };
  const message = execution.replace("x-", "m-");
  const reader = {
    ...open,
    entries: hub.reader.entries.bind(hub.reader),
    rows: (table: { readonly name: string }) =>
      table.name === executionTable.name
        ? [
            ["x-2", { message: "m-ZZZZZZZZZ0000000" }],
            ["x-1", { message }],
          ]
        : [],
  };
  const retained = await oldestOpen(reader as never);
  expect(retained?.why).toBe("x-1 is not finished");
  expect(retained?.entry).toBeLessThanOrEqual((await hub.log.find(message)) as number);
  expect(await oldestOpen(hub.reader)).toBeUndefined();
  await hub.stop();
});

test("an execution of which it was erased what came of it is not tried again", async () => {
  let runs = 0;
  const counting = protocol("counting", () => {
    runs++;
    return "a secret";
  });
  const { hub, app } = await startHub({ protocols: [counting] });
  await app.action.register({ name: "a", protocol: "counting" });
  const { execution } = await app.action.perform({ name: "a" });
  await send(app, "log", "redact", {
    entry: hub.log.head,
    parts: ["body", "trace"],
    reason: "it tells too much",
  } as never);
  expect(await faultFrom(app.execution.retry({ id: execution }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
  expect(runs).toBe(1);
  expect(await app.execution.show({ id: execution })).toMatchObject({ error: { code: "PART_ERASED" } });
  await hub.stop();
});
