// Peers and routes on the command line: how they are shown, and that nothing of what they are called moves a cursor.

import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { EVIL, evil } from "../remote/hostile-server.fixture.ts";
import { type Answer, accepts, askedNode, ESTABLISHED, IDENTITY, KEY } from "./asked-node.fixture.ts";

const node = askedNode();
afterAll(() => node[Symbol.asyncDispose]());
beforeEach(() => node.forget());

describe("a peer that there is", () => {
  test("is configured, stopped, started, asked again and removed", async () => {
    const named: Answer = ({ name }) => ({ name });
    const verbs = { "peer.configure": named, "peer.stop": named, "peer.start": named, "peer.resend": named };
    node.answers({ ...verbs, "peer.remove": named });
    expect(
      (await node.capstan(["peer", "configure", "osaka", "--export", "action:a", "--export", "action:b"])).out,
    ).toBe("configured osaka\n");
    // What is not said stays.
    expect(node.of("peer.configure")).toEqual([{ name: "osaka", export: accepts("action:a", "action:b") }]);
    for (const [verb, text] of [
      ["stop", "stopped osaka\n"],
      ["start", "started osaka\n"],
      ["refresh", "asked for its whole table: osaka\n"],
      ["resend", "asked for its whole table: osaka\n"],
      ["remove", "removed osaka\n"],
    ] as const)
      expect([verb, (await node.capstan(["peer", verb, "osaka"])).out]).toEqual([verb, text]);
    node.answers({ "peer.stop": ({ name }) => ({ name, pending: true }) });
    expect((await node.capstan(["peer", "stop", "osaka", "--wait", "0"])).out).toBe("stopping osaka\n");
  });

  test("is listed with what passes, or why nothing does", async () => {
    const items = [
      { ...ESTABLISHED, since: Date.now() - 9_000_000 },
      { name: "osaka", state: "invited", invite: { expires: Date.UTC(2126, 0, 1) } },
      { name: "quito", state: "invited", invite: { expires: Date.UTC(2001, 0, 1) } },
      { name: "lima", node: "n-3", state: "idle", reason: "nobody answers there" },
      { name: "cusco", node: "n-4", state: "stopping", stopping: { until: Date.UTC(2126, 0, 1), inFlight: 2 } },
    ];
    node.answers({ "peer.list": () => ({ items }) });
    expect((await node.capstan(["peer", "list"])).out).toBe(
      [
        "berlin  n-7f3a  berlin  established  in 1 (0 filtered)  out 2  for 2 h 30 min",
        "osaka                   invited                                until 2126-01-01T00:00:00Z",
        "quito                   invited                                expired 2001-01-01T00:00:00Z: remove it, and invite anew",
        "lima    n-3             idle                                   nobody answers there",
        "cusco   n-4             stopping                               2 in flight, until 2126-01-01T00:00:00Z",
        "",
      ].join("\n"),
    );
  });

  test("is told of where its grant is of an earlier version, and what to do", async () => {
    const lacks = ["action.recall", "peer.explain"];
    node.answers({
      "peer.list": () => ({ items: [{ name: "lima", node: "n-3", state: "active", lacks }] }),
      "peer.show": () => ({ name: "lima", node: "n-3", state: "active", lacks }),
    });
    expect((await node.capstan(["peer", "list"])).out).toEndWith("outdated grant: capstan peer show says what to do\n");
    expect((await node.capstan(["peer", "show", "lima"])).out).toEndWith(
      "lacks    action.recall, peer.explain: its grant is of an earlier version; capstan peer configure lima\n",
    );
  });

  test("has a grant whose list tells its own clauses", async () => {
    const every = ["peer.open", "witness.prove", "action.recall"];
    const grant = (id: string, ...own: string[]) => ({ id, principal: "peer.berlin", allow: [...every, ...own] });
    const items = [grant("g-2"), grant("g-3", "action.perform:greet"), { ...grant("g-4"), principal: "peer" }];
    node.answers({ "grant.list": () => ({ items }) });
    expect((await node.capstan(["grant", "list"])).out).toBe(
      [
        "g-2  peer.berlin  nothing but what every peer may",
        "g-3  peer.berlin  action.perform:greet, and what every peer may",
        "g-4  peer         peer.open, witness.prove, action.recall",
        "",
      ].join("\n"),
    );
    expect(JSON.parse((await node.capstan(["--json", "grant", "list"])).out)).toEqual({ items });
  });

  test("is shown with its policies, and without a secret", async () => {
    const clause = { name: "a", then: "accept", match: { routes: ["action:greet"], maxPathLength: 2 }, unowned: true };
    node.answers({
      "peer.show": () => ({
        ...{ name: "lima", node: "n-3", domain: "lima", state: "idle", in: 2, filtered: 1, out: 0, grant: "g-4" },
        ...{ reason: "nobody answers there", reasonAt: 0, retryAt: 1000, keys: [KEY], address: "https://lima:1" },
        ...{ secrets: [{ secret: "file:peers/lima.secret" }], allow: ["peer.open", "action.perform:greet"] },
        ...{ import: { clauses: [clause] }, export: { clauses: [] }, disclose: "outcome" },
        ...{ heard: { seq: 4, digest: "h4" }, told: { seq: 2, digest: "t2" } },
        calls: 1200,
        log: { state: "forked", size: 9, entry: 7, why: "two logs of one size" },
      }),
    });
    expect((await node.capstan(["peer", "show", "lima"])).out).toBe(
      [
        "peer     lima  n-3  of domain lima",
        "state    idle",
        "routes   in 2 (1 filtered)   out 0",
        "calls    1,200 of it are not over",
        "last     nobody answers there  1970-01-01T00:00:00Z",
        "again    1970-01-01T00:00:01Z",
        "log      forked at entry 7: two logs of one size",
        "heard    updates to 4  h4",
        "told     updates to 2  t2",
        "address  https://lima:1",
        `key      ${KEY}`,
        "secret   file:peers/lima.secret",
        "import   accept action:greet where maxPathLength 2 (also what nobody owns)",
        "export   nothing",
        "explain  is told the code, and which plugin",
        "may      g-4  action.perform:greet",
        "",
      ].join("\n"),
    );
  });

  test("is told what this node is to it", async () => {
    const { out } = await node.capstan(["peer", "identity"]);
    expect(out).toBe(`node    n-here  here\ndomain  here\nkey     ${KEY}\n`);
  });

  test("has nothing to do for what only peers say, and no secret goes on a command line", async () => {
    for (const verb of ["open", "update", "keepalive", "endOfTable", "notify", "close", "keep"]) {
      expect((await node.capstan(["peer", verb, "x"])).err).toStartWith(`USAGE_INVALID  unknown command "${verb}"`);
    }
  });
});

describe("routes", () => {
  const direct = { route: "action:greet", peer: "berlin", path: ["berlin"], origin: "n-7f3a", originDomain: "berlin" };
  const far = { ...direct, peer: "lima", path: ["lima", "berlin"], localPreference: 50, tags: ["far"], stale: true };
  const filtered = (why: string, by: string) => ({ ...direct, filtered: { why, by } });

  test("are told apart where a letter only looks like another", async () => {
    const route = "action:gr\u0435et\u{1f600}";
    const paths = [{ ...direct, best: true }];
    node.answers({ "route.list": () => ({ items: [{ ...direct, route }] }), "route.show": () => ({ route, paths }) });
    const shown = "action:gr\\u0435et\\ud83d\\ude00";
    expect((await node.capstan(["route", "list"])).out).toStartWith(`${shown}  via berlin`);
    expect((await node.capstan(["route", "show", route])).out).toStartWith(`${shown}\n`);
  });

  test("are listed with over whom they are reached, and what filtered them", async () => {
    const items = [
      { route: "action:own", path: [], origin: "n-here" },
      ...[direct, far, filtered("import-policy", "default"), filtered("import-policy", "no secrets")],
      ...[filtered("not-the-owner", "n-9"), filtered("loop", "osaka"), filtered("path-too-long", "8")],
      ...[filtered("unowned", ""), filtered("old-epoch", "7")],
    ];
    node.answers({ "route.list": () => ({ items }) });
    const { out } = await node.capstan(["route", "list", "--peer", "berlin", "--filtered"]);
    expect(node.of("route.list")).toEqual([{ peer: "berlin", filtered: true }]);
    expect(out.split("\n").map((line) => line.replace(/^action:greet {2}/, ""))).toEqual([
      "action:own    here",
      "via berlin  berlin",
      "via lima    lima berlin  tags far   stale",
      "via berlin  berlin       filtered: import-policy, no clause accepts it",
      'via berlin  berlin       filtered: import-policy, clause "no secrets"',
      "via berlin  berlin       filtered: not-the-owner, which is n-9",
      "via berlin  berlin       filtered: loop, osaka is in its path",
      "via berlin  berlin       filtered: path-too-long, the limit is 8",
      "via berlin  berlin       filtered: unowned",
      "via berlin  berlin       filtered: old-epoch, 7",
      "",
    ]);
  });

  test("have owners", async () => {
    const owners = [{ routes: ["action:pay.*", "action:bill"], node: "n-treasury", keys: [KEY] }];
    node.answers({ "route.owners": () => ({ owners }), "route.own": () => ({ owners: 1 }) });
    expect((await node.capstan(["route", "owners"])).out).toBe(`n-treasury  action:pay.*, action:bill  ${KEY}\n`);
    expect((await node.capstan(["route", "own", "--owners", JSON.stringify(owners)])).out).toBe("1 owner\n");
    expect(node.of("route.own")).toEqual([{ owners }]);
  });

  test("are shown with all ways, the best first", async () => {
    const paths = [{ ...direct, best: true }, far, filtered("damped", "")];
    node.answers({ "route.show": () => ({ route: "action:greet", paths }) });
    expect((await node.capstan(["route", "show", "action:greet"])).out).toBe(
      [
        "action:greet",
        "  best  via berlin  berlin       origin n-7f3a",
        "  2     via lima    lima berlin  origin n-7f3a  preference 50  tags far   stale",
        "  -     via berlin  berlin       origin n-7f3a                 filtered: damped",
        "",
      ].join("\n"),
    );
    node.answers({ "route.show": () => ({ route: "action:nope", paths: [] }) });
    expect((await node.capstan(["route", "show", "action:nope"])).out).toBe("action:nope  no way to it\n");
    node.answers({ "route.show": () => ({ route: "nope", paths: [] }) });
    const bare = await node.capstan(["route", "show", "nope"]);
    expect(bare.out).toBe("nope  no way to it; the route of an action is action:nope\n");
  });
});

test("what a peer, or a node, is called cannot move a cursor or pretend to be a line", async () => {
  const items = [evil(ESTABLISHED), evil({ name: "a", state: "idle", reason: "x" })];
  const routes = [evil({ route: "r", peer: "p", path: ["a"], filtered: { why: "w", by: "b" }, tags: ["t"] })];
  node.answers({
    "peer.list": () => ({ items }),
    "peer.show": () =>
      evil({ ...ESTABLISHED, state: "", keys: ["k"], import: { clauses: [{ then: "t", name: "n" }] } }),
    "route.list": () => ({ items: routes }),
    "route.show": () => ({ route: evil("r"), paths: routes }),
    "peer.identity": () => ({ ...IDENTITY, name: EVIL }),
    "peer.stop": () => ({ name: EVIL }),
  });
  for (const words of [
    ["peer", "list"],
    ["peer", "identity"],
    ["peer", "show", "x"],
    ["peer", "stop", "x"],
    ["peer", "invite", "x", "--out", "i"],
    ["route", "list"],
    ["route", "show", "action:x"],
  ]) {
    const { code, out, err } = await node.capstan(words);
    expect([words, code]).toEqual([words, 0]);
    for (const line of (out + err).split("\n")) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|^FORGED/u);
  }
});
