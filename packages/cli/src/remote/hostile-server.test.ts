// A server that means harm, asked with every command: what it says reaches a terminal only as text, in its own line, and --json is
// the same value to whoever parses it.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../index.ts";
import { type TestIo, testIo } from "../test-io.ts";
import { EVIL, evil, hostileServer } from "./hostile-server.fixture.ts";

const row = { id: "m-1", name: "greet", message: "action.perform", principal: "bob", grant: "g-2", by: "admin", at: 1 };
const task = {
  ...row,
  revision: 1,
  protocol: "module",
  input: { type: "object", properties: { a: { const: "b" } } },
  output: {},
};
const entry = { ...row, entry: 7, verdict: "done" };
const page = {
  items: [{ ...entry, ...task, allow: ["a"], parent: "g-1", expires: 1, uses: 2, revoked: 3, attempts: 2 }],
};
const letter = { ...row, code: "AWFUL", state: "open", about: "x", kind: "execution", attempts: 1 };
const subscription = {
  ...row,
  topic: "action.greet",
  receiver: "mail",
  state: "running",
  lag: 3,
  cursor: "1.l",
  behind: 2,
};
const fault = { code: "AWFUL", message: "it is bad" };
const explained = {
  ...{ ...entry, data: { name: "greet" }, error: fault, outcome: { state: "failed", entry: 9, error: fault } },
  plugins: [{ plugin: "auth", verdict: "refused", clause: "no", wrote: 1 }],
  because: [row],
  hold: { plugin: "p", name: "h", details: { a: "b" }, since: 1, settled: { ...entry, outcome: { x: "y" } } },
  followed: [{ ...entry, error: fault }],
  attempts: [{ entry: 8, error: fault, clause: "again", followed: [entry] }],
  retries: [{ ...entry, because: row }],
  ...{ rows: [], erased: ["body"], erasedBy: { body: 9 }, gone: true },
};
const account = { disclosed: "clauses", id: "m-2", state: "refused", code: "AWFUL", plugin: "p", text: "no" };
const told = [
  { name: "osaka", node: "n-2", said: { ...account, plugins: explained.plugins, peers: [{ ...row, silent: "gone" }] } },
];
const peer = {
  ...{
    name: "osaka",
    node: "n-2",
    domain: "d",
    address: "ws://x",
    state: "idle",
    reason: "gone",
    reasonAt: 1,
    allow: ["a"],
  },
  ...{ keys: ["k"], secrets: [{ secret: "env:A" }], disclose: "all", heard: { seq: 1, digest: "d" } },
  export: { clauses: [{ name: "1", then: "accept", match: { routes: ["a"], tags: ["b"] } }] },
  log: { state: "forked", entry: 3, why: "other" },
};
const path = {
  route: "action:a",
  peer: "osaka",
  path: ["d"],
  origin: "n-2",
  tags: ["t"],
  filtered: { why: "w", by: "b" },
};
const witnessed = {
  name: "osaka",
  node: "n-2",
  state: "forked",
  log: "l-1",
  size: 3,
  at: 1,
  why: "other",
  message: "m-3",
};
const metrics = {
  ...{ at: 1, node: { id: "n-1", name: "evil", version: "0", uptime: 1 } },
  messages: [{ name: "a.b", kind: "query", verdicts: { done: 1 } }],
  decisions: { count: 1, p50: 0, p99: 0 },
  effects: { running: 0, waiting: 0, kinds: [] },
  sessions: { open: 0, breaches: 0, refusedCredentials: 0 },
  log: { durable: 1, groups: 1, entries: 1, appendP99: 0, bytes: 1, walBytes: 0, damaged: false },
  process: { cpu: 0, rss: 1, heap: 1, loopDelayP99: 0, loopDelayMax: 0 },
};
const publication = { topic: "action.greet", cursor: "7.log", id: "m-1", at: 1, data: { text: "hi" } };
// A name has to be one to be a command; all else of it is the server's own words.
const messages = [
  { name: "tea.drink", ...evil({ kind: "query", summary: "Drink", plugin: "tea" }), data: schemaOf("sugar") },
  { name: `evil${EVIL}.verb`, kind: "query", summary: "", plugin: "", data: {} },
];
function schemaOf(field: string): object {
  const bad = { type: "string", description: evil("how much"), enum: [evil("one"), "two"] };
  return { type: "object", properties: { [field]: bad, [evil("field")]: bad }, required: [field] };
}

const ANSWERS: Readonly<Record<string, unknown>> = {
  "action.list": page,
  "action.register": task,
  "action.describe": {
    ...{ ...task, configuration: { a: "b" }, may: ["a.b"], timeout: 1, registrant: row, publishes: { topic: "t" } },
  },
  "action.remove": row,
  "action.perform": { execution: "x-1", output: { text: "hi" } },
  "execution.show": {
    ...{ ...entry, action: "greet", state: "done", entries: [1, 2], output: { a: "b" }, error: fault, untold: ["n-2"] },
  },
  "execution.list": { items: [{ ...entry, action: "greet", state: "done", entries: [1, 2] }], next: "x-2" },
  "execution.abandon": { execution: "x-1" },
  "execution.cancel": { execution: "x-1" },
  "principal.list": page,
  "grant.list": page,
  "grant.create": { principal: "bob", grant: "g-2" },
  "grant.revoke": { grant: "g-2", derived: 1 },
  "log.list": page,
  "log.tail": { ...page, next: 8 },
  "log.show": {
    ...entry,
    node: "n-1",
    cause: "m-2",
    body: { data: { a: "b" } },
    facts: { a: "b" },
    rows: [["t", "k", { a: "b" }]],
  },
  "log.head": { entries: 7, node: "n-1", name: "evil", first: 2, state: "whole" },
  "log.explain": explained,
  "peer.explain": { peers: told },
  "peer.list": { items: [peer] },
  "peer.show": peer,
  "route.list": { items: [path] },
  "route.show": { route: "action:a", paths: [path] },
  "witness.list": { items: [witnessed] },
  "witness.show": witnessed,
  "log.checkpoint": { checkpoint: "capstan/log\n7\nroot\n" },
  "log.compact": { first: 2, stoppedBy: { entry: 3, why: "needed" } },
  "log.redact": { entry: 3, parts: ["body"], by: 4 },
  "key.rotate": { node: "n-1", key: "capstan/n-1+00", entry: 3 },
  "deadLetter.list": { items: [letter], next: "d-2" },
  "deadLetter.show": { ...letter, id: "d-1", error: fault, alert: 3, end: { discarded: "no use", message: "m-2" } },
  "deadLetter.redrive": { id: "d-1", message: "m-1" },
  "deadLetter.discard": { id: "d-1" },
  "receiver.list": { items: [task], next: "mail" },
  "receiver.show": { ...task, registrant: row, may: ["a.b"], subscriptions: ["s-1"] },
  "receiver.register": task,
  "receiver.remove": task,
  "subscription.list": { items: [subscription], next: "s-2" },
  "subscription.show": subscription,
  "subscription.create": { id: "s-1", cursor: "7.log" },
  "subscription.acknowledge": { id: "s-1", cursor: "1.l" },
  "execution.retry": { execution: "x-1", output: { text: "hi" } },
  "subscription.delete": { id: "s-1" },
  "subscription.read": { items: [publication], next: "7.log", head: "7.log" },
  "protocol.list": { items: [{ name: "http", summary: "asks" }] },
  "protocol.describe": { name: "http", summary: "asks", configuration: { a: "b" } },
  "node.metrics": metrics,
  "message.list": undefined,
  "message.attach": { execution: "x-1" },
  "tea.drink": { cups: "two" },
};

const server = hostileServer(({ name }) => {
  if (name === "message.list") return messages;
  if (Object.hasOwn(ANSWERS, name)) return evil(ANSWERS[name]);
  throw failing(name);
});
const refusing = hostileServer(({ name }) => {
  throw failing(name);
});
/** A fault whose code is one, or no fault of anybody's would be shown. */
function failing(name: string): Error {
  return Object.assign(new Error(evil(`${name} is refused`)), {
    code: "AWFUL",
    details: evil({ a: "b" }),
    id: evil("m-9"),
  });
}

const home = mkdtempSync(join(tmpdir(), "capstan-hostile-"));
afterAll(async () => {
  rmSync(home, { recursive: true });
  for (const one of [server, refusing]) await one[Symbol.asyncDispose]();
});
writeFileSync(join(home, "greet.ts"), "export default {};\n");
/** It is found as the server of this directory, and so with the administrator's credential. */
function serves(name: string, url: string): void {
  const data = join(home, name);
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "admin.token"), "token\n");
  writeFileSync(join(data, "server.json"), JSON.stringify({ url, pid: 1, node: "n-1", modules: [home] }));
}
serves("evil", server.url);
serves("refusing", refusing.url);

/** A terminal that somebody sits before; what is coloured is ours and is off. */
async function capstan(
  words: readonly string[],
  data = "evil",
): Promise<{ readonly code: number; readonly io: TestIo }> {
  const io: TestIo = {
    ...testIo({ NO_COLOR: "1", TERM: "dumb" }),
    cwd: home,
    terminal: { stdout: true, stderr: true },
    stopped: () => new Promise(() => {}),
  };
  return { code: await run(["--data", data, ...words], io), io };
}

const COMMANDS: readonly string[] = [
  "messages",
  "apply action list",
  "apply tea drink",
  "tea --help",
  "tea drink --help",
  "tea drink x",
  "action list",
  "action describe greet",
  "action register greet --module ./greet.ts",
  "action remove greet",
  "perform greet",
  "perform greet --wait 0",
  "execution list",
  "execution show x-1",
  "execution abandon x-1",
  "execution cancel x-1",
  "principal list",
  "grant list",
  "grant create bob --allow a.b",
  "grant revoke g-2",
  "log list",
  "log tail --limit 1",
  "log show 7",
  "log head",
  "log explain m-1",
  "log compact",
  "log redact 3 --parts body --reason x",
  "log receipt 7",
  "explain m-1",
  "peer list",
  "peer show osaka",
  "route list",
  "route show action:a",
  "witness list",
  "witness show osaka",
  "key rotate",
  "deadLetter list",
  "deadLetter show d-1",
  "deadLetter redrive d-1",
  "deadLetter discard d-1 --reason x",
  "execution retry x-1",
  "subscription read --topic action.greet",
  "subscription acknowledge s-0000000000000000 --cursor 1.l",
  "receiver list",
  "receiver show mail",
  "receiver register mail --module ./greet.ts",
  "receiver remove mail",
  "subscription list",
  "subscription show s-0000000000000000",
  "subscription create action.greet --receiver mail",
  "subscription delete s-0000000000000000",
  "protocol list",
  "protocol describe http",
  "tail --limit 1 --from start",
  "tail --no-follow --subscription s-0000000000000000 --limit 1",
  "top --once",
  "doctor",
  "rehearse --grant g-2 --revoke",
  "message attach m-1",
];

/** What may not be on a terminal, and no line that somebody else began. */
function expectTame(text: string): void {
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  expect(text).not.toMatch(/^FORGED/m);
}

describe("whatever a server says", () => {
  test.each(COMMANDS)("capstan %s shows it as text", async (line) => {
    const { io } = await capstan(line.split(" "));
    expectTame(io.out());
    expectTame(io.err());
    // It was asked, and its words are there: else nothing would be shown by this.
    expect(io.out() + io.err()).toContain("FORGED");
  });

  test.each(COMMANDS)("capstan %s shows its refusal as text", async (line) => {
    const { io } = await capstan(line.split(" "), "refusing");
    expectTame(io.out());
    expectTame(io.err());
  });

  test("is the same value with --json, and as safe to look at", async () => {
    for (const line of ["apply action list", "log list", "grant list", "subscription list", "receiver list"]) {
      const { code, io } = await capstan(["--json", ...line.split(" ")]);
      const name = line.replace("apply ", "").replace(" ", ".");
      expect([code, JSON.parse(io.out())]).toEqual([0, evil(ANSWERS[name])]);
      expectTame(io.out());
    }
    const tail = await capstan(["--json", "tail", "--limit", "1", "--from", "start"]);
    expect(JSON.parse(tail.io.out())).toEqual(evil(publication));
    expectTame(tail.io.out());
    const refused = await capstan(["--json", "action", "list"], "refusing");
    expect(JSON.parse(refused.io.err())).toMatchObject({ code: "AWFUL", message: expect.stringContaining("FORGED") });
    expectTame(refused.io.err());
  });

  test("is escaped in a checkpoint, whose lines are the server's own", async () => {
    const { io } = await capstan(["log", "checkpoint"]);
    expect(io.out().replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect((await capstan(["log", "verify"])).io.err()).toStartWith("CHECKPOINT_INVALID  ");
  });

  test("cannot be hidden in a batch either", async () => {
    writeFileSync(join(home, "lines"), '{"resource":"action","action":"list"}\n{"resource":"no","action":"such"}\n');
    const { io } = await capstan(["batch", "lines"]);
    expectTame(io.out());
    expectTame(io.err());
    expect(io.out().trim().split("\n")).toHaveLength(2);
  });
});

test("a witness whose leaves never end, or lead nowhere, is asked no more", async () => {
  const held = { checkpoint: "c", base: 0, size: 9, peaks: [], leaves: "A".repeat(64) };
  for (const answer of [
    ({ from = 1 }) => ({ ...held, size: 2 ** 50, from }),
    () => ({ ...held, from: 1 }),
    () => ({ ...held, from: 0, leaves: "" }),
    ({ from = 1 }) => ({ ...held, size: 131_072, from }),
  ] as readonly ((asked: { from?: number }) => object)[]) {
    let asked = 0;
    await using endless = hostileServer(({ name, data }) => {
      if (name === "witness.show") return { name: "osaka", log: "l-1" };
      if (++asked > 20) throw failing(name);
      return answer(data as { from?: number });
    });
    serves("endless", endless.url);
    const { code, io } = await capstan(["witness", "show", "osaka", "--out", "held"], "endless");
    expect([code === 0, io.err()]).toEqual([false, expect.stringContaining("has not the leaves that it says it has")]);
    expect(asked).toBeLessThan(3);
  }
});

test("the check would find it", () => {
  expect(() => expectTame(EVIL)).toThrow();
  expect(() => expectTame("a\nFORGED")).toThrow();
  for (const character of EVIL)
    if (/[\p{Cc}\p{Cf}]/u.test(character) && character !== "\n") expect(() => expectTame(character)).toThrow();
});
