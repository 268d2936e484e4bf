import { expect, test } from "bun:test";
import { FakeLog } from "./fake-log.fixture.ts";
import { OutputGate } from "./gate.ts";

function setUp(limit = 1_000) {
  const log = new FakeLog();
  const batches: (readonly string[])[] = [];
  const gate = new OutputGate({ durability: log, limit, sink: (frames) => batches.push(frames) });
  return { log, gate, batches };
}

test("with nothing to wait for, frames pass at once and nobody listens", () => {
  const { log, gate, batches } = setUp();
  gate.send("a");
  gate.send("b");
  expect(batches).toEqual([["a"], ["b"]]);
  expect(log.listeners.size).toBe(0);
});

test("frames wait for the tip that they were sent at, and leave in order, each prefix together", () => {
  const { log, gate, batches } = setUp();
  log.tip = 1;
  gate.send("a");
  gate.send("b");
  log.tip = 2;
  gate.send("c");
  log.commit(1);
  expect(batches).toEqual([["a", "b"]]);
  log.commit(2);
  expect(batches).toEqual([["a", "b"], ["c"]]);
  expect(gate.waiting).toBe(0);
  expect(log.listeners.size).toBe(0);
});

test("nothing overtakes a frame that waits", () => {
  const { log, gate, batches } = setUp();
  log.tip = 1;
  gate.send("a");
  log.durable = 1;
  gate.send("b");
  expect(batches).toEqual([]);
  log.commit();
  expect(batches).toEqual([["a", "b"]]);
});

test("what depends on nothing that is decided leaves at once, and overtakes nothing; whatever waits hurries the log", () => {
  const { log, gate, batches } = setUp();
  log.tip = 1;
  gate.send('["pull",1]', true);
  log.unheld = true;
  gate.send("what is owed");
  log.unheld = false;
  expect([batches, log.hurried]).toEqual([[['["pull",1]'], ["what is owed"]], 0]);
  gate.send("an answer");
  gate.send('["pull",2]', true);
  expect([batches.length, log.hurried]).toEqual([2, 2]);
  log.commit();
  expect(batches.at(-1)).toEqual(["an answer", '["pull",2]']);
});

test("what waits behind something that is undone leaves as it is: its answers were durable before", () => {
  const { log, gate, batches } = setUp();
  log.tip = 1;
  gate.send('["resolve",1,"told"]');
  log.tip = 2;
  gate.send('["reject",2,["error","Error","told"]]');
  gate.send('["release",1,1]');
  log.durable = 1;
  log.undo();
  expect(batches).toEqual([['["resolve",1,"told"]', '["reject",2,["error","Error","told"]]', '["release",1,1]']]);
  expect(gate.waiting).toBe(0);
});

test("after an undo, the gate works as before", () => {
  const { log, gate, batches } = setUp();
  log.tip = 1;
  gate.send('["resolve",1,0]');
  log.undo();
  gate.send('["resolve",2,0]');
  log.tip = 1;
  gate.send('["resolve",3,0]');
  log.commit();
  expect(batches.slice(1)).toEqual([['["resolve",2,0]'], ['["resolve",3,0]']]);
});

test("an undo while nothing waited does not touch what is sent later", () => {
  const { log, gate, batches } = setUp();
  log.tip = 1;
  log.undo();
  log.tip = 1;
  gate.send('["resolve",1,0]');
  log.commit();
  expect(batches).toEqual([['["resolve",1,0]']]);
});

test("what waits is bounded", () => {
  const { log, gate, batches } = setUp(5);
  log.tip = 1;
  gate.send("12345");
  expect(() => gate.send("6")).toThrow("outboundBytes");
  log.commit();
  expect(batches).toEqual([]);
  expect(log.listeners.size).toBe(0);
});

test("a closed gate tells nothing more, and no longer listens", async () => {
  const { log, gate, batches } = setUp();
  log.tip = 1;
  gate.send("a");
  const idle = gate.idle();
  gate.close();
  await idle;
  log.commit();
  gate.send("b");
  expect(batches).toEqual([]);
  expect(log.listeners.size).toBe(0);
});
