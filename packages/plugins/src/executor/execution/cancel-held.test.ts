// Cancelling what is held: it is held no more, whoever waits for it is told, and an approval that comes later is refused.

import { describe, expect, test } from "bun:test";
import {
  type AnyPlugin,
  authority,
  definePlugin,
  heldMessage,
  hold,
  memoryLog,
  next,
  type PluginRuntime,
  rehearse,
  siblingId,
} from "@capstan/orchestrator";
import { auth } from "../../auth/auth.ts";
import { altered, reopened, turn } from "../../dead-letter/dead-letter.fixture.ts";
import { deadLetter } from "../../dead-letter/dead-letter.ts";
import { faultFrom, granted, type HubOptions, protocol, startHub } from "../../hub.fixture.ts";
import { ledger } from "../../ledger/ledger.ts";
import { publisher } from "../../publisher/publisher.ts";
import { registry } from "../../registry/registry.ts";
import { executor } from "../executor.ts";

let runtime: PluginRuntime | undefined;

const approval = definePlugin({
  name: "approval",
  needs: [authority],
  run(given) {
    runtime = given;
  },
  decide({ message, envelope }) {
    if (message.resource !== "action" || message.action !== "perform") return next();
    const { approval: said } = envelope.facts;
    return said === undefined || said === "ask dave" ? hold(said === undefined ? "approval" : "second") : next();
  },
});

/** A node where performing has to be approved, and one that is held. */
async function held(options: HubOptions = {}) {
  const runs: unknown[] = [];
  const work = protocol("work", ({ input }) => {
    runs.push(input);
    return input;
  });
  const node = await startHub({ protocols: [work], also: [approval], ...options });
  const { app, hub } = node;
  const perform = () => app.action.perform({ name: "books/pay", input: 1 }, { key: "k" });
  const waits = async (times: number) => {
    const find = async () => {
      const { items } = (await app.log.list({ message: "action.perform", verdict: "held" })) as {
        items: { id: string }[];
      };
      return items.length === times ? (items[0]?.id as string) : undefined;
    };
    for (;;) {
      const id = await find();
      if (id !== undefined) return id;
      await turn();
    }
  };
  const settle = (id: string, outcome = "yes", name = "approval") => app.message.settle({ id, hold: name, outcome });
  return { ...node, app, hub, runs, perform, waits, settle };
}

async function asked(options: HubOptions = {}) {
  const node = await held(options);
  await node.app.action.register({ name: "books/pay", protocol: "work" });
  const answered = node.perform();
  answered.catch(() => {});
  const performed = faultFrom(answered);
  performed.catch(() => {});
  return { ...node, answered, performed, id: await node.waits(1) };
}

describe("what is held is cancelled", () => {
  test("by its key, by the message, and by what its execution would be called; then by none of them again", async () => {
    for (const how of ["key", "m", "x"]) {
      const { app, hub, id, performed, runs } = await asked();
      const execution = siblingId(id, "x");
      const cancel = () => app.execution.cancel({ id: siblingId(id, how) });
      const recall = () => app.action.recall({ name: "books/pay", under: "k" });
      expect(await (how === "key" ? recall() : cancel())).toEqual(how === "key" ? { recalled: true } : { execution });
      const by = how === "key" ? "whoever asked for it" : "app";
      const message = `${id} was cancelled by ${by} while it was held; nothing was done`;
      expect(await performed).toMatchObject({ code: "CANCELLED", message, id });
      expect(await heldMessage(hub.reader, id)).toBeUndefined();
      expect(await recall()).toEqual({ recalled: false });
      expect(await faultFrom(app.execution.cancel({ id: execution }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
      expect(runs).toEqual([]);
      await hub.stop();
    }
  });

  test("whoever repeats it or attaches to it is told the same, and an approval is refused with who was quicker", async () => {
    const { app, hub, id, performed, perform, settle, runs } = await asked();
    const attached = faultFrom(app.message.attach({ id }));
    await app.execution.cancel({ id });
    for (const one of [performed, attached, faultFrom(perform()), faultFrom(app.message.attach({ id }))])
      expect(await one).toMatchObject({ code: "CANCELLED", id });
    const refused = await faultFrom(settle(id));
    expect(refused).toMatchObject({ code: "HOLD_UNKNOWN", details: { entry: 4 } });
    expect(refused.message).toMatch(
      new RegExp(`^${id} is held no more: app ended that by execution.cancel m-\\w+ \\(entry 4\\)$`),
    );
    expect(runs).toEqual([]);
    await hub.stop();
  });

  test("explain says who took it back", async () => {
    const { app, hub, id, performed } = await asked();
    await app.execution.cancel({ id });
    await performed;
    const told = await app.log.explain({ id });
    expect(told).toMatchObject({
      verdict: "held",
      hold: { name: "approval", ended: { entry: 4, message: "execution.cancel", principal: "app" } },
      outcome: { state: "failed", entry: 4, error: { code: "CANCELLED" } },
    });
    expect((told as { hold: object }).hold).not.toHaveProperty("decided");
    await hub.stop();
  });

  test("after a restart; and it stays so after another", async () => {
    const log = memoryLog();
    const first = await asked({ log });
    const second = await held({ log: reopened(log), clock: first.clock });
    const waiting = faultFrom(second.perform());
    expect(await second.app.action.recall({ name: "books/pay", under: "k" })).toEqual({ recalled: true });
    expect(await waiting).toMatchObject({ code: "CANCELLED" });
    const third = await held({ log: reopened(log), clock: first.clock });
    expect(await faultFrom(third.settle(first.id))).toMatchObject({ code: "HOLD_UNKNOWN" });
    expect(await faultFrom(third.perform())).toMatchObject({ code: "CANCELLED" });
    expect([second.runs, third.runs]).toEqual([[], []]);
  });

  test("not where the disk fails: it is held still, nobody was told, and an approval has it done", async () => {
    const stored = memoryLog();
    let isFull = false;
    const check = (): void => {
      if (isFull) throw new Error("ENOSPC");
    };
    const log = altered(stored, {
      async append(expectedHead, entries) {
        check();
        return stored.append(expectedHead, entries);
      },
      probe: check,
    });
    const { app, hub, id, answered, runs, settle, clock } = await asked({ log });
    isFull = true;
    expect(await faultFrom(app.execution.cancel({ id }))).toMatchObject({ code: "LOG_UNAVAILABLE" });
    isFull = false;
    expect((await heldMessage(hub.reader, id))?.id).toBe(id);
    for (let isOver = false; !isOver; clock.advance(100)) {
      isOver = await settle(id).then(
        () => true,
        ({ code }: { code: string }) => code !== "LOG_UNAVAILABLE",
      );
    }
    expect([await answered, runs]).toMatchObject([{ output: 1 }, [1]]);
    await hub.stop();
  });

  test("also when it is held for the second time, by the id that its caller knows", async () => {
    const { app, hub, id, performed, settle, waits, runs } = await asked();
    await settle(id, "ask dave");
    const second = await waits(2);
    expect(second).not.toBe(id);
    await app.execution.cancel({ id });
    expect(await performed).toMatchObject({ code: "CANCELLED" });
    expect(await faultFrom(settle(second, "yes", "second"))).toMatchObject({ code: "HOLD_UNKNOWN" });
    const late = await faultFrom(settle(id));
    expect(late.message).toContain(`it was settled before, and decided again as ${second}`);
    expect(await app.log.explain({ id })).toMatchObject({ outcome: { state: "failed", error: { code: "CANCELLED" } } });
    expect(runs).toEqual([]);
    await hub.stop();
  });
});

test("it is not cancelled by anybody else's key, nor by whoever may not write its namespace", async () => {
  const { app, hub, id, answered, settle, runs } = await asked();
  const { scope: other } = await granted(hub, { principal: "other", allow: ["*"], write: ["mail"] });
  for (const name of ["books/pay", "mail/pay"])
    expect(await other.action.recall({ name, under: "k" }).catch(({ code }) => code)).not.toEqual({ recalled: true });
  expect(await app.action.recall({ name: "mail/pay", under: "k" })).toEqual({ recalled: false });
  expect(await faultFrom(other.execution.cancel({ id }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
  await settle(id);
  expect([await answered, runs]).toMatchObject([{ output: 1 }, [1]]);
  // It is over now.
  expect(await faultFrom(app.execution.cancel({ id }))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
  expect((await faultFrom(settle(id))).message).toContain("it was settled before");
  await hub.stop();
});

test("what is held for a request ends for whichever way brings that it is cancelled, if it may perform; all of them are told", async () => {
  const { app, hub, id: _, ...node } = await asked();
  const request = Buffer.alloc(16, 7).toString("base64url");
  const grantTo = (principal: string, allow: readonly string[]) =>
    app.grant.create({ principal, allow: [...allow, "action.recall"] });
  const east = await grantTo("by-east", ["action.perform"]);
  const west = await grantTo("by-west", ["action.perform"]);
  const none = await grantTo("by-none", ["action.perform:mail/*"]);
  type As = typeof east;
  const send = (as: As, action: string, data: object, key?: string) =>
    (runtime as PluginRuntime).apply(
      { resource: "action", action, data },
      as,
      key === undefined ? {} : { key },
      action === "perform" ? { via: ["n-x"], hops: 1, request } : { via: ["n-x"], hops: 1 },
    );
  const pay = { name: "books/pay", input: 2 };
  const first = faultFrom(send(east, "perform", pay, "e"));
  const held = await node.waits(2);
  const joined = faultFrom(send(west, "perform", pay, "w"));
  const recall = (as: As) => send(as, "recall", { name: "books/pay", under: "unknown", request });
  expect(await recall(none).catch(({ code }) => ({ code }))).not.toEqual({ recalled: true });
  expect(await recall(west)).toEqual({ recalled: true });
  // That it tells what became of the request is said as of an execution: nothing was done by any way.
  const details = { execution: siblingId(held, "x") };
  for (const one of [first, joined]) expect(await one).toMatchObject({ code: "CANCELLED", details });
  // By its own key it is a last word as well.
  expect(await faultFrom(send(east, "perform", pay, "e"))).toMatchObject({
    code: "CANCELLED",
    details: { final: true },
  });
  expect(node.runs).toEqual([]);
  await hub.stop();
});

test("what was so decided is decided so again", async () => {
  const log = memoryLog();
  const { app, hub, id, settle } = await asked({ log });
  await app.action.recall({ name: "books/pay", under: "k" });
  await faultFrom(settle(id));
  await faultFrom(app.execution.cancel({ id }));
  await hub.stop();
  const work = executor({ protocols: [protocol("work", () => undefined)] });
  const plugins = [auth(), registry(), deadLetter(), work, publisher(), approval, ledger()];
  const { differences, undecidables, same } = await rehearse({ log, plugins: plugins as readonly AnyPlugin[] });
  expect([differences, undecidables]).toEqual([[], []]);
  expect(same).toBeGreaterThan(4);
});

describe("a retry that is held", () => {
  const approvesRetries = definePlugin({
    name: "approval",
    needs: [authority],
    decide: ({ message, envelope }) =>
      message.resource === "execution" && message.action === "retry" && envelope.facts.approval === undefined
        ? hold("approval")
        : next(),
  });

  /** One that failed, and whose retry waits for an approval. */
  async function retrying(attempts = 1) {
    const runs: unknown[] = [];
    const work = protocol("work", ({ input }) => {
      runs.push(input);
      throw new Error("no");
    });
    const { app, hub, clock } = await startHub({ protocols: [work], also: [approvesRetries] });
    await app.action.register({ name: "books/pay", protocol: "work", idempotent: true, attempts, backoff: 1 });
    let isOver = false;
    const failed = faultFrom(app.action.perform({ name: "books/pay" })).finally(() => {
      isOver = true;
    });
    for (; !isOver; clock.advance(1)) await turn();
    const execution = siblingId((await failed).id as string, "x");
    const held = async () => {
      const { items } = (await app.log.list({ message: "execution.retry", verdict: "held" })) as {
        items: { id: string }[];
      };
      return items[0]?.id;
    };
    const until = async () => {
      for (;;) {
        const id = await held();
        if (id !== undefined) return id;
        await turn();
      }
    };
    const settle = (id: string) => app.message.settle({ id, hold: "approval", outcome: "yes" });
    return { app, hub, runs, execution, until, settle };
  }

  test.each(["the execution's", "its message's"])("is cancelled by %s id, and not approved later", async (whose) => {
    const { app, hub, execution, runs, until, settle } = await retrying();
    const retried = faultFrom(app.execution.retry({ id: execution }));
    const id = await until();
    const { scope: other } = await granted(hub, { principal: "other", allow: ["*"], write: ["mail"] });
    const named = { id: whose === "its message's" ? id : execution };
    expect(await faultFrom(other.execution.cancel(named))).toMatchObject({ code: "EXECUTION_UNKNOWN" });
    expect(await app.execution.cancel(named)).toEqual({ execution });
    expect(await retried).toMatchObject({ code: "CANCELLED", id });
    expect(await faultFrom(settle(id))).toMatchObject({ code: "HOLD_UNKNOWN" });
    expect([runs.length, await app.execution.show({ id: execution })]).toMatchObject([1, { state: "failed" }]);
    await hub.stop();
  });

  test("of a dead letter leaves that as it was", async () => {
    const { app, hub, execution, runs, until } = await retrying(2);
    const { items } = (await app.deadLetter.list()) as { items: { id: string }[] };
    const id = items[0]?.id as string;
    const redriven = faultFrom(app.deadLetter.redrive({ id }));
    await until();
    await app.execution.cancel({ id: execution });
    expect(await redriven).toMatchObject({ code: "CANCELLED" });
    expect(await app.deadLetter.show({ id })).toMatchObject({ state: "open" });
    expect(runs).toHaveLength(2);
    await hub.stop();
  });
});
