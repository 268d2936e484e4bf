// Authority over the wire: what a credential is worth, how long, and that nobody makes a grant wider than their own. A scope that
// has lost its grant is refused from the next decision on, calls that were queued before included.

import { afterEach, expect, test } from "bun:test";
import type { Protocol } from "@capstan/plugins";
import { z } from "zod";
import { digestOf, newSecret, startNode, stopNodes } from "./node.ts";
import { codeOf, faultOf, RawSocket, type Remote, transportNames, transports } from "./session.ts";

afterEach(stopNodes);

const webSocket = transports.WebSocket;

test.each(transportNames)("over %s a wrong credential gets no scope, no entry, and no hint", async (transport) => {
  const node = await startNode();
  const { secret: revoked, grant } = await node.grant({ allow: ["*"] });
  await node.ask("grant", "revoke", { grant });
  const wrong = [newSecret(), revoked, node.admin.slice(0, -1), `${node.admin} `, digestOf(node.admin)];
  const added = await node.added(async () => {
    for (const secret of wrong) {
      const scope = transports[transport](node.url).connectionFromCli(secret);
      const [fault, other] = await Promise.all([
        faultOf(scope.log.head()),
        faultOf(scope.principal.create({ name: "bob" })),
      ]);
      expect([fault?.code, other?.code]).toEqual(["CREDENTIAL_INVALID", "CREDENTIAL_INVALID"]);
      expect(fault?.message).not.toContain(secret.trim());
    }
  });
  expect(added).toEqual([]);
});

test("a credential of no kind is MESSAGE_INVALID, and its session is still a stranger's", async () => {
  const node = await startNode();
  const session: Remote = webSocket(node.url);
  for (const input of [undefined, 1, "", { token: node.admin }, [node.admin], "x".repeat(300)])
    expect(await codeOf(session.connectionFromCli(input).log.head())).toMatch(/^MESSAGE_INVALID$|^SESSION_BUDGET$/);
});

test("a revoked credential: the live scope is refused, queued calls and derived grants included", async () => {
  const node = await startNode();
  const { grant, secret } = await node.grant({ allow: ["log.*", "grant.*", "principal.*"], delegable: true });
  const scope = webSocket(node.url).connectionFromCli(secret);
  const derived = newSecret();
  await scope.grant.create({ principal: "child", allow: ["log.*"], credential: digestOf(derived) });
  const child = webSocket(node.url).connectionFromCli(derived);
  const narrowed = scope.grant.attenuate({ allow: ["log.head"] }).scope;
  expect(await Promise.all([codeOf(child.log.head()), codeOf(narrowed.log.head())])).toEqual(["ok", "ok"]);

  // In one burst: what stands behind the revocation is refused, though it was sent before anyone was told.
  const own = await Promise.all([
    codeOf(scope.principal.create({ name: "before" })),
    codeOf(scope.grant.revoke({ grant })),
    codeOf(scope.principal.create({ name: "after" })),
    codeOf(scope.log.head()),
  ]);
  expect(own).toEqual(["ok", "ok", "GRANT_REVOKED", "GRANT_REVOKED"]);
  const others = [codeOf(child.log.head()), codeOf(narrowed.log.head()), codeOf(scope.log.list())];
  expect(await Promise.all(others)).toEqual(["GRANT_REVOKED", "GRANT_REVOKED", "GRANT_REVOKED"]);
  for (const old of [secret, derived]) {
    expect(await codeOf(webSocket(node.url).connectionFromCli(old).log.head())).toBe("CREDENTIAL_INVALID");
  }
  expect(node.rows()).toContain('"before"');
  expect(node.rows()).not.toContain('"after"');
});

test("a call that waits for another's result when the grant is revoked is refused when its turn comes", async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const started = Promise.withResolvers<void>();
  const waiting: Protocol = {
    name: "waiting",
    configSchema: z.strictObject({}),
    execute: () => {
      started.resolve();
      return promise;
    },
  };
  const node = await startNode({ protocols: [waiting] });
  await node.ask("action", "register", { name: "wait", protocol: "waiting" });
  const { grant, secret } = await node.grant({ allow: ["action.*", "principal.*"] });
  const scope = webSocket(node.url).connectionFromCli(secret);
  const first = scope.action.perform({ name: "wait" });
  const second = codeOf(scope.principal.create({ name: first.output }));
  const done = codeOf(first);
  await started.promise;
  await node.ask("grant", "revoke", { grant });
  resolve("bob");
  // What was accepted before goes on; what is decided after is refused.
  expect(await done).toBe("ok");
  expect(await second).toBe("GRANT_REVOKED");
  expect(node.rows()).not.toContain('"bob"');
});

test("a principal that is revoked loses every grant", async () => {
  const node = await startNode();
  const { secret } = await node.grant({ principal: "bob", allow: ["log.*"] });
  const scope = webSocket(node.url).connectionFromCli(secret);
  expect(await codeOf(scope.log.head())).toBe("ok");
  await node.ask("principal", "revoke", { name: "bob" });
  expect(await codeOf(scope.log.head())).toBe("GRANT_REVOKED");
  expect(await codeOf(webSocket(node.url).connectionFromCli(secret).log.head())).toBe("CREDENTIAL_INVALID");
});

test("an expired grant is refused from its instant on, and what was made under it with it", async () => {
  const node = await startNode();
  const expires = node.clock + 60_000;
  const { secret } = await node.grant({ allow: ["log.*", "grant.*"], expires, delegable: true });
  const scope = webSocket(node.url).connectionFromCli(secret);
  const child = scope.grant.attenuate({ allow: ["log.head"] }).scope;
  expect(await Promise.all([codeOf(scope.log.head()), codeOf(child.log.head())])).toEqual(["ok", "ok"]);
  node.clock = expires - 1;
  expect(await codeOf(scope.log.head())).toBe("ok");
  node.clock = expires;
  expect(await Promise.all([codeOf(scope.log.head()), codeOf(child.log.head())])).toEqual([
    "GRANT_EXPIRED",
    "GRANT_EXPIRED",
  ]);
  expect(await codeOf(webSocket(node.url).connectionFromCli(secret).log.head())).toBe("GRANT_EXPIRED");
});

test("a grant of two uses is good for two commands that were done; queries and refusals are free", async () => {
  const node = await startNode();
  const { secret } = await node.grant({ allow: ["principal.*", "log.head"], uses: 2 });
  const scope = webSocket(node.url).connectionFromCli(secret);
  const create = (name: string) => codeOf(scope.principal.create({ name }));
  expect(await create("one")).toBe("ok");
  expect(await create("one")).toBe("PRINCIPAL_EXISTS");
  expect(await codeOf(scope.log.head())).toBe("ok");
  // In one burst, so that a count which was read too early would let both pass.
  expect(await Promise.all([create("two"), create("three")])).toEqual(["ok", "GRANT_SPENT"]);
  expect(await codeOf(scope.log.head())).toBe("ok");
  expect(node.rows()).not.toContain('"three"');
});

test.each(transportNames)("over %s an attenuated scope works in the same burst, and is narrower", async (transport) => {
  const node = await startNode();
  const scope = transports[transport](node.url).connectionFromCli(node.admin);
  const made = scope.grant.attenuate({ allow: ["log.head", "grant.attenuate"], delegable: true });
  const narrower = made.scope.grant.attenuate({ allow: ["log.head"] });
  const codes = await Promise.all([
    codeOf(made.scope.log.head()),
    codeOf(made.scope.log.list()),
    codeOf(made.scope.principal.create({ name: "bob" })),
    codeOf(made.scope.grant.attenuate({ allow: ["*"] })),
    codeOf(narrower.scope.log.head()),
    codeOf(narrower.scope.grant.attenuate({ allow: ["log.head"] })),
    codeOf(scope.log.list()),
  ]);
  expect(codes).toEqual(["ok", "REFUSED", "REFUSED", "GRANT_WIDER", "ok", "REFUSED", "ok"]);
});

test("a sealed grant is redeemed by its string, by another principal's session too, and as what it is", async () => {
  const node = await startNode();
  const admin = webSocket(node.url).connectionFromCli(node.admin);
  const { grant } = await admin.grant.create({ principal: "bob", allow: ["log.head"] });
  const sealed = newSecret();
  expect(await admin.grant.seal({ grant, credential: digestOf(sealed) })).toMatchObject({ principal: "bob", grant });
  expect(await codeOf(admin.grant.seal({ grant, credential: digestOf(sealed) }))).toBe("CREDENTIAL_TAKEN");

  const { secret } = await node.grant({ principal: "carol", allow: ["grant.redeem"] });
  const carol = webSocket(node.url).connectionFromCli(secret);
  const redeemed = await carol.grant.redeem({ secret: sealed });
  expect(redeemed).toMatchObject({ principal: "bob", grant });
  expect(await Promise.all([codeOf(redeemed.scope.log.head()), codeOf(redeemed.scope.log.list())])).toEqual([
    "ok",
    "REFUSED",
  ]);
  expect(await codeOf(carol.log.head())).toBe("REFUSED");
  expect(await codeOf(carol.grant.redeem({ secret: newSecret() }))).toBe("CREDENTIAL_INVALID");
  // A bearer credential is no seal.
  expect(await codeOf(carol.grant.redeem({ secret: node.admin }))).toBe("CREDENTIAL_INVALID");

  await admin.grant.revoke({ grant });
  expect(await codeOf(redeemed.scope.log.head())).toBe("GRANT_REVOKED");
  expect(await codeOf(carol.grant.redeem({ secret: sealed }))).toBe("GRANT_REVOKED");
});

const own = {
  allow: ["action.perform:team/*", "grant.create", "grant.attenuate", "log.head"],
  read: ["team", "default"],
  write: ["team", "default"],
  expires: Date.parse("2030-06-01T00:00:00Z"),
  uses: 50,
  delegable: true,
};
const wider: Readonly<Record<string, object>> = {
  "any message": { allow: ["*"] },
  "another resource": { allow: ["principal.create"] },
  "another verb": { allow: ["log.*"] },
  "another name": { allow: ["action.perform:other/greet"] },
  "every name": { allow: ["action.perform"] },
  "a wider pattern of names": { allow: ["action.perform:te*"] },
  "one clause too many": { allow: ["log.head", "log.list"] },
  "every namespace to read": { allow: ["log.head"], read: ["*"] },
  "another namespace to read": { allow: ["log.head"], read: ["team", "other"] },
  "another namespace to write": { allow: ["log.head"], write: ["tea"] },
  "a later end": { allow: ["log.head"], expires: own.expires + 1 },
  "more uses": { allow: ["log.head"], uses: 51 },
};

test.each(Object.entries(wider))("a grant of %s is wider than one's own, and refused", async (_, asked) => {
  const node = await startNode();
  const { secret } = await node.grant(own);
  const scope = webSocket(node.url).connectionFromCli(secret);
  await scope.log.head();
  const before = node.rows();
  for (const call of [
    () => scope.grant.create({ principal: "caller", ...asked }),
    () => scope.grant.attenuate(asked),
  ]) {
    const added = await node.added(async () => expect(await codeOf(call())).toBe("GRANT_WIDER"));
    expect(added.map(({ header }) => header.verdict)).toEqual(["refused"]);
  }
  expect(node.rows()).toBe(before);
});

test("what a grant does not say it inherits, its right to be passed on excepted", async () => {
  const node = await startNode();
  const { secret } = await node.grant(own);
  const scope = webSocket(node.url).connectionFromCli(secret);
  const child = newSecret();
  const made = await scope.grant.create({
    principal: "bob",
    allow: ["log.head", "grant.create"],
    credential: digestOf(child),
  });
  const admin = webSocket(node.url).connectionFromCli(node.admin);
  const { items } = await admin.grant.list({ principal: "bob" });
  const { expires, read, write } = own;
  expect(items).toMatchObject([{ id: made.grant, expires, read, write, delegable: false }]);
  const bob = webSocket(node.url).connectionFromCli(child);
  expect(await codeOf(bob.grant.create({ principal: "bob", allow: ["log.head"] }))).toBe("GRANT_NOT_DELEGABLE");
});

test("nobody speaks for another principal, and the node's own grant comes from no wire", async () => {
  const node = await startNode();
  const scope = webSocket(node.url).connectionFromCli(node.admin);
  const forged = { resource: "log", action: "head", data: {}, principal: "node:n-embedded", grant: "node" };
  expect(await codeOf(scope.applyAction(forged))).toBe("MESSAGE_INVALID");
  expect(await codeOf(scope.grant.seal({ grant: "node", credential: digestOf(newSecret()) }))).toBe("MESSAGE_INVALID");
  expect(await codeOf(scope.grant.create({ principal: "node:n-embedded", allow: ["*"] }))).toBe("MESSAGE_INVALID");
  expect(await codeOf(webSocket(node.url).connectionFromCli("node").log.head())).toBe("CREDENTIAL_INVALID");
});

test("an idempotency key is its principal's own, and a narrower grant of the same principal gains nothing by it", async () => {
  const node = await startNode();
  const options = { key: "once" };
  const { secret: wide } = await node.grant({ principal: "bob", allow: ["grant.*", "log.*"], delegable: true });
  const { secret: narrow } = await node.grant({ principal: "bob", allow: ["grant.attenuate"], delegable: true });
  const { secret: other } = await node.grant({ principal: "carol", allow: ["grant.*", "log.*"], delegable: true });
  const attenuate = (secret: string) =>
    webSocket(node.url)
      .connectionFromCli(secret)
      .grant.attenuate({ allow: ["log.head"] }, options);
  const first = await attenuate(wide);
  expect(await attenuate(wide)).toMatchObject({ grant: first.grant });
  expect(await codeOf(attenuate(narrow))).toBe("GRANT_WIDER");
  expect((await attenuate(other)).grant).not.toBe(first.grant);
});

test("a scope is its session's own: its number means nothing in another", async () => {
  const node = await startNode();
  const first = await RawSocket.open(node.url);
  first.send(`["push",["pipeline",0,["connectionFromCli"],["${node.admin}"]]]`, '["pull",1]');
  await first.answer(1);
  const second = await RawSocket.open(node.url);
  second.send('["push",["pipeline",1,["log","head"],[]]]', '["pull",1]');
  expect(await second.ended()).toMatchObject({ code: "FRAME_INVALID" });
  first.close();
});

test("a grant attaches to what it could ask itself, and not to what another of its principal's asked", async () => {
  const node = await startNode();
  await node.ask("action", "register", { name: "secret/e", protocol: "echo" });
  const wide = await node.grant({ principal: "alice", allow: ["action.perform", "message.attach", "log.list"] });
  const narrow = await node.grant({ principal: "alice", allow: ["message.attach"] });
  const asked = webSocket(node.url).connectionFromCli(wide.secret);
  await asked.action.perform({ name: "secret/e", input: { text: "for her eyes" } });
  const { items } = await asked.log.list({ message: "action.perform" });
  const { id } = items[0];
  expect(await asked.message.attach({ id })).toMatchObject({ output: { text: "for her eyes" } });
  expect(await codeOf(webSocket(node.url).connectionFromCli(narrow.secret).message.attach({ id }))).toBe(
    "MESSAGE_NOT_FOUND",
  );
});
