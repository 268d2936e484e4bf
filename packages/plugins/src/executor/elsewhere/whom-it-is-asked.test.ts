// Whom an execution elsewhere is asked of is known after a crash: it is noted before anything is sent. The carrier is the test.

import { describe, expect, test } from "bun:test";
import { type FaultError, memoryLog, siblingId } from "@capstan/orchestrator";
import { reopened } from "../../dead-letter/dead-letter.fixture.ts";
import { faultFrom } from "../../hub.fixture.ts";
import type { Carried, CarriedCall } from "../../registry/elsewhere.ts";
import { recording, startWithWays } from "./elsewhere.fixture.ts";

const of = (origin: string) => ({ origin, repeatable: undefined });

describe("whom it is asked", () => {
  const noted = async (log: { list(data: object): Promise<{ items: readonly object[] }> }) =>
    (await log.list({})).items.filter((entry) => JSON.stringify(entry).includes("execution.ask"));

  test("is noted where it is another than the way says, and once", async () => {
    const carrier = recording(async ({ asks }, nth) => {
      await asks("n-b", of("n-b"));
      for (let times = 1; times < nth; times++) await asks("n-c", of("n-c"));
      return { via: "berlin" };
    });
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    await app.action.perform({ name: "greet" });
    expect(await noted(app.log)).toHaveLength(0);
    await app.action.perform({ name: "greet" });
    await app.action.perform({ name: "greet" });
    expect(await noted(app.log)).toHaveLength(2);
    await hub.stop();
  });

  test("is noted behind the entry of what begins before that is made", async () => {
    const carrier = recording(async ({ asks }) => {
      await asks("n-c", of("n-c"));
      return { output: 1, via: "cairo" };
    });
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet", { repeatable: "idempotent" });
    expect(await app.action.perform({ name: "greet" })).toMatchObject({ output: 1 });
    expect(await noted(app.log)).toHaveLength(1);
    await hub.stop();
  });

  test.each([
    ["was cancelled", false],
    ["is tried again", true],
  ])("is nobody any more once it %s", async (_, again) => {
    const [go, tried] = [Promise.withResolvers<void>(), Promise.withResolvers<Carried>()];
    const refused = Promise.withResolvers<FaultError>();
    const carrier = recording(async ({ asks }, nth) => {
      if (nth === 2) {
        // This one's own is still noted.
        await asks("n-d", of("n-d"));
        return tried.promise;
      }
      await go.promise;
      refused.resolve(await faultFrom(async () => asks("n-c", of("n-c"))));
      return { via: "berlin" };
    });
    const { app, learn, hub, clock } = await startWithWays({ carrier });
    await learn("greet", { timeout: 1000 });
    const first = faultFrom(app.action.perform({ name: "greet" }));
    await carrier.asked(1);
    const id = siblingId((carrier.calls[0] as CarriedCall).key, "x");
    if (again) clock.advance(1000);
    else await app.execution.cancel({ id });
    await first;
    const second = again ? app.execution.retry({ id }) : undefined;
    if (again) await carrier.asked(2);
    go.resolve();
    expect(await refused.promise).toMatchObject({ code: "EXECUTION_UNKNOWN" });
    tried.resolve({ output: "again", via: "berlin" });
    if (again) expect(await second).toMatchObject({ output: "again" });
    await hub.stop();
  });

  test("is the one that was noted last, after the node died: it is asked what became of it", async () => {
    const log = memoryLog();
    const hanging = recording(async ({ asks }) => {
      await asks("n-c", of("n-c"));
      await asks("n-d", of("n-d"));
      sent.resolve();
      return new Promise<Carried>(() => {});
    });
    const sent = Promise.withResolvers<void>();
    const first = await startWithWays({ carrier: hanging, log });
    await first.learn("greet");
    const { execution: id } = await first.app.action.perform({ name: "greet", input: 3 }, { wait: 0 });
    await sent.promise;
    const carrier = recording(({ input }) => ({ output: input, via: "berlin" }));
    const second = await startWithWays({ carrier, log: reopened(log), clock: first.clock });
    await second.learn("greet");
    expect(await second.app.execution.retry({ id })).toMatchObject({ output: 3 });
    expect(carrier.calls[0]).toMatchObject({ key: (hanging.calls[0] as CarriedCall).key, again: "n-d" });
    await second.hub.stop();
  });
});
