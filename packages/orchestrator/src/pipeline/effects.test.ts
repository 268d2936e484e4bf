// Carrying out: when an effect starts, how it ends, and that its outcome is recorded, whatever the log does meanwhile.

import { describe, expect, test } from "bun:test";
import { FaultError, fault } from "../fault/fault.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { faultyLog } from "../testing/faulty-log.fixture.ts";
import { byHand, jobs, jobTable } from "../testing/jobs.fixture.ts";
import { T0 } from "../testing/manual-time.fixture.ts";
import { admits, codeOf, plugin, settled, start, takes } from "../testing/start.fixture.ts";
import { effectTable } from "./kernel-tables.ts";

const owed = (node: Awaited<ReturnType<typeof start>>) => [...node.orchestrator.reader.rows(effectTable)];

describe("starting", () => {
  test("a replayable effect with an answer at once shares its message's entry", async () => {
    const node = await start([admits(), jobs(() => "ok", { replayable: true })], { manual: true });
    const sent = node.send("job.run");
    await settled();
    expect([node.log.head, node.orchestrator.committer.tip]).toEqual([1, 2]);
    node.flush();
    expect(await sent).toBe("ok");
    expect([await node.history(), owed(node)]).toEqual([["job.run done"], []]);
  });

  test("any other starts only once its message is durable", async () => {
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work)], { manual: true });
    const sent = node.send("job.run");
    await settled();
    expect([hand.running.length, owed(node).length]).toEqual([0, 1]);
    node.flush();
    expect(hand.running.map(({ effect }) => effect)).toMatchObject([
      { principal: "ada", attempt: 1, replayable: false, hops: 0 },
    ]);
    hand.running[0]?.end("ok");
    await settled();
    node.flush();
    expect(await sent).toBe("ok");
  });

  test("it does not start where its message could not be made durable", async () => {
    const disk = faultyLog();
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work)], { log: disk.log });
    disk.full = true;
    expect(await codeOf(node.send("job.run"))).toBe("LOG_UNAVAILABLE");
    disk.full = false;
    await node.send("job.run", {}, { wait: 0 });
    expect(hand.running).toHaveLength(1);
  });

  test("a replayable one that runs already is aborted with its message", async () => {
    const disk = faultyLog();
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work, { replayable: true })], { log: disk.log, manual: true });
    const sent = codeOf(node.send("job.run"));
    await settled();
    disk.full = true;
    node.flush();
    expect([await sent, hand.running[0]?.signal.aborted]).toEqual(["LOG_UNAVAILABLE", true]);
    disk.full = false;
    hand.running[0]?.end("of nothing");
    await settled();
    expect([await node.history(), node.time.waiting]).toEqual([[], 0]);
  });

  test("not before its time, then by the timer", async () => {
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work, { notBefore: T0 + 60_000 })]);
    await node.send("job.run", {}, { wait: 0 });
    node.time.advance(59_999);
    expect(hand.running).toHaveLength(0);
    node.time.advance(1);
    expect(hand.running).toHaveLength(1);
  });
});

describe("ending", () => {
  test("work that throws, at once or later, failed: with its own fault, or with nothing of its inside", async () => {
    const works = [
      () => {
        throw new FaultError(fault("TEAPOT", "short and stout"));
      },
      async () => Promise.reject(new FaultError(fault("TEAPOT", "short and stout"))),
      () => {
        throw new Error("secret");
      },
    ];
    const texts = [];
    for (const work of works) {
      const node = await start([admits(), jobs(work)]);
      texts.push(await node.send("job.run").catch(({ code, message }) => `${code}: ${message}`));
    }
    expect(texts).toEqual(["JOB_FAILED: TEAPOT", "JOB_FAILED: TEAPOT", "JOB_FAILED: INTERNAL"]);
  });

  test("past its deadline it is aborted, and its own end comes too late", async () => {
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work, { deadline: T0 + 1000 })]);
    const sent = node.send("job.run").catch(({ message }) => message);
    await settled();
    node.time.advance(1000);
    expect(hand.running[0]?.signal.aborted).toBe(true);
    hand.running[0]?.end("late");
    expect(await sent).toBe("DEADLINE_EXCEEDED");
    await settled();
    expect(await node.history()).toEqual(["job.run done", "job.failed done"]);
    expect(node.time.waiting).toBe(0);
  });

  test("within its deadline it is done, and the deadline's timer with it", async () => {
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work, { deadline: T0 + 1000 })]);
    const sent = node.send("job.run");
    await settled();
    hand.running[0]?.end("ok");
    expect([await sent, node.time.waiting]).toEqual(["ok", 0]);
  });

  test("a deadline that has passed before it starts is not tried", async () => {
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work, { deadline: T0 + 10, notBefore: T0 + 20 })]);
    const sent = node.send("job.run").catch(({ message }) => message);
    await settled();
    node.time.advance(20);
    expect([await sent, hand.running.length]).toEqual(["DEADLINE_EXCEEDED", 0]);
  });

  test("a cancelled one is aborted, and its outcome is nobody's any more", async () => {
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work)]);
    const sent = codeOf(node.send("job.run"));
    await settled();
    const [[id]] = [...node.orchestrator.reader.rows(jobTable)] as [[string, string]];
    await node.send("job.cancel", { id });
    expect([await sent, hand.running[0]?.signal.aborted]).toEqual(["CANCELLED", true]);
    hand.running[0]?.end("late");
    await settled();
    expect([await node.history(), owed(node)]).toEqual([["job.run done", "job.cancel done"], []]);
  });

  test.each([
    ["is not declared", { resource: "job", action: "nope", data: {} }],
    ["does not fit its schema", { resource: "loose", action: "done", data: { id: 7 } }],
  ])("an outcome that %s is recorded as a failure", async (_, outcome) => {
    const loose = plugin("loose", {
      needs: [authority],
      messages: {
        loose: { run: takes(), done: { ...takes("id"), internal: true }, failed: { ...takes("id"), internal: true } },
      },
      decide({ message }) {
        if (message.action === "run") return next({ pending: true, data: {}, effects: [{ kind: "work", data: {} }] });
        const { id } = message.data as { id: string };
        return message.action === "failed" ? next({ settles: [{ id, data: "failed" }] }) : next();
      },
      effects: {
        work: {
          carryOut: async () => outcome,
          failed: ({ owing }) => ({ resource: "loose", action: "failed", data: { id: owing } }),
          lost: () => outcome,
        },
      },
    });
    const node = await start([admits(), loose]);
    expect(await node.send("loose.run")).toBe("failed");
    expect([node.errors.length, owed(node)]).toEqual([1, []]);
  });
});

describe("a log that fails", () => {
  async function running() {
    const disk = faultyLog();
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work)], { log: disk.log });
    const accepted = await node.send("job.run", {}, { wait: 0, key: "k" });
    const [[id]] = [...node.orchestrator.reader.rows(jobTable)] as [[string, string]];
    expect(accepted).toMatchObject({ pending: true });
    return { disk, hand, node, id, attached: () => node.send("message.attach", { id }) };
  }

  test("with the outcome: it is recorded again once the log can, and once", async () => {
    const { disk, hand, node, attached } = await running();
    disk.full = true;
    hand.running[0]?.end("ok");
    await settled(); // decided, and undone
    expect(owed(node)).toHaveLength(1);
    node.time.advance(500); // refused: the disk is still full
    disk.full = false;
    const waiting = attached();
    await settled();
    node.time.advance(500);
    expect(await waiting).toBe("ok");
    expect([await node.history(), owed(node)]).toEqual([["job.run done", "job.done done"], []]);
    expect(node.time.waiting).toBe(0);
  });

  test("with a cancellation: the work goes on, and ends as it would have", async () => {
    const { disk, hand, node, id, attached } = await running();
    disk.full = true;
    expect(await codeOf(node.send("job.cancel", { id }))).toBe("LOG_UNAVAILABLE");
    disk.full = false;
    expect(hand.running[0]?.signal.aborted).toBe(false);
    hand.running[0]?.end("ok");
    expect(await attached()).toBe("ok");
  });

  test("with a cancellation that the outcome came after: the outcome is not lost with it", async () => {
    const { disk, hand, node, id, attached } = await running();
    disk.full = true;
    const cancelled = codeOf(node.send("job.cancel", { id }));
    hand.running[0]?.end("ok"); // refused as of the tip, which is undone
    expect(await cancelled).toBe("LOG_UNAVAILABLE");
    disk.full = false;
    node.time.advance(500);
    expect(await attached()).toBe("ok");
  });

  test("with the cancellation of one that waits for its time: it still comes", async () => {
    const disk = faultyLog();
    const hand = byHand();
    const node = await start([admits(), jobs(hand.work, { notBefore: T0 + 1000 })], { log: disk.log, manual: true });
    node.send("job.run", {}, { wait: 0 }).catch(() => {});
    await settled();
    node.flush();
    const [[id]] = [...node.orchestrator.reader.rows(jobTable)] as [[string, string]];
    const cancelled = codeOf(node.send("job.cancel", { id }));
    await settled();
    node.time.advance(1000); // its time comes while the cancellation is on its way
    expect(hand.running).toHaveLength(0);
    disk.full = true;
    node.flush();
    expect(await cancelled).toBe("LOG_UNAVAILABLE");
    expect(hand.running).toHaveLength(1);
  });
});

test("what a handler asks in somebody's name is caused by the owing message, and durable when it is answered", async () => {
  let head = 0;
  const node = await start([
    admits(),
    plugin("notes", { messages: { note: { write: takes("text") } } }),
    jobs(async ({ owing }, runtime) => {
      await runtime.apply(
        { resource: "note", action: "write", data: { text: owing } },
        { principal: "bob", grant: "g-bob" },
      );
      head = node.log.head;
      return "ok";
    }),
  ]);
  expect(await node.send("job.run", {}, { correlation: "c-1" })).toBe("ok");
  expect(head).toBe(3);
  const [stored] = await node.log.read(3, { limit: 1 });
  const { principal, grant, cause } = JSON.parse(stored?.text.split("\n")[0] as string);
  expect([principal, grant, cause]).toEqual(["bob", "g-bob", expect.stringMatching(/^m-/)]);
  expect(stored?.text).toContain('"correlation":"c-1"');
  expect(stored?.text).toContain('"hops":1');
});
