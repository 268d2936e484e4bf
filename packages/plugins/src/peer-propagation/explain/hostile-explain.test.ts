// Explaining to peers that are no nodes, and by them: what one may learn that asks, and what it costs to ask one that answers as it likes.

import { afterEach, describe, expect, test } from "bun:test";
import { type PeerNode, peered, shown, until } from "../peers.fixture.ts";
import { rawIdentity } from "../raw-peer.fixture.ts";
import { explained, first, known, newest, ofRaw, Site } from "./explain.fixture.ts";

const site = new Site();
afterEach(() => site.close());

describe("a peer that asks", () => {
  type Ask = (message: { resource: string; action: string; data: unknown }, options?: object) => Promise<unknown>;

  async function asking(options: Parameters<Site["start"]>[1] = {}) {
    const node = await site.start("n-osaka", options);
    await node.app.action.register({ name: "greet", protocol: "echo" });
    await node.app.peer.add({ ...ofRaw, disclose: "clauses" });
    const peer = site.raw(node);
    const ask = (await until(() => peer.link?.ask)) as Ask;
    const explain = (data: object) =>
      ask({ resource: "peer", action: "explain", data }).catch(({ code, message }) => ({ code, message }));
    const perform = (key: string) =>
      ask({ resource: "action", action: "perform", data: { name: "greet", input: 1 } }, { key });
    return { node, explain, perform };
  }

  test("is told of its own messages, by id and by key, and of others' and none alike", async () => {
    const { node, explain, perform } = await asking();
    await node.app.action.perform({ name: "greet", input: 2 }, { key: "k-ours" });
    const ours = await newest(node, "action.perform");
    await perform("k-1");
    const id = await newest(node, "action.perform");
    expect(await explain({ id })).toMatchObject({ disclosed: "clauses", id, state: "done" });
    expect(await explain({ key: "k-1" })).toMatchObject({ id, state: "done" });
    const strange = (named: string) => ({
      code: "MESSAGE_NOT_FOUND",
      message: `you asked no message "${named}" here`,
    });
    for (const id of [
      ours,
      await newest(node, "peer.add"),
      await newest(node, "peer.established"),
      "m-0123456789ABCDEF",
    ])
      expect(await explain({ id })).toEqual(strange(id));
    for (const key of ["k-ours", "k-none"]) expect(await explain({ key })).toEqual(strange(key));
    expect(await explain({ id, key: "k-1" })).toMatchObject({ code: "MESSAGE_INVALID" });
    // Told nothing, it does not learn either which there are.
    await node.app.peer.configure({ name: "raw", disclose: "nothing" });
    for (const named of [{ id }, { id: "m-0123456789ABCDEF" }, { key: "k-none" }])
      expect(await explain(named)).toEqual({ disclosed: "nothing" });
  });

  test("is told of so many a second, and then that these are too many", async () => {
    const frozen = Date.now();
    const { explain } = await asking({ now: () => frozen });
    const codes: unknown[] = [];
    for (let i = 0; i < 52; i++) codes.push(((await explain({ key: `k-${i}` })) as { code: string }).code);
    expect(codes.indexOf("EXPLAINS_EXCEEDED")).toBe(50);
    expect(codes.slice(0, 50)).toEqual(Array(50).fill("MESSAGE_NOT_FOUND"));
  });

  test("is told of what it asked before its export changed, and not of what a peer of its name asked before it", async () => {
    const { node, perform } = await asking();
    await perform("k-1");
    const id = await newest(node, "action.perform");
    const { grant } = await shown(node, "raw");
    await node.app.peer.configure({ name: "raw", export: { clauses: [] } });
    expect((await shown(node, "raw")).grant).not.toBe(grant);
    const again = site.raw(node);
    const ask = (await until(() => again.link?.ask)) as Ask;
    const explain = { resource: "peer", action: "explain", data: { id } };
    expect(await ask(explain)).toMatchObject({ id, state: "done" });
    again.close();
    await node.app.peer.remove({ name: "raw" });
    await node.app.peer.add({ ...ofRaw, node: "n-next", keys: [rawIdentity("n-next").publicKey] });
    const next = site.raw(node, { id: "n-next" });
    const asked = (await until(() => next.link?.ask)) as Ask;
    const thrown = await asked(explain).catch((fault: { code?: string }) => fault);
    expect(thrown).toMatchObject({ code: "MESSAGE_NOT_FOUND" });
  });

  describe("and one that is asked", () => {
    /** A node with a peer that carries out what it is asked, and answers as it likes what became of it. */
    async function trapping(answer: () => unknown): Promise<PeerNode> {
      const node = await site.start("n-osaka");
      await node.app.peer.add(ofRaw);
      const execution = "x-1KJMMA2G0E0J38R2";
      const peer = site.raw(node, {
        told({ resource, action, data }) {
          if (resource === "action") return { execution, output: 1 };
          if (action === "explain") return answer();
          const { connection } = peer.link as { connection: string };
          peer.tell({ type: "received", connection, value: (data as { frame: unknown }).frame });
          return undefined;
        },
      });
      peer.tell({ type: "originate", announce: [["action:trap", ""]], withdraw: [] });
      await known(node, "trap");
      return node;
    }

    async function answering(answer: () => unknown, timing: { patience?: number } = {}) {
      const node = await trapping(answer);
      await node.app.action.perform({ name: "trap" });
      const id = await newest(node, "action.perform");
      return first(await explained(node, id, timing));
    }

    const bottomless = (): unknown => {
      let told: unknown = { disclosed: "nothing" };
      for (let i = 0; i < 30; i++) told = { disclosed: "outcome", peers: [{ name: "n", node: "n", said: told }] };
      return told;
    };

    test.each<[string, () => unknown, string]>([
      ["nothing", () => undefined, "what it answered is a undefined, which JSON does not have"],
      ["what is no explanation", () => ({ disclosed: "everything" }), "what it answered is no explanation"],
      ["without end", bottomless, "what it answered is nested deeper than 64 levels"],
      [
        "a megabyte",
        () => ({ disclosed: "clauses", text: "a".repeat(1024 * 1024) }),
        "what it answered is larger than 655360 bytes",
      ],
      [
        "a fault",
        () => Promise.reject(Object.assign(new Error("no\u001b[2J"), { code: "NOPE" })),
        "NOPE: no\\u001b[2J",
      ],
    ])("%s costs a line", async (_, answer, silent) => {
      expect(await answering(answer)).toEqual({ name: "raw", node: "n-raw", silent });
    });

    test("with a refusal is told on by its code, and in its words only where clauses are told", async () => {
      const refusal = Object.assign(new Error("g-3 allows action.perform:secret"), { code: "REFUSED" });
      const osaka = await trapping(() => Promise.reject(refusal));
      const lima = await site.start("n-lima");
      await peered(lima, osaka);
      await known(lima, "trap");
      await lima.app.action.perform({ name: "trap" });
      const id = await newest(lima, "action.perform");
      const silent = async () => first(first(await explained(lima, id)).said).silent;
      expect(await silent()).toBe("REFUSED");
      await osaka.app.peer.configure({ name: "n-lima", disclose: "clauses" });
      expect(await silent()).toBe("REFUSED: g-3 allows action.perform:secret");
    });

    test("never, costs a line once the time is over", async () => {
      const told = await answering(() => new Promise(() => {}), { patience: 50 });
      expect(told).toMatchObject({ silent: "it did not answer within 50 ms" });
    });

    test("with what a terminal acts on, or with more than was asked, is cut to what it is", async () => {
      const told = await answering(() => ({
        ...{ disclosed: "clauses", state: "refused", code: "NO", text: `a\u001b[2J${"b".repeat(5000)}`, rows: [1] },
        peers: [{ name: "x\u202e", node: "n", silent: "c".repeat(5000), data: 1 }],
      }));
      expect(told.said).toMatchObject({ state: "refused", text: expect.stringMatching(/^a\\u001b\[2Jb{1995}…$/) });
      expect(told.said).not.toHaveProperty("rows");
      expect(told.said?.peers).toEqual([{ name: "x\\u202e", node: "n", silent: `${"c".repeat(400)}…` }]);
    });
  });
});
