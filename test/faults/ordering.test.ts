// No reply leaves before its flush. The disk holds the flush of the log's write-ahead log, and says so; by then everything that
// the node had sent before it is with us, and while the flush is held its only thread can send nothing.

import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
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

setDefaultTimeout(30_000);

const WAL = "^log\\.db-wal$";
const IN_FLIGHT = 64;
const REPLIES = 400;
const MOST_TRIES = 20;
const why = whyNotMountable();

let directory: string;
let disk: FaultDisk;
let server: ServerProcess;

async function start(early: boolean): Promise<void> {
  server = await startServer(disk.path, { early, outside: join(directory, "outside") });
  await registerActions(server);
}

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

/** Asks over a socket, or in a batch; what was received since, and the answer. */
type Ask = (secret: string, path: string[], ...args: unknown[]) => Promise<Asked>;
interface Asked {
  received(): string;
  readonly answer: Promise<string>;
  close(): void;
}

const transports: Record<string, Ask> = {
  async WebSocket(secret, path, ...args) {
    const socket = await RawSocket.open(server.url);
    socket.send(frame(0, ["connectionFromCli"], secret), '["pull",1]');
    await socket.answer(1);
    const before = socket.frames.length;
    socket.send(frame(1, path, ...args), '["pull",2]');
    const answer = socket.answer(2).then((one) => JSON.stringify(one));
    return { received: () => JSON.stringify(socket.frames.slice(before)), answer, close: () => socket.close() };
  },
  async "HTTP batch"(secret, path, ...args) {
    const body = [frame(0, ["connectionFromCli"], secret), frame(1, path, ...args), '["pull",2]'].join("\n");
    return postRaw(`${server.url}/rpc`, body);
  },
};

if (why !== undefined) {
  test(`NOT SHOWN ON THIS MACHINE, that no reply leaves before its flush: ${why}`, () =>
    expect(whyNotMountable()).toBe(why));
} else {
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "capstan-ordering-"));
    mkdirSync(join(directory, "outside"));
    disk = await mountDisk(directory);
  });

  afterEach(async () => {
    server.kill();
    await server.exited;
    await disk.close();
    rmSync(directory, { recursive: true });
  });

  describe.each(Object.entries(transports))("over %s, while its flush is held", (name, ask) => {
    const nothing = name === "WebSocket" ? "[]" : "";

    test("a perform gets no byte of its reply", async () => {
      await start(false);
      const admin = readFileSync(join(disk.platter, "admin.token"), "utf8").trim();
      await disk.hold(WAL);
      const asked = await ask(admin, ...perform("k-1"));
      await disk.nextHeld();
      await arrived();
      expect(asked.received()).toBe(nothing);
      await release(asked.answer);
      expect(await asked.answer).toContain('"execution"');
      asked.close();
    });

    test("a refusal that is recorded gets none either", async () => {
      await start(false);
      const secret = newSecret();
      const connection = server.connect();
      await connection.scope.grant?.create?.({
        principal: "bob",
        allow: ["log.head"],
        credential: digestOf(secret),
      });
      connection.close();
      await disk.hold(WAL);
      const asked = await ask(secret, ...perform("k-1"));
      await disk.nextHeld();
      await arrived();
      expect(asked.received()).toBe(nothing);
      await release(asked.answer);
      expect(await asked.answer).toContain("REFUSED");
      asked.close();
    });

    test("a build that replies before it flushes is seen to", async () => {
      await start(true);
      const admin = readFileSync(join(disk.platter, "admin.token"), "utf8").trim();
      let seen = false;
      // It flushes a while after it replied; on a busy machine that may be too soon for the reply to be here.
      for (let tries = 1; tries <= MOST_TRIES && !seen; tries++) {
        await disk.hold(WAL);
        const asked = await ask(admin, ...perform(`k-${tries}`));
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
    test("none is replied to before the disk has what came of it", async () => {
      await start(false);
      const { early, flushes } = await toldEarly();
      expect(early).toEqual([]);
      expect(flushes).toBeGreaterThan(REPLIES / IN_FLIGHT);
    });

    test("a build that replies before it flushes is caught", async () => {
      await start(true);
      const { early } = await toldEarly();
      expect(early.some((text) => text.includes("acknowledged, and lost"))).toBe(true);
    });
  });
}
