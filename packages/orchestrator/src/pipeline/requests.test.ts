// Requests that nodes hand on: where something is done once for one, what comes of it by another way joins, whoever brings it; and
// nobody is given more by it than they could have asked in their own name.

import { expect, test } from "bun:test";
import type { Log } from "../log/log.ts";
import { memoryLog } from "../log/memory/memory-log.ts";
import { JOINS } from "../message/definition.ts";
import { nonceMaker } from "../message/id.ts";
import { parseForwarded } from "../message/parse.ts";
import type { PluginRuntime } from "../plugin/plugin.ts";
import { hold, next, refuse } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { historyOf } from "../rehearsal/history.fixture.ts";
import { rehearse } from "../rehearsal/rehearse.ts";
import { table } from "../state/table.ts";
import { logWith, reopened } from "../testing/faulty-log.fixture.ts";
import { admits, codeOf, plugin, settled, start, takes } from "../testing/start.fixture.ts";

import { KEY_TABLE } from "./kernel-tables.ts";
import { requestRowKey } from "./keys.ts";

const REQUEST = Buffer.alloc(16, 3).toString("base64url");
const OTHER = Buffer.alloc(16, 2).toString("base64url");
const done = table<string>("done");

/** Of what was asked, and not refused. */
async function idsOf(log: Log): Promise<string[]> {
  return (await log.read(1, { limit: 100 }))
    .map(({ text }) => JSON.parse(text.split("\n")[0] as string) as { id: string; message: string; verdict: string })
    .filter(({ message, verdict }) => message === "work.do" && verdict !== "refused")
    .map(({ id }) => id);
}

/** Does what is asked, once for its request where `here`; what it did is told when the test says so. */
async function node({
  log = memoryLog(),
  here = true,
  held = false,
  seed = 1,
  denied = new Set<string>(),
  prepare,
}: Partial<{
  log: Log;
  here: boolean;
  held: boolean;
  seed: number;
  denied: Set<string>;
  prepare: () => Promise<void>;
}> = {}) {
  let runtime: PluginRuntime | undefined;
  const decided: unknown[] = [];
  const worker = plugin("worker", {
    needs: [authority],
    tables: [done],
    messages: { work: { do: takes("what"), end: takes("id") } },
    ...(prepare && { prepare: { "work.do": () => prepare().then(() => ({})) } }),
    decide({ message, envelope, state }) {
      if (message.resource !== "work") return next();
      if (message.action === "end")
        return next({ settles: [{ id: (message.data as { id: string }).id, data: "done" }] });
      decided.push(envelope.facts[JOINS]);
      if (JOINS in envelope.facts) return next();
      if (held && !("approval" in envelope.facts)) return hold("approval");
      return next({ state: state.put(done, envelope.id, "x"), pending: true, once: here ? true : undefined });
    },
    run(one) {
      runtime = one;
    },
  });
  // As an export policy stands behind what is done.
  const border = plugin("border", {
    needs: [authority],
    decide: ({ envelope }) =>
      envelope.principal === "stranger" && envelope.message.resource === "work" ? refuse("DENIED", "no") : next(),
  });
  const started = await start([admits(denied), worker, border], { log, seed });
  const ask = (as: string, request: string | undefined, what = "a", key?: string): Promise<unknown> =>
    (runtime as PluginRuntime).apply(
      { resource: "work", action: "do", data: { what } },
      { principal: as, grant: "g" },
      key === undefined ? {} : { key },
      { via: ["n-x"], hops: 1, request },
    );
  const ids = () => idsOf(started.log);
  const plugins = [admits(denied), worker, border];
  return { ...started, ask, ids, decided, plugins, runtime: runtime as unknown as PluginRuntime };
}

test("what comes by another way joins the first, whoever brings it, also when it is over, and after a restart", async () => {
  const log = memoryLog();
  const first = await node({ log });
  const asked = [first.ask("peer.b", REQUEST), first.ask("peer.c", REQUEST)];
  await settled();
  const [id, ...more] = await first.ids();
  expect(more).toEqual([]);
  await first.send("work.end", { id: id as string });
  expect(await Promise.all(asked)).toEqual(["done", "done"]);
  expect(await first.ask("peer.d", REQUEST)).toBe("done");
  const second = await node({ log: reopened(log), seed: 2 });
  expect(await second.ask("peer.e", REQUEST)).toBe("done");
  expect(await second.ids()).toHaveLength(1);
  // Those that join are told so, and decide nothing again.
  expect(first.decided).toEqual([undefined, id, id]);
});

test("two requests are two, and what has none is nobody's", async () => {
  const { ask, ids } = await node();
  for (const request of [REQUEST, OTHER, undefined, undefined]) ask("peer.b", request).catch(() => {});
  await settled();
  expect(await ids()).toHaveLength(4);
});

test("another message under the same request is refused, and tells nothing of the first", async () => {
  const { ask, ids } = await node();
  ask("peer.b", REQUEST).catch(() => {});
  await settled();
  const thrown = await ask("peer.c", REQUEST, "b").catch((fault: Error & { code: string }) => fault);
  expect(thrown).toMatchObject({ code: "KEY_REUSED" });
  const [id] = await ids();
  expect((thrown as Error).message).not.toContain(id as string);
});

test("who may not ask for it himself joins nothing", async () => {
  const denied = new Set<string>();
  const { ask, history } = await node({ denied });
  ask("peer.b", REQUEST).catch(() => {});
  await settled();
  // By a plugin behind the one that does it, and by the authority.
  expect(await codeOf(ask("stranger", REQUEST))).toBe("DENIED");
  denied.add("peer.c");
  expect(await codeOf(ask("peer.c", REQUEST))).toBe("DENIED");
  expect(await history()).toEqual(["work.do done", "work.do refused", "work.do refused"]);
});

test("a refusal of what nothing was accepted of is for good; where something was, it is of who asks", async () => {
  const denied = new Set(["peer.b"]);
  const { ask, history } = await node({ denied });
  const details = (asked: Promise<unknown>): Promise<unknown> =>
    asked.then(
      () => expect.unreachable("it was accepted"),
      (fault: { code: string; details?: unknown }) => [fault.code, fault.details],
    );
  expect(await details(ask("peer.b", REQUEST, "a", "k"))).toEqual(["DENIED", { final: true }]);
  // Nobody's key, or nobody's request: then nobody asks again by them.
  expect(await details(ask("peer.b", undefined, "a", "k"))).toEqual(["DENIED", undefined]);
  expect(await details(ask("peer.b", REQUEST))).toEqual(["DENIED", undefined]);
  denied.clear();
  ask("peer.b", REQUEST, "a", "k").catch(() => {});
  await settled();
  denied.add("peer.b").add("peer.c");
  for (const as of ["peer.b", "peer.c"])
    expect(await details(ask(as, REQUEST, "a", "k"))).toEqual(["DENIED", undefined]);
  expect(await details(ask("peer.b", REQUEST, "b", "k"))).toEqual(["DENIED", undefined]);
  expect((await history()).filter((one) => one === "work.do done")).toHaveLength(1);
});

test("what became of it is told for good to whoever asks again by his key, also when it was held and refused then", async () => {
  const denied = new Set<string>();
  const { ask, ids, send } = await node({ held: true, denied });
  const told = (asked: Promise<unknown>): Promise<unknown> =>
    asked.catch((fault: { code: string; details?: unknown }) => [fault.code, fault.details]);
  const first = told(ask("peer.b", REQUEST, "a", "k"));
  await settled();
  const meanwhile = told(ask("peer.b", REQUEST, "a", "k"));
  const joined = told(ask("peer.c", REQUEST, "a", "k"));
  const [id] = await ids();
  denied.add("peer.b");
  await send("message.settle", { id: id as string, hold: "approval", outcome: "yes" });
  expect(await Promise.all([first, meanwhile, joined])).toEqual([
    ["DENIED", undefined],
    ["DENIED", { final: true }],
    ["DENIED", undefined],
  ]);
  expect(await told(ask("peer.b", REQUEST, "a", "k"))).toEqual(["DENIED", undefined]);
  denied.clear();
  expect(await told(ask("peer.b", REQUEST, "a", "k"))).toEqual(["DENIED", { final: true }]);
});

test("a refusal is no last word while the same call is read for, which may be let in yet", async () => {
  const denied = new Set<string>();
  const gates: (() => void)[] = [];
  const { ask, ids } = await node({ denied, prepare: () => new Promise<void>((resolve) => gates.push(resolve)) });
  const first = ask("peer.b", REQUEST, "a", "k");
  first.catch(() => {});
  const second = ask("peer.b", REQUEST, "a", "k").catch((fault: { details?: unknown }) => fault.details);
  denied.add("peer.b");
  gates[1]?.();
  expect(await second).toBeUndefined();
  denied.clear();
  gates[0]?.();
  await settled();
  expect(await ids()).toHaveLength(1);
  denied.add("peer.c");
  const alone = ask("peer.c", OTHER, "a", "k").catch((fault: { details?: unknown }) => fault.details);
  gates[2]?.();
  expect(await alone).toEqual({ final: true });
});

test("a refusal is no last word of what may have been accepted, and forgotten", async () => {
  const denied = new Set(["peer.b"]);
  const hour = 3_600_000;
  const details = async ({ ask, time }: Awaited<ReturnType<typeof node>>, ago: number): Promise<unknown> => {
    const request = nonceMaker(() => REQUEST)(time.now() - ago);
    return ask("peer.b", request, "a", "k").catch((fault: { details?: unknown }) => fault.details);
  };
  const first = await node({ denied });
  expect([await details(first, 23 * hour), await details(first, 24 * hour)]).toEqual([{ final: true }, undefined]);
  // Put back to how it was: what was accepted in between is not known any more.
  const at = first.time.now() - hour;
  const second = await node({
    denied,
    log: logWith(first.log, { restorations: [{ epoch: 1, size: 1, root: "", at }] }),
  });
  expect([await details(second, hour / 2), await details(second, hour)]).toEqual([{ final: true }, undefined]);
});

test("that the node stops is no last word: what was accepted stays so", async () => {
  const { ask, orchestrator } = await node();
  const told = (asked: Promise<unknown>): Promise<unknown> =>
    asked.catch((fault: { code: string; details?: unknown }) => [fault.code, fault.details]);
  const first = told(ask("peer.b", REQUEST, "a", "k"));
  await settled();
  const again = told(ask("peer.b", REQUEST, "a", "k"));
  await settled();
  await orchestrator.stop();
  expect(await Promise.all([first, again])).toEqual([
    ["STOPPING", { pending: true }],
    ["STOPPING", { pending: true }],
  ]);
});

test("a rehearsal decides all of it as it was decided, joined or refused to", async () => {
  const { ask, log, plugins } = await node();
  ask("peer.b", REQUEST).catch(() => {});
  await settled();
  await codeOf(ask("stranger", REQUEST));
  await codeOf(ask("peer.c", REQUEST, "b"));
  const draws = plugin("draws", {
    needs: [authority],
    tables: [done],
    messages: { lot: { draw: takes() } },
    decide: ({ message, state, nonce }) =>
      message.resource === "lot" ? next({ data: nonce, state: state.put(done, "l", nonce) }) : next(),
  });
  const other = await start([admits(), draws]);
  await other.send("lot.draw");
  for (const [of, by] of [
    [log, plugins],
    [other.log, [admits(), draws]],
  ] as const)
    expect(await rehearse({ log: await historyOf(of), plugins: by })).toMatchObject({ differ: 0, undecidable: 0 });
});

test("of what was erased nothing tells what it asked, its request neither", async () => {
  const { ask, log, send } = await node();
  ask("peer.b", REQUEST, "a", "k").catch(() => {});
  ask("peer.c", OTHER).catch(() => {});
  await settled();
  const keys = [requestRowKey(REQUEST), requestRowKey(OTHER)];
  const digests = async (): Promise<string[]> =>
    Promise.all(keys.map(async (key) => JSON.parse((await log.row(KEY_TABLE, key)) as string).digest));
  const [digest = "", same] = await digests();
  expect([digest.length, same]).toEqual([43, digest]);
  for (const entry of [2, 3]) {
    await send("work.end", { id: (await idsOf(log))[entry - 2] as string });
    await send("log.redact", { entry, parts: ["body"], reason: "asked for by its subject" });
  }
  expect(await digests()).toEqual(["", ""]);
  // Nobody can tell any more whether it is the same.
  expect(await codeOf(ask("peer.d", REQUEST))).toBe("KEY_REUSED");
});

test("where it is not done, but handed on, each that brings it is answered for itself", async () => {
  const { ask, ids } = await node({ here: false });
  ask("peer.b", REQUEST).catch(() => {});
  ask("peer.c", REQUEST).catch(() => {});
  await settled();
  expect(await ids()).toHaveLength(2);
});

test("what is held is one as well", async () => {
  const { ask, ids, send } = await node({ held: true });
  const asked = [ask("peer.b", REQUEST), ask("peer.c", REQUEST)];
  await settled();
  const [id, ...more] = await ids();
  expect(more).toEqual([]);
  await send("message.settle", { id: id as string, hold: "approval", outcome: "yes" });
  const [, again] = await ids();
  await send("work.end", { id: again as string });
  expect(await Promise.all(asked)).toEqual(["done", "done"]);
});

test("a principal's own key counts first: it is asked for its grant alone", async () => {
  const { ask, ids } = await node();
  ask("peer.b", REQUEST, "a", "k").catch(() => {});
  await settled();
  ask("peer.b", OTHER, "a", "k").catch(() => {});
  await settled();
  expect(await ids()).toHaveLength(1);
});

test("what a scope says of a request is 16 bytes, or refused", () => {
  expect(parseForwarded({ request: REQUEST })).toEqual({ request: REQUEST });
  for (const request of ["", "a", `${REQUEST}A`, REQUEST.replace(/.$/, "B"), "\n".repeat(22), 7])
    expect(() => parseForwarded({ request })).toThrow("request");
});

test("what is drawn for a message is recorded with it, is another for each, and costs nothing where nobody asks", async () => {
  const drawn: string[] = [];
  const draws = plugin("draws", {
    needs: [authority],
    messages: { lot: { draw: takes(), leave: takes() } },
    decide(context) {
      if (context.message.action === "draw") drawn.push(context.nonce, context.nonce);
      return next();
    },
  });
  const { send, log } = await start([admits(), draws]);
  for (const verb of ["lot.draw", "lot.draw", "lot.leave"]) await send(verb);
  expect(drawn[0]).toMatch(/^[\w-]{22}$/);
  expect(drawn[0]).toBe(drawn[1] as string);
  expect(new Set(drawn).size).toBe(2);
  const texts = (await log.read(1, { limit: 100 })).map(({ text }) => text);
  expect(texts.filter((text) => text.includes("$nonce")).length).toBe(2);
  expect(texts.filter((text) => text.includes(drawn[0] as string)).length).toBe(1);
});
