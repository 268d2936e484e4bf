// A canary for secrets (THREATS.md, "secrets"): whatever is done with a credential, rightly or wrongly, it stands in no entry, no
// row, no fault, no answer and no line of the node's log. Its digest does: without that the test would prove nothing.

import { afterEach, expect, test } from "bun:test";
import { digestOf, newSecret, startNode, stopNodes } from "./node.ts";
import { faultOf, post, RawSocket, type Remote, transportNames, transports } from "./session.ts";

afterEach(stopNodes);

test.each(transportNames)("over %s no credential and no sealed string is kept or told", async (transport) => {
  const node = await startNode();
  const [bearer, sealed, wrong, misplaced] = [newSecret(), newSecret(), newSecret(), newSecret()] as const;
  const told: unknown[] = [];
  /** What a call comes to, as its caller sees it. */
  const hear = async (call: PromiseLike<unknown>): Promise<void> => {
    told.push(await faultOf(call.then((value) => told.push(JSON.stringify(value)))));
  };
  const as = (secret: unknown): Remote => transports[transport](node.url).connectionFromCli(secret);

  await hear(
    as(node.admin).grant.create({ principal: "bob", allow: ["*"], credential: digestOf(bearer), delegable: true }),
  );
  await hear(as(bearer).log.head());
  await hear(as(bearer).grant.seal({ credential: digestOf(sealed) }));
  await hear(as(bearer).grant.redeem({ secret: sealed }));
  await hear(
    as(bearer).applyAction({ resource: "grant", action: "redeem", data: { secret: sealed } }, { key: "once" }),
  );
  await hear(as(bearer).grant.redeem({ secret: wrong }));
  await hear(as(wrong).log.head());
  await hear(as(sealed).log.list({ limit: 100 }));
  await hear(as(bearer).log.explain({ id: "m-absent" }));
  // Where they do not belong: a schema that quoted what it was given would tell them.
  await hear(as({ token: misplaced }).log.head());
  await hear(as([misplaced]).log.head());
  await hear(as(`${misplaced} `.repeat(20)).log.head());
  await hear(as(bearer).grant.redeem({ secret: [misplaced] }));
  await hear(as(bearer).grant.redeem({ secret: sealed, credential: misplaced }));
  await hear(as(bearer).grant.create({ principal: "carol", allow: ["*"], credential: `${misplaced}=` }));
  await hear(as(bearer).grant.seal({ credential: { secret: misplaced } }));
  await hear(as(bearer).grant.list());
  await hear(as(bearer).log.show({ entry: node.log.head }));
  await node.added(async () => {});

  const entries = (await node.log.read(1)).map(({ text }) => text).join("\n");
  for (const secret of [bearer, sealed, wrong]) expect(entries + node.rows()).toContain(digestOf(secret));
  expect(node.lines.join("")).toContain("grant.redeem");
  const everything = { entries, rows: node.rows(), lines: node.lines.join(""), told: JSON.stringify(told) };
  for (const [where, text] of Object.entries(everything)) {
    for (const secret of [node.admin, bearer, sealed, wrong, misplaced]) {
      expect({ where, found: text.includes(secret) }).toEqual({ where, found: false });
    }
  }
  // What a caller is told of grants holds no digest either: it would serve to try guesses on.
  expect(everything.told).not.toContain(digestOf(node.admin));
});

test("a frame that breaks the session is not repeated, whatever it holds", async () => {
  const node = await startNode();
  const secret = newSecret();
  const socket = await RawSocket.open(node.url);
  socket.send(`["push",["pipeline",0,["connectionFromCli"],["${secret}"`);
  const said = [JSON.stringify(await socket.ended()), JSON.stringify(socket.frames)];
  for (const body of [`{"token":"${secret}"`, `["${secret}"]`, `["push",["${secret}"]]`, `["abort","${secret}"]`])
    said.push(await (await post(node.url, body)).text());
  said.push(await (await fetch(`${node.url}/healthz`, { headers: { authorization: `Bearer ${secret}` } })).text());
  await node.added(async () => {});
  expect(said.join("") + node.lines.join("")).not.toContain(secret);
});
