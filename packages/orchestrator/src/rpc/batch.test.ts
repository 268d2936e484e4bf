import { afterEach, expect, test } from "bun:test";
import { newHttpBatchRpcSession, RpcTarget } from "capnweb";
import { answerBatch } from "./batch.ts";
import { SessionBudget } from "./budget.ts";
import { onSendError } from "./errors.ts";
import { FakeLog } from "./fake-log.fixture.ts";
import type { SessionLimits } from "./limits.ts";

class Scope extends RpcTarget {
  #world: World;
  #budget: SessionBudget;
  constructor(world: World, budget: SessionBudget) {
    super();
    this.#world = world;
    this.#budget = budget;
  }
  list(n: number) {
    const rows = Array.from({ length: n }, (_, id) => ({ id }));
    this.#budget.result(rows);
    return rows;
  }
  decide() {
    return ++this.#world.log.tip;
  }
  hang() {
    return new Promise(() => {});
  }
  start() {
    this.#budget.callStarted();
    return new Promise(() => {});
  }
  [Symbol.dispose]() {
    this.#world.disposed.resolve();
  }
}

class World {
  readonly log = new FakeLog();
  readonly disposed = Promise.withResolvers<void>();
  readonly reported: unknown[] = [];
  readonly #server: Bun.Server<undefined>;

  constructor(limits: Partial<SessionLimits> = {}) {
    const world = this;
    this.#server = Bun.serve({
      port: 0,
      fetch: async (request) => {
        const budget = new SessionBudget(limits);
        class Main extends RpcTarget {
          connect(credential: string) {
            const verified = Promise.resolve().then(() => {
              if (credential !== "good") throw new Error("credential");
              return new Scope(world, budget);
            });
            budget.authenticating(verified);
            return verified;
          }
        }
        return answerBatch({
          body: await request.text(),
          main: new Main(),
          options: { onSendError: (error) => onSendError(error) },
          budget,
          durability: this.log,
          report: (error) => this.reported.push(error),
        });
      },
    });
  }

  get url(): string {
    return this.#server.url.href;
  }

  post(...lines: string[]): Promise<Response> {
    return fetch(this.url, { method: "POST", body: lines.join("\n") });
  }

  async stop() {
    await this.#server.stop(true);
  }
}

let world: World;
afterEach(() => world.stop());

const connect = '["push",["pipeline",0,["connect"],["good"]]]';

test("a stock client connects, pipelines and maps in one batch", async () => {
  world = new World();
  const main: any = newHttpBatchRpcSession(world.url);
  expect(
    await main
      .connect("good")
      .list(3)
      .map((row: any) => row.id),
  ).toEqual([0, 1, 2]);
  await world.disposed.promise;
});

test("an empty body is an empty answer", async () => {
  world = new World();
  expect(await (await world.post()).text()).toBe("");
});

test("the answer waits for the log", async () => {
  world = new World();
  let answered = false;
  const response = world.post(connect, '["push",["pipeline",1,["decide"],[]]]', '["pull",2]').then((answer) => {
    answered = true;
    return answer;
  });
  while (world.log.listeners.size === 0) await new Promise((go) => setImmediate(go));
  // Another whole request goes through meanwhile.
  await world.post("[]");
  expect(answered).toBe(false);
  world.log.commit();
  expect(await (await response).text()).toBe('["resolve",2,1]');
});

test("is answered as it is where what was decided since is undone", async () => {
  world = new World();
  const response = world.post(connect, '["push",["pipeline",1,["decide"],[]]]', '["pull",2]');
  while (world.log.listeners.size === 0) await new Promise((go) => setImmediate(go));
  world.log.undo();
  expect(await (await response).text()).toBe('["resolve",2,1]');
});

test.each([
  ["half a line", '["push",["pipeline"'],
  ["no JSON", "hello"],
  ["an unknown export", '["pull",5]'],
  ["a stream", '["pipe"]'],
])("%s is answered 400", async (_, line) => {
  world = new World();
  const response = await world.post(connect, line);
  expect(response.status).toBe(400);
  expect(await response.json()).toEqual({ code: "FRAME_INVALID", message: expect.any(String) });
  expect(world.reported).toEqual([]);
});

test.each([
  ["a nested map", ['["push",["remap",1,[],[],[["remap",0,[],[],[["pipeline",0]]]]]]']],
  ["a map behind a bad credential", [connect.replace("good", "bad"), '["push",["remap",1,[],[],[["pipeline",0]]]]']],
  ["a call in an argument", [connect, '["push",["pipeline",1,["list"],[["pipeline",1,["list"],[1]]]]]']],
  [
    "too many calls inside one hanging batch",
    [connect, ...Array(9).fill('["push",["pipeline",1,["start"],[]]]'), '["pull",2]'],
  ],
])("%s is answered 429, and the session disposed", async (_, lines) => {
  world = new World({ callsInFlight: 8 });
  const response = await world.post(...lines);
  expect(response.status).toBe(429);
  expect(await response.json()).toEqual({ code: "SESSION_BUDGET", message: expect.stringContaining("budget") });
});

test("answers that are too large together are refused", async () => {
  world = new World({ outboundBytes: 1_000 });
  const lists = Array(2).fill('["push",["pipeline",1,["list"],[70]]]');
  const response = await world.post(connect, ...lists, '["pull",2]', '["pull",3]');
  expect(response.status).toBe(429);
});

test("one that comes alone may have twice as much", async () => {
  world = new World({ outboundBytes: 1_000 });
  const response = await world.post(connect, '["push",["pipeline",1,["list"],[150]]]', '["pull",2]');
  expect((await response.text()).length).toBeGreaterThan(1_000);
});

test("an answer that is too large by itself fails alone", async () => {
  world = new World({ outboundBytes: 1_000 });
  const lists = [1000, 1].map((n) => `["push",["pipeline",1,["list"],[${n}]]]`);
  const response = await world.post(connect, ...lists, '["pull",2]', '["pull",3]');
  expect(await response.text()).toMatch(/\["reject",2,.*"TOO_LARGE".*\["resolve",3,/s);
});

test("a batch that its sender aborts is answered 400", async () => {
  world = new World();
  expect((await world.post(connect, '["abort",["error","Error","bye"]]')).status).toBe(400);
});
