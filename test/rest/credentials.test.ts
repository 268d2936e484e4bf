// Authority at this door: what a credential is worth with each request, and that who has none learns nothing and costs nothing.

import { afterEach, expect, test } from "bun:test";
import { digestOf, newSecret, startNode, stopNodes } from "../wire/node.ts";
import { ask, askRaw } from "./asking.ts";

afterEach(stopNodes);

test("who brings no credential, or a wrong one, is told that alone, whatever is asked", async () => {
  const node = await startNode();
  const { secret: revoked, grant } = await node.grant({ allow: ["*"] });
  await node.ask("grant", "revoke", { grant });
  const wrong = [newSecret(), revoked, node.admin.slice(0, -1), digestOf(node.admin), "node", "x".repeat(3000)];
  const added = await node.added(async () => {
    for (const path of ["/v1/log/head", "/v1/node/expire", "/v1/weather/forecast", "/v1"]) {
      const { status, body, headers } = await ask(node, "POST", path, { as: null, body: "{malformed" });
      expect([status, body.code]).toEqual([401, "UNAUTHENTICATED"]);
      expect(headers.get("www-authenticate")).toBe('Bearer realm="capstan"');
      expect(headers.get("cache-control")).toBe("no-store");
    }
    for (const as of wrong) {
      const { status, body, headers } = await ask(node, "GET", "/v1/log/head", { as });
      expect([status, body.code]).toEqual([401, "CREDENTIAL_INVALID"]);
      expect(headers.get("www-authenticate")).toBe('Bearer realm="capstan", error="invalid_token"');
      expect(JSON.stringify(body)).not.toContain(as);
    }
    for (const authorization of [`Basic ${node.admin}`, "Bearer", `Bearer ${node.admin} x`, node.admin]) {
      const { status, body } = await ask(node, "GET", "/v1/log/head", { as: null, headers: { authorization } });
      expect([status, body.code]).toEqual([401, "UNAUTHENTICATED"]);
    }
  });
  expect(added).toEqual([]);
  expect(
    (await ask(node, "GET", "/v1/log/head", { as: null, headers: { authorization: `bearer ${node.admin}` } })).status,
  ).toBe(200);
});

test("who is not known is answered before the body is read", async () => {
  const node = await startNode();
  // It announces more than it sends: an answer that waited for it would never come.
  const head = "POST /v1/log/head HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
  const { status } = await askRaw(node.url, `${head}\r\nContent-Length: 4000000\r\n\r\n{"a`);
  expect(status).toBe(401);
});

test("a grant that is revoked, spent or expired is refused from the next request on", async () => {
  const node = await startNode();
  const expires = node.clock + 60_000;
  const { secret, grant } = await node.grant({ allow: ["log.head"] });
  const { secret: brief } = await node.grant({ allow: ["log.head"], expires });
  const { secret: once } = await node.grant({ allow: ["principal.create"], uses: 1 });
  const head = async (as: string) => {
    const { status, body } = await ask(node, "GET", "/v1/log/head", { as });
    return [status, body.code];
  };
  expect([await head(secret), await head(brief)]).toEqual([
    [200, undefined],
    [200, undefined],
  ]);

  await node.ask("grant", "revoke", { grant });
  node.clock = expires;
  expect([await head(secret), await head(brief)]).toEqual([
    [401, "CREDENTIAL_INVALID"],
    [403, "GRANT_EXPIRED"],
  ]);

  const create = (name: string) => ask(node, "POST", "/v1/principal/create", { as: once, body: { name } });
  expect((await create("one")).status).toBe(200);
  const spent = await create("two");
  expect([spent.status, spent.body.code]).toEqual([403, "GRANT_SPENT"]);
  expect(node.rows()).not.toContain('"two"');
});

test("what the grant does not cover is 403, and says so", async () => {
  const node = await startNode();
  const { secret, grant } = await node.grant({ allow: ["log.head"] });
  const { status, body } = await ask(node, "GET", "/v1/log/list", { as: secret });
  expect([status, body.code]).toEqual([403, "REFUSED"]);
  expect(body.detail).toContain(`${grant} allows log.head; asked log.list`);
});

test("a grant that is made or redeemed here is told as what it is, without a scope", async () => {
  const node = await startNode();
  const sealed = newSecret();
  const made = await ask(node, "POST", "/v1/grant/attenuate", { body: { allow: ["log.head"] } });
  expect(made.body).toEqual({ principal: "admin", grant: expect.stringMatching(/^g-/) });
  await ask(node, "POST", "/v1/grant/seal", { body: { credential: digestOf(sealed) } });
  const redeemed = await ask(node, "POST", "/v1/grant/redeem", { body: { secret: sealed } });
  expect(Object.keys(redeemed.body).sort()).toEqual(["grant", "principal"]);
});

test("no secret is repeated, kept or logged, wherever it is put", async () => {
  const node = await startNode();
  const secret = newSecret();
  const told = await Promise.all([
    ask(node, "GET", "/v1/log/head", { as: secret }),
    ask(node, "GET", `/v1/log/head?access_token=${secret}`),
    ask(node, "GET", `/v1/log/head?limit=${secret}%`),
    ask(node, "POST", "/v1/grant/redeem", { body: { secret: [secret] } }),
    ask(node, "POST", "/v1/grant/redeem", { body: { secret } }),
    ask(node, "POST", "/v1/grant/redeem", { body: `{"secret":"${secret}` }),
    ask(node, "POST", "/v1/grant/redeem", { body: `{"secret":${secret}}` }),
    ask(node, "POST", "/v1/log/head", { headers: { "idempotency-key": `"${secret}` } }),
  ]);
  await node.added(async () => {});
  const entries = (await node.log.read(1)).map(({ text }) => text).join("\n");
  const everything = JSON.stringify([told.map(({ body }) => body), entries, node.rows(), node.lines]);
  expect(everything.includes(secret)).toBe(false);
  expect(everything.includes(digestOf(secret))).toBe(true);
});
