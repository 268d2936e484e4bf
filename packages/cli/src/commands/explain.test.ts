// `capstan explain`, of what was asked of a peer: one command, as text and as JSON, and on a node where nobody can be asked.

import { afterAll, beforeEach, expect, test } from "bun:test";
import { FaultError, fault } from "@capstan/orchestrator";
import { askedNode } from "../messages/asked-node.fixture.ts";

const node = askedNode();
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(() => node.forget());

const explained = {
  ...{ id: "m-1", entry: 3, message: "action.perform", data: {}, principal: "ada", grant: "g-2", verdict: "done" },
  ...{ plugins: [], because: [], outcome: { state: "done", entry: 4 } },
  rows: [["execution", "x-1", { elsewhere: { by: "peer-propagation" } }]],
};
const peers = [{ name: "b", node: "n-b", said: { disclosed: "outcome", id: "m-2", state: "done" } }];
const refuses = (code: string) => () => {
  throw new FaultError(fault(code, "it says no"));
};

test("asks this node and its peers at once, by an execution's id as well, and has all of it as JSON", async () => {
  node.answers({ "log.explain": () => explained, "peer.explain": () => ({ id: "m-1", state: "done", peers }) });
  const { code, out } = await node.capstan(["explain", "x-1"]);
  expect([code, out.split("\n").at(-2)]).toEqual([0, "  at b       done      n-b   m-2"]);
  expect([node.of("log.explain"), node.of("peer.explain")]).toEqual([[{ id: "m-1" }], [{ id: "m-1" }]]);
  expect(JSON.parse((await node.capstan(["explain", "m-1", "--json"])).out)).toEqual({ ...explained, peers });
});

test("says that peers could not be asked, where there was anything to ask of them", async () => {
  node.answers({ "log.explain": () => explained, "peer.explain": refuses("REFUSED") });
  expect((await node.capstan(["explain", "m-1"])).out).toEndWith("  peers      not asked  REFUSED: it says no\n");
  const { peersNotAsked } = JSON.parse((await node.capstan(["explain", "m-1", "--json"])).out);
  expect(peersNotAsked).toMatchObject({ code: "REFUSED" });
  for (const code of ["MESSAGE_UNKNOWN", "REFUSED"]) {
    node.answers({ "log.explain": () => ({ ...explained, rows: [] }), "peer.explain": refuses(code) });
    expect((await node.capstan(["explain", "m-1"])).out).toEndWith("  outcome    done      entry 4\n");
  }
});

test("is refused where the message may not be explained here, whatever peers would say", async () => {
  node.answers({ "log.explain": refuses("MESSAGE_NOT_FOUND"), "peer.explain": () => ({ peers }) });
  const { code, out, err } = await node.capstan(["explain", "m-1"]);
  expect([code, out, err]).toEqual([1, "", expect.stringMatching(/^MESSAGE_NOT_FOUND /)]);
});
