// An outcome that a failed disk undid is none: whoever waits for a message that stands is not told that nothing was done, which
// would make them do it twice.

import { expect, test } from "bun:test";
import { faultyLog } from "../testing/faulty-log.fixture.ts";
import { byHand, jobs } from "../testing/jobs.fixture.ts";
import { admits, settled, start } from "../testing/start.fixture.ts";

/** What a promise has come to by now. */
function watch(promise: Promise<unknown>) {
  const seen = { state: "pending" as unknown };
  promise.then(
    (value) => Object.assign(seen, { state: value }),
    (error) => Object.assign(seen, { state: error.code }),
  );
  return seen;
}

test("whoever waits goes on waiting, a repeat as well, and is told once it is recorded after all", async () => {
  const disk = faultyLog();
  const hand = byHand();
  const node = await start([admits(), jobs(hand.work)], { log: disk.log });
  const first = watch(node.send("job.run", {}, { key: "k" }));
  await settled();
  disk.full = true;
  hand.running[0]?.end("ok");
  await settled();
  const repeat = watch(node.send("job.run", {}, { key: "k" }));
  const limited = watch(node.send("job.run", {}, { key: "k", wait: 0 }));
  await settled();
  expect([first.state, repeat.state]).toEqual(["pending", "pending"]);
  node.time.advance(0);
  await settled();
  expect(limited.state).toMatchObject({ pending: true });
  disk.full = false;
  node.time.advance(500);
  await settled();
  expect([first.state, repeat.state]).toEqual(["ok", "ok"]);
  expect(await node.history()).toEqual(["job.run done", "job.done done"]);
});

test("a repeat that finds an outcome which is then undone waits for the next", async () => {
  const disk = faultyLog();
  const hand = byHand();
  const node = await start([admits(), jobs(hand.work)], { log: disk.log, manual: true });
  const first = watch(node.send("job.run", {}, { key: "k" }));
  await settled();
  node.flush();
  await settled();
  hand.running[0]?.end("ok");
  await settled();
  const repeat = watch(node.send("job.run", {}, { key: "k" }));
  await settled();
  expect(node.orchestrator.committer.tip).toBe(node.log.head + 1);
  disk.full = true;
  node.flush();
  await settled();
  expect([first.state, repeat.state]).toEqual(["pending", "pending"]);
  disk.full = false;
  node.time.advance(500);
  await settled();
  node.flush();
  await settled();
  expect([first.state, repeat.state]).toEqual(["ok", "ok"]);
});
