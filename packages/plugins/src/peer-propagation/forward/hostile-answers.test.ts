// A peer that answers performings with whatever it likes, over a real session: what of it reaches the caller, and that it costs
// nobody else anything.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { faultFrom } from "../../hub.fixture.ts";
import { heardAs } from "../links/frames.ts";
import {
  allOut,
  everything,
  keepSecret,
  LongTimers,
  type PeerNode,
  pairSecret,
  startNode,
  until,
} from "../peers.fixture.ts";
import { RawPeer, rawIdentity } from "../raw-peer.fixture.ts";

const timers = new LongTimers();
let node: PeerNode;
let peer: RawPeer;
/** What it does when it is asked to perform. */
let answers: (asked: number) => unknown;
let asked = 0;

beforeEach(async () => {
  asked = 0;
  node = await startNode({ id: "n-osaka", timers });
  await node.app.peer.add({
    ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: allOut },
    secrets: [keepSecret("RAW_SECRET", pairSecret("raw"))] as never,
  });
  peer = new RawPeer({
    ...{ id: "n-raw", url: node.url, node: node.id, key: node.key, secret: pairSecret("raw") },
    told({ resource, data }) {
      if (resource === "action") return answers(++asked);
      const { connection } = peer.link as { connection: string };
      peer.tell(heardAs(connection, (data as { frame: unknown }).frame));
      return undefined;
    },
  });
  peer.tell({ type: "originate", announce: [["action:trap", ""]], withdraw: [] });
  await until(async () => (await node.app.action.list()).items.length === 1);
});

afterEach(async () => {
  peer.close();
  await node.server.stop();
});

const perform = (deadline?: number) =>
  faultFrom(node.app.action.perform({ name: "trap" }, deadline === undefined ? {} : { deadline }));

const execution = "x-1KJMMA2G0E0J38R2";

describe("a peer that answers", () => {
  test.each([
    ["nothing", () => undefined],
    ["what another message is answered with", () => ({ grant: "g-1", principal: "app" })],
    ["another id than an execution's", () => ({ execution: "m-1KJMMA2G0E0J38R2", output: 1 })],
    ["that it is still at it", () => ({ execution, pending: true })],
    ["a callback of its own", () => ({ execution, output: () => "called" })],
    ["a date", () => ({ execution, output: new Date(0) })],
    ["5 MiB, which the log would not take", () => ({ execution, output: "a".repeat(5 * 1024 * 1024) })],
  ])("%s is told as such, and asked again all the same", async (_, answer) => {
    answers = (nth) => (nth === 1 ? answer() : { execution, output: nth });
    const refused = await perform();
    // A frame of so many bytes may be over the session's budget as well: then the session ends, and nobody knows.
    expect(["PEER_ANSWER_INVALID", "EXECUTION_AMBIGUOUS"]).toContain(refused.code);
    expect(refused.details).toMatchObject({ peer: { name: "raw", node: "n-raw" } });
    if (refused.code === "PEER_ANSWER_INVALID")
      expect(await node.app.action.perform({ name: "trap" })).toMatchObject({ output: 2, via: "raw" });
  });

  test.each([
    ["no code", new Error("at /etc/secret.ts:1"), "EXECUTION_AMBIGUOUS"],
    ["a code that is none", Object.assign(new Error("no"), { code: "<b>" }), "PEER_FAULT"],
    ["a code of ours", Object.assign(new Error("no"), { code: "LOG_UNAVAILABLE" }), "LOG_UNAVAILABLE"],
  ])("a fault with %s", async (_, thrown, code) => {
    answers = () => {
      throw thrown;
    };
    const refused = await perform();
    expect(refused.code).toBe(code);
    expect(JSON.stringify(refused.toFault())).not.toContain("secret.ts");
  });

  test("never, holds one execution until its deadline, and what it says later changes nothing", async () => {
    const late = Promise.withResolvers<unknown>();
    answers = (nth) => (nth === 1 ? late.promise : { execution, output: nth });
    const waiting = perform(Date.now() + LongTimers.LONG);
    await until(() => asked === 1);
    expect(await node.app.action.perform({ name: "trap" })).toMatchObject({ output: 2 });
    timers.pass();
    expect(await waiting).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    late.resolve({ execution, output: "late" });
    expect(await node.app.action.perform({ name: "trap" })).toMatchObject({ output: 3 });
    const { items } = (await node.app.execution.list({ state: "failed" })) as { items: unknown[] };
    expect(items).toHaveLength(1);
  });

  test("64 MiB, ends its session and nothing else", async () => {
    answers = () => ({ execution, output: "a".repeat(64 * 1024 * 1024) });
    await node.app.action.register({ name: "own", protocol: "echo" });
    expect(await perform()).toMatchObject({ code: "EXECUTION_AMBIGUOUS" });
    expect(await node.app.action.perform({ name: "own", input: 1 })).toMatchObject({ output: 1 });
  });
});
