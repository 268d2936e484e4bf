// message.attach: what came of a message, for whoever sent it, now, later, or after a restart.

import { expect, test } from "bun:test";
import type { FaultError } from "../fault/fault.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { reopened } from "../testing/faulty-log.fixture.ts";
import { byHand, jobs, jobTable } from "../testing/jobs.fixture.ts";
import { notes } from "../testing/notes.fixture.ts";
import { admits, codeOf, plugin, type Setting, settled, start, takes } from "../testing/start.fixture.ts";
import { OUTCOME_WINDOW } from "./outcomes.ts";

const replayable = { replayable: true };

async function pending(setting: Setting = {}) {
  const hand = byHand();
  const node = await start([admits(), jobs(hand.work, replayable), notes()], setting);
  const run = async () => {
    await node.send("job.run", {}, { wait: 0 });
    return [...node.orchestrator.reader.rows(jobTable)].at(-1)?.[0] as string;
  };
  return { ...node, hand, run };
}

test("one that is done is answered from the log, to the very answer that it was", async () => {
  const node = await pending();
  const sent = node.send("note.write", { name: "a", text: "" });
  await sent;
  const { id } = JSON.parse(((await node.log.read(2))[0]?.text ?? "").split("\n")[0] as string) as { id: string };
  expect(await node.send("message.attach", { id })).toEqual(await sent);
});

test("one that is pending resolves for all who wait, when it is settled", async () => {
  const node = await pending();
  const id = await node.run();
  const waiting = [node.send("message.attach", { id }), node.send("message.attach", { id })];
  await settled();
  node.hand.running[0]?.end("ok");
  expect(await Promise.all(waiting)).toEqual(["ok", "ok"]);
  expect(await node.send("message.attach", { id })).toBe("ok");
});

test("a wait has a limit: past it the answer is pending, and the message goes on", async () => {
  const node = await pending();
  const id = await node.run();
  const waiting = node.send("message.attach", { id }, { wait: 50 });
  await settled();
  node.time.advance(50);
  expect(await waiting).toEqual({ message: id, pending: true });
  const sent = node.send("job.run", {}, { wait: 50 });
  await settled();
  node.time.advance(50);
  expect(await sent).toEqual({ job: 1, pending: true });
  node.hand.running[0]?.end("ok");
  await settled();
  expect(await node.send("message.attach", { id }, { wait: 50 })).toBe("ok");
  expect(node.time.waiting).toBe(0);
});

test("another principal's message is not there, no more than one that never was", async () => {
  const node = await pending();
  const id = await node.run();
  expect(await codeOf(node.send("message.attach", { id }, { as: "bob" }))).toBe("MESSAGE_NOT_FOUND");
  for (const unknown of ["m-0123456789ABCDEF", "x", '"\n\u001b']) {
    const error = await node.send("message.attach", { id: unknown }).then(
      () => expect.unreachable(),
      (thrown: FaultError) => thrown,
    );
    expect(error.code).toBe("MESSAGE_NOT_FOUND");
    expect(error.message).not.toMatch(/\p{Cc}/u);
  }
});

test("after a restart one waits again, and what was settled before is there", async () => {
  const log = memoryLog();
  const first = await pending({ log });
  const [early, late] = [await first.run(), await first.run()];
  first.hand.running[0]?.end("early");
  await settled();
  const second = await pending({ log: reopened(log), seed: 2 });
  expect(await second.send("message.attach", { id: early })).toBe("early");
  const waiting = second.send("message.attach", { id: late });
  await settled();
  second.hand.running[0]?.end("late");
  expect(await waiting).toBe("late");
});

test("an outcome far behind its message is found by its place", async () => {
  const log = memoryLog();
  const node = await pending({ log });
  const id = await node.run();
  const writes = Array.from({ length: OUTCOME_WINDOW + 150 }, (_, i) =>
    node.send("note.write", { name: `n${i}`, text: "" }),
  );
  await Promise.all(writes);
  node.hand.running[0]?.end("far");
  await settled();
  expect(await node.send("message.attach", { id })).toBe("far");
  expect(log.row("outcome", id)).toBe(String(log.head));
  const second = await pending({ log: reopened(log), seed: 2 });
  expect(await second.send("message.attach", { id })).toBe("far");
});

test("an outcome of null is null, live and from the log", async () => {
  const deals = plugin("deals", {
    needs: [authority],
    messages: { deal: { open: takes(), close: takes("id") } },
    decide({ message }) {
      if (message.action === "open") return next({ data: {}, pending: true });
      if (message.action === "close")
        return next({ settles: [{ id: (message.data as { id: string }).id, data: null }] });
      return next();
    },
  });
  const node = await start([admits(), deals]);
  const live = node.send("deal.open", {}, { key: "k" });
  await settled();
  const id = JSON.parse(((await node.log.read(2))[0]?.text ?? "").split("\n")[0] as string).id as string;
  await node.send("deal.close", { id });
  expect([await live, await node.send("message.attach", { id })]).toEqual([null, null]);
});
