// No reply leaves before its flush. The disk holds the flush of the log's write-ahead log, and says so; by then everything that
// the node had sent before it is with us, and while the flush is held its only thread can send nothing.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Evidence } from "../chaos/evidence.ts";
import { Load, registerActions } from "../chaos/load.ts";
import { SeededRandom } from "../chaos/seeded-random.ts";
import { type ServerProcess, startServer } from "../chaos/server-process.ts";
import { verifyAsked } from "../chaos/verify.ts";
import { digestOf, newSecret } from "../wire/node.ts";
import { RawSocket } from "../wire/session.ts";
import { type FaultDisk, mountDisk } from "./fault-disk.ts";
import { whyNotMountable } from "./mountable.ts";
import { postRaw } from "./raw-request.ts";

setDefaultTimeout(60_000);

const WAL = "^log\\.db-wal$";
const IN_FLIGHT = 64;
const REPLIES = 400;
const MOST_TRIES = 20;
const why = whyNotMountable();

let directory: string;
let disk: FaultDisk;
let server: ServerProcess;

/** What was sent to us before the flush was held, has arrived: it was in our sockets first, and each look goes around them all. */
async function arrived(): Promise<void> {
  for (let looks = 0; looks < 3; looks++) await disk.report(false);
}

/** Lets every flush pass until the answer is there. */
async function release(answer: Promise<unknown>): Promise<void> {
  await disk.hold();
  await answer;
}

const frame = (target: number, path: string[], ...args: unknown[]): string =>
  JSON.stringify(["push", ["pipeline", target, path, args]]);
const perform = (key: string): [string[], ...unknown[]] => [
  ["action", "perform"],
  { name: "sync", input: { key, text: "" } },
  { key },
];

/**
 * Over a socket, or in a batch; what was received since it was asked, and the answer. The connection is there before a flush is held: a
 * node whose only thread is in one answers nobody.
 */
type Connect = (secret: string) => Promise<(path: string[], ...args: unknown[]) => Promise<Asked>>;
interface Asked {
  received(): string;
  readonly answer: Promise<string>;
  close(): void;
}

const transports: Record<string, Connect> = {
  async WebSocket(secret) {
    const socket = await RawSocket.open(server.url);
    socket.send(frame(0, ["connectionFromCli"], secret), '["pull",1]');
    await socket.answer(1);
    const before = socket.frames.length;
    return async (path, ...args) => {
      socket.send(frame(1, path, ...args), '["pull",2]');
      const answer = socket.answer(2).then((one) => JSON.stringify(one));
      return { received: () => JSON.stringify(socket.frames.slice(before)), answer, close: () => socket.close() };
    };
  },
  async "HTTP batch"(secret) {
    return async (path, ...args) => {
      const body = [frame(0, ["connectionFromCli"], secret), frame(1, path, ...args), '["pull",2]'].join("\n");
      return postRaw(`${server.url}/rpc`, body);
    };
  },
};

if (why !== undefined) {
  test(`NOT SHOWN ON THIS MACHINE, that no reply leaves before its flush: ${why}`, () =>
    expect(whyNotMountable()).toBe(why));
} else {
  /** A disk with a node on it for all tests of a block: what they ask does not depend on one another. */
  const onDisk = (early: boolean): void => {
    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), "capstan-ordering-"));
      mkdirSync(join(directory, "outside"));
      disk = await mountDisk(directory);
      server = await startServer(disk.path, { early, outside: join(directory, "outside") });
      await registerActions(server);
    });
    afterAll(async () => {
      server.kill();
      await server.exited;
      await disk.close();
      rmSync(directory, { recursive: true });
    });
  };
  const admin = (): string => readFileSync(join(disk.platter, "admin.token"), "utf8").trim();

  describe("while its flush is held", () => {
    onDisk(false);
    const kinds = Object.entries(transports).map(([name, connect]) => ({ name, connect }));

    test.each(kinds)("a perform over $name gets no byte of its reply", async ({ name, connect }) => {
      const ask = await connect(admin());
      await disk.hold(WAL);
      const asked = await ask(...perform(`k-${name}`));
      await disk.nextHeld();
      await arrived();
      expect(asked.received()).toBe(nothing(name));
      await release(asked.answer);
      expect(await asked.answer).toContain('"execution"');
      asked.close();
    });

    test.each(kinds)("a refusal over $name that is recorded gets none either", async ({ name, connect }) => {
      const secret = newSecret();
      const connection = server.connect();
      const grant = { principal: `bob-${name.slice(0, 4)}`, allow: ["log.head"], credential: digestOf(secret) };
      await connection.scope.grant?.create?.(grant);
      connection.close();
      const ask = await connect(secret);
      await disk.hold(WAL);
      const asked = await ask(...perform("k-1"));
      await disk.nextHeld();
      await arrived();
      expect(asked.received()).toBe(nothing(name));
      await release(asked.answer);
      expect(await asked.answer).toContain("REFUSED");
      asked.close();
    });
  });

  describe("a build that replies before it flushes", () => {
    onDisk(true);

    test.each(Object.entries(transports))("is seen to, over %s", async (name, connect) => {
      let seen = false;
      // A flush of what was asked before may be held first: then nothing has been replied to yet.
      for (let tries = 1; tries <= MOST_TRIES && !seen; tries++) {
        const ask = await connect(admin());
        await disk.hold(WAL);
        const asked = await ask(...perform(`k-${name}-${tries}`));
        await disk.nextHeld();
        await arrived();
        seen = asked.received().includes('"execution"');
        await release(asked.answer);
        asked.close();
      }
      expect(seen).toBe(true);
    });
  });

  /** Performs under load; at each held flush, what nobody could have been told by then, and was. */
  async function toldEarly(): Promise<{ readonly early: readonly string[]; readonly flushes: number }> {
    const early: string[] = [];
    const load = new Load(IN_FLIGHT, new SeededRandom(5), (text) => early.push(text));
    const evidence = new Evidence(disk.platter, (text) => early.push(text), join(directory, "outside"));
    let replies = 0;
    load.onAcknowledged = () => replies++;
    await disk.hold(WAL);
    const working = load.work(server);
    let flushes = 0;
    for (; replies < REPLIES && early.length === 0; flushes++) {
      await disk.nextHeld();
      await arrived();
      // The platter has what was flushed, and nothing of what is held now.
      await evidence.read();
      verifyAsked(load.ledgers(), evidence, (text) => early.push(text));
      await disk.release();
    }
    await disk.hold();
    server.kill();
    await working;
    return { early, flushes };
  }

  describe(`of some hundreds of performs, ${IN_FLIGHT} in flight`, () => {
    onDisk(false);

    test("none is replied to before the disk has what came of it", async () => {
      const { early, flushes } = await toldEarly();
      expect(early).toEqual([]);
      expect(flushes).toBeGreaterThan(REPLIES / IN_FLIGHT);
    });
  });

  describe(`of some hundreds of performs, ${IN_FLIGHT} in flight, to a build that replies before it flushes`, () => {
    onDisk(true);

    test("the first that is replied to early is caught", async () => {
      const { early } = await toldEarly();
      expect(early.some((text) => text.includes("acknowledged, and lost"))).toBe(true);
    });
  });
}

/** What was received before the answer, where that is nothing. */
const nothing = (name: string): string => (name === "WebSocket" ? "[]" : "");
