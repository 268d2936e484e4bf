// What connections may know of their session: what a challenge kept for them, once, and when it ends; what scopes of nodes may say of
// where a call came from. Without a wire: the public object is called as capnweb would.

import { expect, test } from "bun:test";
import { z } from "zod";
import type { Log } from "../log/log.ts";
import { command } from "../message/definition.ts";
import { createOrchestrator, type Orchestrator } from "../orchestrator.ts";
import { Turns } from "../pipeline/turns.ts";
import { type Connection, type ConnectionSession, defineConnection } from "../plugin/connection.ts";
import { definePlugin } from "../plugin/plugin.ts";
import { next } from "../plugin/result.ts";
import { authority } from "../plugin/token.ts";
import { SessionBudget } from "../rpc/budget.ts";
import { faultyLog } from "../testing/faulty-log.fixture.ts";
import { codeOf } from "../testing/start.fixture.ts";
import { doorContext } from "./door-context.ts";
import { publicApiClass } from "./session.ts";

// The generated classes have whatever the composition says.
type Generated = any;

async function node(connections: Readonly<Record<string, Connection>>, log?: Log) {
  const open = definePlugin({
    name: "open",
    adds: [authority],
    connections,
    messages: {
      note: {
        write: command({ summary: "Write.", data: z.strictObject({ text: z.string() }), result: z.unknown() }),
        narrow: command({ summary: "Narrow.", data: z.strictObject({}), result: z.unknown(), scope: true }),
      },
    },
    decide({ envelope, message }) {
      const { principal, grant, via, hops } = envelope;
      return next({
        adds: { authority: { principal, grant, reads: () => true, writes: () => true, allows: () => undefined } },
        ...(message.action === "write" ? { data: { via, hops } } : {}),
        ...(message.action === "narrow" ? { data: { principal, grant: "g-3" } } : {}),
      });
    },
  });
  const orchestrator = (await createOrchestrator({ plugins: [open], ...(log ? { log } : {}) })) as Orchestrator;
  const Api = publicApiClass(orchestrator);
  const session = (lasting = true) => {
    const lives = orchestrator.lives.session(lasting);
    const budget = new SessionBudget();
    const api: Generated = new Api({ orchestrator, budget, lives, turns: new Turns() });
    return { api, lives, budget };
  };
  return { orchestrator, session };
}

/** Says a word, and takes whoever says it back. `seen` is what each verification found kept. */
function guard() {
  const seen: unknown[] = [];
  const sessions: ConnectionSession[] = [];
  let words = 0;
  const connection = defineConnection({
    input: z.string(),
    challenge: {
      input: z.strictObject({ who: z.string().max(8) }),
      offer({ who }, _reader, session) {
        if (who === "eve") return { code: "CREDENTIAL_INVALID", message: "not eve" };
        sessions.push(session);
        const word = `word ${++words}`;
        return { answer: { word }, keep: word };
      },
    },
    verify(input, _reader, session) {
      seen.push(session.kept);
      sessions.push(session);
      return input === session.kept
        ? { principal: "bob", grant: "g-2" }
        : { code: "CREDENTIAL_INVALID", message: "another word" };
    },
  });
  return { connection, seen, sessions };
}

const ask = (connection: string, who = "bob") => ({ connection, hello: { who } });

test("what a challenge keeps is there for one verification, whatever comes of it", async () => {
  const { connection, seen } = guard();
  const { session } = await node({ connectionFromWord: connection });
  const { api } = session();
  expect(await api.challenge(ask("connectionFromWord"))).toEqual({ word: "word 1" });
  expect(await codeOf(api.connectionFromWord("wrong"))).toBe("CREDENTIAL_INVALID");
  expect(await codeOf(api.connectionFromWord("word 1"))).toBe("CREDENTIAL_INVALID");
  await api.challenge(ask("connectionFromWord"));
  await api.connectionFromWord("word 2");
  expect(await codeOf(api.connectionFromWord("word 2"))).toBe("CREDENTIAL_INVALID");
  expect(seen).toEqual(["word 1", undefined, "word 2", undefined]);
});

test("a later challenge replaces an earlier one, and one that is refused or malformed leaves none", async () => {
  const { connection, seen, sessions } = guard();
  const { session } = await node({ connectionFromWord: connection });
  const { api } = session();
  await api.challenge(ask("connectionFromWord"));
  await api.challenge(ask("connectionFromWord"));
  expect(sessions.map(({ kept }) => kept)).toEqual([undefined, "word 1"]);
  expect(await codeOf(api.challenge(ask("connectionFromWord", "eve")))).toBe("CREDENTIAL_INVALID");
  expect(await codeOf(api.connectionFromWord("word 2"))).toBe("CREDENTIAL_INVALID");
  await api.challenge(ask("connectionFromWord"));
  expect(await codeOf(api.challenge(ask("connectionFromWord", "somebody long")))).toBe("MESSAGE_INVALID");
  expect(await codeOf(api.connectionFromWord("word 3"))).toBe("CREDENTIAL_INVALID");
  expect(seen).toEqual([undefined, undefined]);
});

test("it is kept for the connection that it was asked of, in the session that asked", async () => {
  const { connection, seen, sessions } = guard();
  const { session } = await node({ connectionFromWord: connection, connectionFromOther: connection });
  const [one, other] = [session(), session()];
  await one.api.challenge(ask("connectionFromWord"));
  expect(await codeOf(one.api.connectionFromOther("word 1"))).toBe("CREDENTIAL_INVALID");
  expect(await codeOf(other.api.connectionFromWord("word 1"))).toBe("CREDENTIAL_INVALID");
  await one.api.connectionFromWord("word 1");
  expect(seen).toEqual([undefined, undefined, "word 1"]);
  const ids = sessions.map(({ id }) => id);
  expect([new Set(ids).size, ids[0] === ids[1], ids[1] === ids[3]]).toEqual([2, true, true]);
});

test("challenge is there where a connection challenges, and says which", async () => {
  const plain = defineConnection({ input: z.string(), verify: () => ({ principal: "bob", grant: "g-2" }) });
  const without = (await node({ connectionFromName: plain })).session();
  expect(() => without.api.challenge).toThrow(
    'the public object has no "challenge"; it has connectionFromName, health',
  );
  const { api } = (await node({ connectionFromName: plain, connectionFromWord: guard().connection })).session();
  for (const name of ["connectionFromName", "connectionFromNobody", "constructor"]) {
    await expect(api.challenge(ask(name))).rejects.toMatchObject({
      code: "MESSAGE_UNKNOWN",
      message: `challenge: no connection "${name}" is challenged for; connectionFromWord is`,
    });
  }
  for (const asked of [undefined, "connectionFromWord", { connection: "connectionFromWord", hello: {}, more: 1 }])
    expect(await codeOf(api.challenge(asked))).toBe("MESSAGE_INVALID");
  expect(await codeOf(api.challenge({ connection: "connectionFromWord", hello: { who: () => {} } }))).toBe(
    "MESSAGE_INVALID",
  );
});

test("whoever is challenged is nobody yet", async () => {
  const { session } = await node({ connectionFromWord: guard().connection });
  const { api, budget } = session();
  await api.challenge(ask("connectionFromWord"));
  expect(budget.authenticated).toBe(false);
  await api.connectionFromWord("word 1");
  await budget.pendingAuthentication;
  expect(budget.authenticated).toBe(true);
});

test("those who listen are told of the session's end, once; those who come late, at once", async () => {
  const { connection, sessions } = guard();
  const { session } = await node({ connectionFromWord: connection });
  const { api, lives } = session();
  const other = session();
  await api.challenge(ask("connectionFromWord"));
  await api.connectionFromWord("word 1");
  await other.api.challenge(ask("connectionFromWord"));
  const told: string[] = [];
  for (const [i, one] of sessions.entries()) one.onEnd((why) => told.push(`${i}: ${why}`));
  sessions[0]?.onEnd(() => told.push("never"))();
  lives.end("the socket closed");
  lives.end("twice");
  sessions[1]?.onEnd((why) => told.push(`late: ${why}`));
  expect(told).toEqual(["0: the socket closed", "1: the socket closed", "late: the socket closed"]);
});

test("a verification that is under way when its session ends finds it ended", async () => {
  const gate = Promise.withResolvers<void>();
  const told: string[] = [];
  const slow = defineConnection({
    input: z.string(),
    async verify(_input, _reader, session) {
      await gate.promise;
      session.onEnd((why) => told.push(why));
      return { principal: "bob", grant: "g-2" };
    },
  });
  const { api, lives } = (await node({ connectionFromWord: slow })).session();
  const connected = api.connectionFromWord("word");
  lives.end("the socket closed");
  gate.resolve();
  await connected;
  expect(told).toEqual(["the socket closed"]);
});

test("a challenge tells nothing that stands on what the disk then refuses", async () => {
  const disk = faultyLog();
  const { orchestrator, session } = await node({ connectionFromWord: guard().connection }, disk.log);
  const scope = await orchestrator.scope({ principal: "ada", allow: ["*"] });
  disk.full = true;
  const written = codeOf(scope.applyAction({ resource: "note", action: "write", data: { text: "x" } }));
  expect(await codeOf(session().api.challenge(ask("connectionFromWord")))).toBe("LOG_UNAVAILABLE");
  expect(await written).toBe("LOG_UNAVAILABLE");
});

test("a challenge that is under way when its session ends keeps nothing", async () => {
  const gate = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  const slow = defineConnection({
    input: z.string(),
    challenge: {
      input: z.string(),
      async offer() {
        await gate.promise;
        return { answer: "", keep: "word" };
      },
    },
    verify(_input, _reader, { kept }) {
      seen.push(kept);
      return { principal: "bob", grant: "g-2" };
    },
  });
  const { api, lives } = (await node({ connectionFromWord: slow })).session();
  const offered = api.challenge({ connection: "connectionFromWord", hello: "" });
  lives.end("the socket closed");
  gate.resolve();
  await offered;
  await api.connectionFromWord("");
  expect(seen).toEqual([undefined]);
});

test("of a request there is a session for as long as it is verified, and nothing is kept for it", async () => {
  const told: unknown[] = [];
  const bearer = defineConnection({
    input: z.string(),
    bearer: true,
    verify(_input, _reader, { id, lasting, kept, onEnd }) {
      told.push([id.length > 20, lasting, kept]);
      onEnd((why) => told.push(why));
      return { principal: "bob", grant: "g-2" };
    },
  });
  const { orchestrator } = await node({ connectionFromToken: bearer });
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const door = doorContext({ orchestrator, stopping: new AbortController().signal, logger, keepOpen() {} });
  const request = new Request("http://localhost/", { headers: { authorization: "Bearer word" } });
  expect(await door.authenticate(request)).toMatchObject({ principal: "bob" });
  expect(told).toEqual([[true, false, undefined], "the request was verified"]);
});

test("a connection can end its session", async () => {
  const { connection, sessions } = guard();
  const { session } = await node({ connectionFromWord: connection });
  const { api, budget } = session();
  await api.challenge(ask("connectionFromWord"));
  sessions[0]?.end("another took its place");
  expect(budget.breach).toMatchObject({ code: "CANCELLED", message: "another took its place" });
});

test("one for sessions that last is refused in a batch, before it is asked anything", async () => {
  const { connection, seen, sessions } = guard();
  const { session } = await node({ connectionFromWord: { ...connection, lasting: true } });
  const { api } = session(false);
  for (const refused of [() => api.challenge(ask("connectionFromWord")), () => api.connectionFromWord("word")])
    await expect(refused()).rejects.toMatchObject({
      code: "SESSION_REQUIRED",
      message: "connectionFromWord needs a session that lasts, such as a WebSocket's",
    });
  expect([seen, sessions]).toEqual([[], []]);
  await session().api.challenge(ask("connectionFromWord"));
});

const asNode = (id: string | undefined, forwards = true) =>
  defineConnection({ input: z.string(), forwards, verify: () => ({ principal: "peer.b", grant: "g-2", node: id }) });

test("a node says what its calls came through, and is itself the last of it", async () => {
  const { session } = await node({ connectionFromNode: asNode("n-b") });
  const scope = await session().api.connectionFromNode("");
  const write = (options?: object) => scope.note.write({ text: "x" }, options);
  expect(await write()).toEqual({ via: ["n-b"], hops: 1 });
  expect(await write({ via: ["n-d", "n-c"], hops: 5 })).toEqual({ via: ["n-d", "n-c", "n-b"], hops: 5 });
  // Nobody has come through more nodes than causes.
  expect(await write({ via: ["n-d", "n-c"], hops: 0 })).toEqual({ via: ["n-d", "n-c", "n-b"], hops: 3 });
  expect(await scope.applyAction({ resource: "note", action: "write", data: { text: "x" } }, { via: ["n-c"] })).toEqual(
    {
      via: ["n-c", "n-b"],
      hops: 2,
    },
  );
});

test("a scope that a node got by its scope says so too", async () => {
  const { session } = await node({ connectionFromNode: asNode("n-b") });
  const { scope } = await (await session().api.connectionFromNode("")).note.narrow({});
  expect(await scope.note.write({ text: "x" }, { via: ["n-c"] })).toEqual({ via: ["n-c", "n-b"], hops: 2 });
});

test("what goes in a circle, or on for too long, is refused", async () => {
  const { session } = await node({ connectionFromNode: asNode("n-b") });
  const scope = await session().api.connectionFromNode("");
  const write = (options: object) => codeOf(scope.note.write({ text: "x" }, options));
  expect(await write({ via: ["n-embedded", "n-c"] })).toBe("FORWARDED_BACK");
  expect(await write({ via: ["n-b", "n-c"] })).toBe("FORWARDED_BACK");
  expect(await write({ via: ["n-c", "n-c"] })).toBe("FORWARDED_BACK");
  expect(await write({ hops: 17 })).toBe("HOPS_EXCEEDED");
  const nodes = (count: number) => Array.from({ length: count }, (_, i) => `n-${i}`);
  expect(await write({ via: nodes(16) })).toBe("HOPS_EXCEEDED");
  for (const via of [nodes(17), ["a b"], [""], "n-c", [7]]) expect(await write({ via })).toBe("MESSAGE_INVALID");
  for (const hops of [-1, 1.5, 256, "1"]) expect(await write({ hops })).toBe("MESSAGE_INVALID");
});

test("nobody else says so, and a node that says for nobody does not connect", async () => {
  const { session } = await node({ connectionFromNode: asNode("n-b", false), connectionFromNobody: asNode(undefined) });
  const scope = await session().api.connectionFromNode("");
  expect(await scope.note.write({ text: "x" })).toEqual({ via: [], hops: 0 });
  for (const options of [{ via: [] }, { hops: 1 }])
    expect(await codeOf(scope.note.write({ text: "x" }, options))).toBe("MESSAGE_INVALID");
  await expect(session().api.connectionFromNobody("")).rejects.toThrow(
    "connectionFromNobody forwards, and says for which node",
  );
});

test("where a call came from is in its entry", async () => {
  const { orchestrator, session } = await node({ connectionFromNode: asNode("n-b") });
  const scope = await session().api.connectionFromNode("");
  await scope.note.write({ text: "x" }, { via: ["n-c"], hops: 4 });
  await orchestrator.committer.whenDurable(orchestrator.committer.tip);
  const [entry] = await orchestrator.log.read(orchestrator.log.head);
  expect(entry?.text).toContain('{"data":{"text":"x"},"hops":4,"via":["n-c","n-b"]}');
});
