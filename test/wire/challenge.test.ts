// Challenges over real sockets: what waits for them, what bounds them, and what a session's end ends.

import { afterEach, expect, test } from "bun:test";
import {
  type ConnectionSession,
  createOrchestrator,
  defineConnection,
  definePlugin,
  next,
  type Orchestrator,
  type Serving,
  type SessionLimits,
  serve,
} from "@capstan/orchestrator";
import { auth, ledger } from "@capstan/plugins";
import { z } from "zod";
import { codeOf, faultOf, RawSocket, type Remote, transportNames, transports } from "./session.ts";

const started: Serving[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

async function node({ limits, lasting = false }: { limits?: Partial<SessionLimits>; lasting?: boolean } = {}) {
  const order: string[] = [];
  const sessions: ConnectionSession[] = [];
  let gate: Promise<void> | undefined;
  const door = definePlugin({
    name: "door",
    decide: () => next(),
    connections: {
      connectionFromWord: defineConnection({
        input: z.string().max(100),
        lasting,
        challenge: {
          input: z.strictObject({ who: z.string() }),
          async offer({ who }, _reader, session) {
            order.push(`offer ${who}`);
            sessions.push(session);
            await gate;
            order.push(`offered ${who}`);
            return { answer: { word: `word for ${who}`, list: [1, 2, 3] }, keep: who };
          },
        },
        verify(word, _reader, session) {
          order.push(`verify ${word}`);
          return word === `word for ${session.kept}`
            ? { principal: "bob", grant: "g-none" }
            : { code: "CREDENTIAL_INVALID", message: "another word" };
        },
      }),
    },
  });
  const orchestrator = await createOrchestrator({ plugins: [auth(), door, ledger()] });
  const serving = serve(orchestrator as Orchestrator, { listen: "127.0.0.1:0", ...(limits ? { limits } : {}) });
  started.push(serving);
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return resolve;
  };
  return { url: serving.url, order, sessions, hold };
}

const hello = (who: string) => ({ connection: "connectionFromWord", hello: { who } });
const challengeFrame = (who: string) => JSON.stringify(["push", ["pipeline", 0, ["challenge"], [hello(who)]]]);

for (const transport of transportNames) {
  test(`${transport}: a challenge is answered, and its proof may refer to the answer`, async () => {
    const { url } = await node();
    const api: Remote = transports[transport](url);
    const offered = api.challenge(hello("ada"));
    const scope = api.connectionFromWord(offered.word);
    const asked = codeOf(scope.log.head());
    expect(await offered).toMatchObject({ word: "word for ada", list: [1, 2, 3] });
    // Connected; the grant is nobody's.
    expect(await asked).not.toBe("CREDENTIAL_INVALID");
  });

  test(`${transport}: its proof is taken once`, async () => {
    const { url } = await node();
    const api: Remote = transports[transport](url);
    const asked = [
      api.challenge(hello("ada")),
      api.connectionFromWord("word for ada"),
      api.connectionFromWord("word for ada"),
    ];
    const [, first, second] = await Promise.all(asked.map((one) => codeOf(one)));
    expect([first, second]).toEqual(["ok", "CREDENTIAL_INVALID"]);
  });
}

test("what comes behind a slow challenge waits for it, in order", async () => {
  const { url, order, hold } = await node();
  const go = hold();
  const socket = await RawSocket.open(url);
  socket.send(
    challengeFrame("ada"),
    '["push",["pipeline",0,["connectionFromWord"],["word for ada"]]]',
    challengeFrame("bob"),
  );
  socket.send('["pull",1]', '["pull",2]', '["pull",3]');
  await socket.roundTrip();
  expect(order).toEqual(["offer ada"]);
  go();
  expect((await socket.answer(2))[0]).toBe("resolve");
  await socket.answer(3);
  expect(order).toEqual(["offer ada", "offered ada", "verify word for ada", "offer bob", "offered bob"]);
  socket.close();
});

test("before authentication it is a call like others: the ninth ends the session", async () => {
  const { url, order } = await node();
  const socket = await RawSocket.open(url);
  for (let i = 1; i <= 9; i++) socket.send(challengeFrame(`${i}`), `["pull",${i}]`);
  expect(await socket.ended()).toMatchObject({ code: "SESSION_BUDGET" });
  expect(order.filter((one) => one.startsWith("offered"))).toHaveLength(8);
});

test("a hello is as large as a frame may be before authentication", async () => {
  const { url, order } = await node();
  const socket = await RawSocket.open(url);
  socket.send(challengeFrame("x".repeat(65_536)));
  expect(await socket.ended()).toMatchObject({
    code: "SESSION_BUDGET",
    message: expect.stringContaining("frameBytes"),
  });
  expect(order).toEqual([]);
});

test("what waits behind one is bounded", async () => {
  const { url, hold } = await node({ limits: { waitingBytes: 10_000 } });
  const go = hold();
  const socket = await RawSocket.open(url);
  socket.send(challengeFrame("ada"));
  for (let i = 0; i < 100; i++) socket.send(`["push",["pipeline",0,["health"],["${"x".repeat(100)}"]]]`);
  expect(await socket.ended()).toMatchObject({
    code: "SESSION_BUDGET",
    message: expect.stringContaining("waitingBytes"),
  });
  go();
});

test("of what a challenge answers no more is copied than before authentication", async () => {
  const { url } = await node({ limits: { anonymousCopies: 64 } });
  const socket = await RawSocket.open(url);
  socket.send(challengeFrame("ada"), '["pull",1]');
  await socket.answer(1);
  const reference = '["pipeline",1]';
  socket.send(`["push",["pipeline",0,["health"],[[[${Array(20).fill(reference).join(",")}]]]]]`);
  expect(await socket.ended()).toMatchObject({
    code: "SESSION_BUDGET",
    message: expect.stringContaining("copiedValues"),
  });
});

test("whoever listens for a session's end is told when its socket closes", async () => {
  const { url, sessions } = await node();
  const [one, other]: Remote[] = [transports.WebSocket(url), transports.WebSocket(url)];
  await one.challenge(hello("ada"));
  await other.challenge(hello("bob"));
  const ended: string[] = [];
  const gone = new Promise<void>((resolve) => {
    sessions[0]?.onEnd((why) => {
      ended.push(why);
      resolve();
    });
  });
  sessions[1]?.onEnd(() => ended.push("the other's"));
  one[Symbol.dispose]();
  await gone;
  expect(ended).toEqual(["its session ended"]);
  other[Symbol.dispose]();
});

test("a batch's session ends with its answer", async () => {
  const { url, sessions } = await node();
  await (transports["HTTP batch"](url) as Remote).challenge(hello("ada"));
  const [session] = sessions;
  expect(session?.lasting).toBe(false);
  expect(await new Promise((resolve) => session?.onEnd(resolve))).toBe("the batch was answered");
});

test("a session that its connection ends is told why", async () => {
  const { url, sessions } = await node();
  const socket = await RawSocket.open(url);
  socket.send(challengeFrame("ada"), '["pull",1]');
  await socket.answer(1);
  sessions[0]?.end("the peer was removed");
  expect(await socket.ended()).toEqual({ code: "CANCELLED", message: "the peer was removed" });
});

test("one for sessions that last refuses a batch", async () => {
  const { url, order } = await node({ lasting: true });
  const refused = faultOf((transports["HTTP batch"](url) as Remote).challenge(hello("ada")));
  expect((await refused)?.code).toBe("SESSION_REQUIRED");
  expect(order).toEqual([]);
  const api: Remote = transports.WebSocket(url);
  expect(await codeOf(api.challenge(hello("ada")))).toBe("ok");
  api[Symbol.dispose]();
});
