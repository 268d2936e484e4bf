// What nobody knows stays unknown, and is not begun a second time, whatever goes wrong here and however long it takes.

import { describe, expect, test } from "bun:test";
import { FaultError, fault, siblingId } from "@capstan/orchestrator";
import { faultFrom } from "../../hub.fixture.ts";
import type { Carried, CarriedCall } from "../../registry/elsewhere.ts";
import { recording, startWithWays } from "./elsewhere.fixture.ts";

const AMBIGUOUS = () =>
  new FaultError(fault("EXECUTION_AMBIGUOUS", "berlin: no", { peer: { name: "berlin", node: "n-b" } }));

describe("what nobody knows", () => {
  test("stays unknown where something here goes wrong while it is asked", async () => {
    const carrier = recording((_, nth) => {
      if (nth === 1) throw AMBIGUOUS();
      throw nth === 2 ? new FaultError(fault("LOG_UNAVAILABLE", "no")) : new TypeError("a bug");
    });
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    await faultFrom(app.action.perform({ name: "greet" }));
    const id = siblingId((carrier.calls[0] as CarriedCall).key, "x");
    for (let times = 0; times < 2; times++)
      expect(await faultFrom(app.execution.retry({ id }))).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    expect(await app.execution.show({ id })).toMatchObject({ state: "ambiguous" });
    await hub.stop();
  });

  test("is shown as it ended once that is decided, and not as it was before", async () => {
    let tell = (_: Carried): void => {};
    const carrier = recording((_, nth) => {
      if (nth === 1) throw AMBIGUOUS();
      return new Promise((resolve) => {
        tell = resolve;
      });
    });
    const { app, learn, hub } = await startWithWays({ carrier });
    await learn("greet");
    await faultFrom(app.action.perform({ name: "greet" }));
    const id = siblingId((carrier.calls[0] as CarriedCall).key, "x");
    const retried = app.execution.retry({ id });
    await carrier.asked(2);
    tell({ output: "hello", via: "n-b" });
    // It is decided in this turn of the event loop, and durable in a later one.
    for (let times = 0; times < 50; times++) await undefined;
    expect(await app.execution.show({ id })).toMatchObject({ state: "done", output: "hello" });
    await retried;
    await hub.stop();
  });

  test.each([
    ["what may be done once is joined, and not begun, when its key may be forgotten there", {}, false],
    ["what may be done twice is begun whenever it is wanted", { repeatable: "idempotent" }, true],
  ] as const)("%s", async (_, promise, begins) => {
    const inTime: boolean[] = [];
    const carrier = recording(({ deadline = 0 }) => {
      inTime.push(deadline > clock.now());
      throw AMBIGUOUS();
    });
    const { app, learn, hub, clock } = await startWithWays({ carrier });
    await learn("greet", promise);
    await faultFrom(app.action.perform({ name: "greet" }));
    const id = siblingId((carrier.calls[0] as CarriedCall).key, "x");
    for (const hours of [1, 12]) {
      clock.advance(hours * 3_600_000);
      await faultFrom(app.execution.retry({ id }));
    }
    expect(inTime).toEqual([true, true, begins]);
    await hub.stop();
  });
});
