// What came of peers' updates is in the log once: as counts and a digest that both ends have.

import { afterEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { FaultError, fault } from "@capstan/orchestrator";
import type { Updated } from "../companion.ts";
import {
  allOut,
  everything,
  keepSecret,
  only,
  type PeerNode,
  pairSecret,
  peered,
  startNode,
  until,
} from "../peers.fixture.ts";
import { RawPeer, rawIdentity } from "../raw-peer.fixture.ts";
import { Acceptance } from "./acceptance.ts";

const far = { name: "far", node: "n-far" };
const ONE: Updated = { seq: 0, accepted: 1, filtered: 0, withdrawn: 0, refused: 0, malformed: 0 };

/** Timers that a test fires, and what is noted. */
function alone() {
  const timers = new Map<number, { readonly at: number; readonly fire: () => void }>();
  const noted: Record<string, unknown>[] = [];
  let now = 0;
  let next = 0;
  let broken = false;
  let disk: Promise<void> | undefined;
  const runtime = {
    log: { error() {} },
    now: () => now,
    timers: {
      after(ms: number, fire: () => void) {
        const id = next++;
        timers.set(id, { at: now + ms, fire });
        return () => timers.delete(id);
      },
    },
    async note({ data }: { data: unknown }) {
      if (disk !== undefined) await disk;
      if (broken) throw new FaultError(fault("LOG_UNAVAILABLE", "the disk"));
      noted.push(data as Record<string, unknown>);
    },
  };
  const acceptance = new Acceptance(runtime as never);
  let seq = 0;
  return {
    ...{ acceptance, noted, timers },
    breakDisk: (is: boolean) => {
      broken = is;
    },
    slowDisk(): () => void {
      const { promise, resolve } = Promise.withResolvers<void>();
      disk = promise;
      return resolve;
    },
    update(counts: Partial<Updated> = {}) {
      const frame = { type: "update", seq: seq++, withdraw: [], announce: [] };
      acceptance.updated(far, { ...ONE, ...counts, seq: frame.seq });
      acceptance.incoming(far, frame);
      return frame;
    },
    /** Second by second. */
    async pass(seconds: number) {
      for (const end = now + 1000 * seconds; now < end; ) {
        now += 1000;
        for (const [id, { at, fire }] of [...timers]) {
          if (at > now) continue;
          timers.delete(id);
          fire();
        }
        for (let i = 0; i < 5; i++) await undefined;
      }
    },
  };
}

const digestOf = (...frames: unknown[]): string => {
  const hash = createHash("sha256");
  for (const frame of frames) hash.update(`${JSON.stringify(frame)}\n`);
  return hash.digest("base64url");
};

describe("an entry", () => {
  test("tells a table at its end, and what came after it when a second is over, with a digest of all so far", async () => {
    const { acceptance, noted, update, pass, timers } = alone();
    acceptance.established(far);
    const table = [update(), update({ accepted: 3, filtered: 2, refused: 1, malformed: 4, withdrawn: 5 })];
    acceptance.incoming(far, { type: "end-of-table", seq: 9 });
    const counts = { announced: 7, filtered: 2, limited: 1, malformed: 4, withdrawn: 5, frames: 2 };
    expect(noted).toEqual([{ ...far, ...counts, seq: 1, digest: digestOf(...table) }]);
    const more = update();
    await pass(1);
    expect(noted[1]).toMatchObject({ announced: 1, frames: 1, seq: 2, digest: digestOf(...table, more) });
    await pass(10);
    expect([noted.length, timers.size]).toEqual([2, 0]);
  });

  test("comes ever more rarely while updates go on, and soon again after a pause", async () => {
    const { acceptance, noted, update, pass, timers } = alone();
    acceptance.established(far);
    for (let second = 0; second < 600; second++) {
      update();
      // A hostile table that ends again and again.
      acceptance.incoming(far, { type: "end-of-table", seq: 0 });
      await pass(1);
    }
    expect(noted.length).toBeLessThan(20);
    await pass(60);
    expect(timers.size).toBe(0);
    expect(noted.reduce((sum, { frames }) => sum + (frames as number), 0)).toBe(600);
    await pass(360);
    const before = noted.length;
    update();
    await pass(1);
    expect(noted.length).toBe(before + 1);
  });

  test.each([2, 3, 5, 10, 20, 40])("comes as rarely where a peer pauses for %i s each time", async (pause) => {
    const { acceptance, noted, update, pass } = alone();
    acceptance.established(far);
    for (let second = 0; second < 3600; second += pause) {
      update();
      await pass(pause);
    }
    expect(noted.length).toBeLessThan(70);
  });

  test("tells the update that ended the session, and nothing of one that had none", async () => {
    const { acceptance, noted, timers } = alone();
    acceptance.established(far);
    const frame = { type: "update", seq: 4, withdraw: [], announce: [] };
    acceptance.updated(far, { ...ONE, seq: 4, refused: 9 });
    acceptance.lost(far);
    acceptance.incoming(far, frame);
    await undefined;
    expect(noted).toEqual([expect.objectContaining({ limited: 9, seq: 4, digest: digestOf(frame) })]);
    acceptance.established(far);
    acceptance.incoming(far, { type: "keepalive", seq: 0 });
    acceptance.lost(far);
    await undefined;
    expect([noted.length, timers.size]).toEqual([1, 0]);
  });

  test("that the disk refuses is told with the next one", async () => {
    const { acceptance, noted, update, pass, breakDisk } = alone();
    acceptance.established(far);
    breakDisk(true);
    update();
    await pass(1);
    breakDisk(false);
    update();
    await pass(2);
    expect(noted).toEqual([expect.objectContaining({ announced: 2, frames: 2, seq: 1 })]);
  });

  test("is there once the node has stopped", async () => {
    const { acceptance, noted, update, slowDisk } = alone();
    const written = slowDisk();
    acceptance.established(far);
    update();
    const stopped = acceptance.stop().then(() => noted.length);
    expect(noted).toHaveLength(0);
    setImmediate(written);
    expect(await stopped).toBe(1);
  });
});

describe("over real sessions", () => {
  let nodes: PeerNode[] = [];
  let raws: RawPeer[] = [];

  async function start(id: string): Promise<PeerNode> {
    const node = await startNode({ id });
    nodes.push(node);
    return node;
  }

  afterEach(async () => {
    for (const one of raws) one.close();
    raws = [];
    await Promise.all(nodes.map(({ server }) => server.stop()));
    nodes = [];
  });

  const updated = async (node: PeerNode) => {
    const { items } = await node.app.log.list({ message: "peer.updated" });
    const shown = await Promise.all(items.map(({ entry }) => node.app.log.show({ entry })));
    return shown.map(({ body }) => (body as { data: Record<string, unknown> }).data).reverse();
  };

  test("what was filtered is told apart, and both ends have the same digest of what the one said", async () => {
    const [berlin, osaka] = [await start("n-berlin"), await start("n-osaka")];
    for (const name of ["greet", "report", "secret"]) await osaka.app.action.register({ name, protocol: "echo" });
    await peered(berlin, osaka, { imports: only("action:greet", "action:report"), theirExports: only("action:*") });
    const [entry] = (await until(async () => {
      const found = await updated(berlin);
      return found.length > 0 && found;
    })) as [Record<string, unknown>];
    expect(entry).toMatchObject({ name: "n-osaka", announced: 3, filtered: 1, withdrawn: 0, malformed: 0, limited: 0 });
    const [here, there] = [
      await berlin.app.peer.show({ name: "n-osaka" }),
      await osaka.app.peer.show({ name: "n-berlin" }),
    ];
    const { heard } = here as { heard: object };
    expect(heard).toEqual((there as { told: object }).told);
    expect(heard).toEqual({ seq: entry.seq as number, digest: entry.digest as string });
    expect(here).not.toHaveProperty("told");
    expect(await updated(osaka)).toEqual([]);
  });

  test("what a limit or malformed announcements cost is told, and of an idle session nothing is noted", async () => {
    const node = await start("n-osaka");
    await node.app.peer.add({
      ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: allOut },
      secrets: [keepSecret("ACCEPTANCE_SECRET", pairSecret("raw"))] as never,
      limits: { routes: 2, then: "drop" },
    });
    const peer = new RawPeer({
      ...{ id: "n-raw", url: node.url, node: node.id, key: node.key, secret: pairSecret("raw") },
    });
    raws.push(peer);
    peer.tell({ type: "originate", announce: ["a", "b", "c"].map((name) => [`action:${name}`, ""]), withdraw: [] });
    const [entry] = (await until(async () => {
      const found = await updated(node);
      return found.length > 0 && found;
    })) as [Record<string, unknown>];
    expect(entry).toMatchObject({ name: "raw", announced: 3, limited: 1, filtered: 0 });
    peer.close();
    await until(async () => node.messages.some((line) => line.includes("peer.lost")));
    expect(await updated(node)).toHaveLength(1);
  });
});
