// Who gets an output: the caller and the subscribers, only one of them, or nobody but the log.

import { describe, expect, test } from "bun:test";
import { attach, faultFrom, protocol, startHub } from "../../hub.fixture.ts";

const slow = protocol("slow", async ({ input }) => input);
const atOnce = protocol("at-once", ({ input }) => input);

describe.each([atOnce, slow])("performing with a protocol of its own pace: $name", (one) => {
  async function performed() {
    const { app } = await startHub({ protocols: [one] });
    await app.action.register({ name: "a", protocol: one.name, idempotent: true });
    const perform = (input: unknown, publication?: "with" | "only" | "none") =>
      app.action.perform({ name: "a", input, ...(publication === undefined ? {} : { publication }) });
    const published = async () =>
      (await app.subscription.read({ topic: "action.a", after: "start" })).items.map(
        (one) => (one as { data: unknown }).data,
      );
    return { app, perform, published };
  }

  test("tells the caller and publishes, if nothing else is said", async () => {
    const { perform, published } = await performed();
    expect(await perform(1)).toMatchObject({ output: 1 });
    expect(await perform(2, "with")).toMatchObject({ output: 2 });
    expect(await published()).toEqual([1, 2]);
  });

  test("publication only: the caller is told that it was done, and nothing more, also later", async () => {
    const { app, perform, published } = await performed();
    const done = await perform("for subscribers", "only");
    expect(done).toEqual({ execution: expect.stringMatching(/^x-/) as never });
    expect(await published()).toEqual(["for subscribers"]);
    expect(await attach(app, { id: done.execution.replace("x-", "m-") })).toEqual(done);
    expect(await app.execution.show({ id: done.execution })).not.toHaveProperty("output");
    expect(await app.execution.show({ id: done.execution })).toMatchObject({ state: "done" });
  });

  test("no publication: the caller alone is told", async () => {
    const { perform, published } = await performed();
    expect(await perform("for me", "none")).toMatchObject({ output: "for me" });
    expect(await published()).toEqual([]);
  });
});

test("what fails is not published, and a retry of it is as it was first asked", async () => {
  let runs = 0;
  const flaky = protocol("flaky", async () => {
    runs++;
    if (runs % 2 === 1) throw new Error("no");
    return runs;
  });
  const { app } = await startHub({ protocols: [flaky] });
  await app.action.register({ name: "a", protocol: "flaky" });
  const published = async () =>
    (await app.subscription.read({ topic: "action.a", after: "start" })).items.map(
      (one) => (one as { data: unknown }).data,
    );
  for (const publication of ["only", "none", "with"] as const) {
    const { id } = await faultFrom(app.action.perform({ name: "a", publication }));
    const retried = await app.execution.retry({ id: (id as string).replace("m-", "x-") });
    expect("output" in retried).toBe(publication !== "only");
  }
  expect(await published()).toEqual([2, 6]);
});

test("another word is refused at the edge", async () => {
  const { app } = await startHub();
  const publication = "all" as never;
  expect(await faultFrom(() => app.action.perform({ name: "a", publication }))).toMatchObject({
    code: "MESSAGE_INVALID",
  });
});
