// Principals and grants as messages: made, narrowed, presented, used up and ended, and what then is refused.

import { describe, expect, test } from "bun:test";
import { FaultError } from "@capstan/orchestrator";
import { faultFrom, granted, type Hub, NO_SESSION, NOON, scopeOf, startHub } from "../hub.fixture.ts";
import { connectionFromCli } from "./connection.ts";
import { credentialDigest } from "./credential.ts";

const sha256 = credentialDigest;
const SECRET = "0123456789abcdef0123456789abcdef";
const PLAIN = { protocol: "echo" } as const;

async function verified(hub: Hub, secret: string) {
  const found = await connectionFromCli.verify(secret, hub.reader, NO_SESSION);
  if ("code" in found) throw new FaultError(found);
  return found;
}

describe("a principal", () => {
  test("is made once, listed by pages, and with it end its grants and all made under them", async () => {
    const { hub, app } = await startHub();
    for (const name of ["carol", "bob", "alice"]) await app.principal.create({ name });
    expect(await faultFrom(app.principal.create({ name: "bob" }))).toMatchObject({ code: "PRINCIPAL_EXISTS" });
    const page = await app.principal.list({ limit: 2 });
    expect(page).toMatchObject({ items: [{ name: "alice" }, { name: "bob", by: "app", at: NOON }], next: "bob" });
    expect(await app.principal.list({ after: "bob" })).toMatchObject({ items: [{ name: "carol" }] });

    const bob = await granted(hub, { principal: "bob", allow: ["*"], delegable: true });
    const eve = scopeOf(hub, await bob.scope.grant.create({ principal: "eve", allow: ["principal.list"] }));
    await eve.principal.list();
    await app.principal.revoke({ name: "bob" });
    expect(await faultFrom(bob.scope.log.head())).toMatchObject({ code: "GRANT_REVOKED" });
    expect(await faultFrom(eve.principal.list())).toMatchObject({
      code: "GRANT_REVOKED",
      message: `g-3 was made under ${bob.id}, which is of bob, who was revoked`,
    });
    expect(await faultFrom(app.grant.create({ principal: "bob", allow: ["*"] }))).toMatchObject({
      code: "GRANT_REVOKED",
    });
    expect(await faultFrom(app.principal.revoke({ name: "bab" }))).toMatchObject({ code: "PRINCIPAL_UNKNOWN" });
  });
});

describe("a grant", () => {
  test("is all that its holder may do; what is refused is recorded, with the clause", async () => {
    const { hub, app } = await startHub();
    await app.action.register({ name: "greet", ...PLAIN });
    const { id, scope } = await granted(hub, { principal: "bob", allow: ["action.perform:greet"] });
    expect(await scope.action.perform({ name: "greet", input: 1 })).toMatchObject({ output: 1 });
    const refused = await faultFrom(scope.action.remove({ name: "greet" }));
    expect(refused).toMatchObject({
      code: "REFUSED",
      message: `${id} allows action.perform:greet; asked action.remove:greet`,
    });
    expect(await app.log.explain({ id: refused.id as string })).toMatchObject({
      principal: "bob",
      verdict: "refused",
      rows: [],
      plugins: [
        { plugin: "auth", verdict: "refused", clause: 'clause 1: verb "remove" is not "perform"' },
        { plugin: "registry", verdict: "not reached" },
        { plugin: "dead-letter", verdict: "not reached" },
        { plugin: "executor", verdict: "not reached" },
        { plugin: "publisher", verdict: "not reached" },
        { plugin: "ledger", verdict: "not reached" },
      ],
    });
  });

  test("belongs to its principal: nobody else acts under it", async () => {
    const { hub } = await startHub();
    const { id } = await granted(hub, { principal: "bob", allow: ["*"] });
    expect(await faultFrom(scopeOf(hub, { principal: "eve", grant: id }).log.head())).toMatchObject({
      code: "GRANT_UNKNOWN",
    });
    expect(await faultFrom(scopeOf(hub, { principal: "eve", grant: "g-99" }).log.head())).toMatchObject({
      code: "GRANT_UNKNOWN",
    });
  });

  test("is over when it expires, to the millisecond", async () => {
    const { hub, clock } = await startHub();
    const { scope } = await granted(hub, { principal: "bob", allow: ["log.head"], expires: NOON + 1000 });
    clock.advance(999);
    await scope.log.head();
    clock.advance(1);
    expect(await faultFrom(scope.log.head())).toMatchObject({
      code: "GRANT_EXPIRED",
      message: "g-2 expired at 2026-03-01T12:00:01.000Z; ask for another",
    });
  });

  test("is used up by commands alone, by those that went through, along its whole line", async () => {
    const { hub, app } = await startHub();
    await app.action.register({ name: "greet", ...PLAIN });
    const bob = await granted(hub, { principal: "bob", allow: ["*"], uses: 3, delegable: true });
    const eve = scopeOf(hub, await bob.scope.grant.create({ principal: "eve", allow: ["action.*"] })); // one
    await eve.action.describe({ name: "greet" });
    expect(await faultFrom(eve.action.perform({ name: "gret" }))).toMatchObject({ code: "ACTION_UNKNOWN" });
    await eve.action.perform({ name: "greet" }); // two
    await bob.scope.action.perform({ name: "greet" }); // three
    expect(await faultFrom(eve.action.perform({ name: "greet" }))).toMatchObject({
      code: "GRANT_SPENT",
      message: "g-2 was good for a number of commands, and they were made",
    });
    await eve.action.describe({ name: "greet" });
  });

  test("is not used up by a repeat: the same key gives the same answer, of what the plugin itself decides too", async () => {
    const { hub } = await startHub();
    const bob = await granted(hub, { principal: "bob", allow: ["*"], uses: 2, delegable: true });
    const create = () => bob.scope.principal.create({ name: "eve" }, { key: "k-1" });
    const [first, second] = [await create(), await create()];
    expect(second).toEqual(first);
    await bob.scope.principal.create({ name: "mal" });
    expect(await create()).toEqual(first);
    expect(await faultFrom(bob.scope.principal.create({ name: "eve" }))).toMatchObject({ code: "GRANT_SPENT" });
  });

  test("reads and writes in its namespaces alone", async () => {
    const { hub, app } = await startHub();
    for (const name of ["greet", "team/a", "team/sub/b", "teams/c"]) await app.action.register({ name, ...PLAIN });
    const { scope } = await granted(hub, { principal: "bob", allow: ["*"], read: ["team"], write: ["team/sub"] });
    const { items } = await scope.action.list();
    expect(items.map(({ name }) => name)).toEqual(["team/a", "team/sub/b"]);
    await scope.action.perform({ name: "team/sub/b" });
    expect(await faultFrom(scope.action.perform({ name: "team/a" }))).toMatchObject({ code: "NAMESPACE_REFUSED" });
    expect(await faultFrom(scope.action.describe({ name: "greet" }))).toMatchObject({ code: "NAMESPACE_REFUSED" });
  });
});

describe("passing on", () => {
  test("attenuate makes a narrower grant of one's own, and nothing wider", async () => {
    const { hub, app } = await startHub();
    await app.action.register({ name: "greet", ...PLAIN });
    const bob = await granted(hub, { principal: "bob", allow: ["action.*", "grant.*"], delegable: true });
    const narrow = await bob.scope.grant.attenuate({ allow: ["action.perform:greet"] });
    expect(narrow).toEqual({ principal: "bob", grant: "g-3" });
    await scopeOf(hub, narrow).action.perform({ name: "greet" });
    expect(await faultFrom(scopeOf(hub, narrow).action.list())).toMatchObject({ code: "REFUSED" });
    expect(await faultFrom(bob.scope.grant.attenuate({ allow: ["log.*"] }))).toMatchObject({
      code: "GRANT_WIDER",
      message: 'allow: "log.*" is wider than g-2, which allows action.*, grant.*',
    });
    expect(await faultFrom(bob.scope.grant.create({ principal: "eve", allow: ["*"] }))).toMatchObject({
      code: "GRANT_WIDER",
    });
    const still = await granted(hub, { principal: "carol", allow: ["*"] });
    expect(await faultFrom(still.scope.grant.attenuate({ allow: ["log.list"] }))).toMatchObject({
      code: "GRANT_NOT_DELEGABLE",
    });
  });

  test("names oneself, whom one made and who is new; a grant as somebody else is wider than one's own", async () => {
    const { hub, app } = await startHub();
    await app.principal.create({ name: "carol" });
    const bob = await granted(hub, {
      principal: "bob",
      allow: ["grant.*", "principal.*", "log.head"],
      delegable: true,
    });
    const create = (principal: string, scope = bob.scope) =>
      scope.grant.create({ principal, allow: ["grant.create", "log.head"], delegable: true });
    expect(await faultFrom(create("carol"))).toMatchObject({
      code: "GRANT_WIDER",
      message: "principal: g-2 names no one but bob and whom they made",
    });
    await create("bob");
    const eve = scopeOf(hub, await create("eve"));
    await create("eve");
    await bob.scope.principal.create({ name: "dan" });
    await create("dan");
    // What bob may name is not eve's to name.
    for (const name of ["bob", "dan"])
      expect(await faultFrom(create(name, eve))).toMatchObject({ code: "GRANT_WIDER" });
    // Nor is the maker of carol, who has no row: as "app", bob could name all whom "app" made.
    expect(await faultFrom(create("app"))).toMatchObject({ code: "GRANT_WIDER" });
    expect(await faultFrom(bob.scope.principal.create({ name: "app" }))).toMatchObject({ code: "PRINCIPAL_EXISTS" });
  });

  test("a scope that was narrowed by `may` passes on no more than that", async () => {
    const { hub } = await startHub();
    const { id } = await granted(hub, { principal: "bob", allow: ["*"], delegable: true });
    const held = scopeOf(hub, { principal: "bob", grant: id, may: ["grant.*", "log.head"] });
    await held.log.head();
    expect(await faultFrom(held.log.list())).toMatchObject({
      code: "REFUSED",
      message: "it may ask for grant.*, log.head here; asked log.list",
    });
    expect(await faultFrom(held.grant.attenuate({ allow: ["log.list"] }))).toMatchObject({ code: "GRANT_WIDER" });
    await held.grant.attenuate({ allow: ["log.head"] });
    expect(await faultFrom(held.grant.seal({ credential: sha256(SECRET) }))).toMatchObject({
      code: "GRANT_NOT_DELEGABLE",
    });
  });

  test("a sealed string gives the scope back to whoever may redeem, until the grant is revoked", async () => {
    const { hub, app } = await startHub();
    const bob = await granted(hub, { principal: "bob", allow: ["log.head", "grant.seal"], delegable: true });
    const eve = await granted(hub, { principal: "eve", allow: ["grant.redeem"] });
    expect(await bob.scope.grant.seal({ credential: sha256(SECRET) })).toEqual({ principal: "bob", grant: bob.id });
    const redeemed = await eve.scope.grant.redeem({ secret: SECRET });
    expect(redeemed).toEqual({ principal: "bob", grant: bob.id });
    await scopeOf(hub, redeemed).log.head();
    expect(await faultFrom(eve.scope.grant.redeem({ secret: `${SECRET}x` }))).toMatchObject({
      code: "CREDENTIAL_INVALID",
    });
    expect(await faultFrom(bob.scope.grant.seal({ credential: sha256(SECRET) }))).toMatchObject({
      code: "CREDENTIAL_TAKEN",
    });
    await app.grant.revoke({ grant: bob.id });
    expect(await faultFrom(eve.scope.grant.redeem({ secret: SECRET }))).toMatchObject({ code: "GRANT_REVOKED" });
  });

  test("only what was made under one's own is sealed or revoked", async () => {
    const { hub } = await startHub();
    const bob = await granted(hub, { principal: "bob", allow: ["*"], delegable: true });
    const eve = await granted(hub, { principal: "eve", allow: ["*"], delegable: true });
    for (const call of [
      () => bob.scope.grant.revoke({ grant: eve.id }),
      () => bob.scope.grant.seal({ grant: eve.id, credential: sha256(SECRET) }),
    ]) {
      expect(await faultFrom(call)).toMatchObject({ code: "GRANT_UNKNOWN" });
    }
    const under = await eve.scope.grant.create({ principal: "dan", allow: ["log.head"] });
    await eve.scope.grant.seal({ grant: under.grant, credential: sha256(SECRET) });
  });

  test("revoking ends what was made under it as well, and says how much that is", async () => {
    const { hub, app } = await startHub();
    const bob = await granted(hub, { principal: "bob", allow: ["*"], delegable: true });
    const other = await granted(hub, { principal: "dan", allow: ["log.head"] });
    const narrow = await bob.scope.grant.attenuate({ allow: ["log.*", "grant.*"], delegable: true });
    const eve = scopeOf(hub, await scopeOf(hub, narrow).grant.create({ principal: "eve", allow: ["log.head"] }));
    await eve.log.head();
    expect(await app.grant.revoke({ grant: bob.id })).toEqual({ grant: bob.id, derived: 2 });
    expect(await faultFrom(eve.log.head())).toMatchObject({ code: "GRANT_REVOKED" });
    await other.scope.log.head();
  });
});

describe("a credential", () => {
  test("is known by its digest alone, and shown by nothing", async () => {
    const { hub, app } = await startHub();
    await app.grant.create({ principal: "bob", allow: ["log.head"], credential: sha256(SECRET) });
    expect(await verified(hub, SECRET)).toEqual({ principal: "bob", grant: "g-2" });
    expect(await connectionFromCli.verify(`${SECRET}x`, hub.reader, NO_SESSION)).toMatchObject({
      code: "CREDENTIAL_INVALID",
    });
    expect(JSON.stringify(await app.grant.list())).not.toContain(sha256(SECRET));
    const admin = await granted(hub, { principal: "admin", allow: ["*"], delegable: true });
    const under = await admin.scope.grant.create({ principal: "eve", allow: ["log.head"] });
    await admin.scope.grant.seal({ grant: under.grant, credential: sha256("another secret, long enough") });
    await app.grant.redeem({ secret: "another secret, long enough" });
    const entries = await hub.log.read(1);
    expect(entries.length).toBeGreaterThan(3);
    for (const { text } of entries) expect(text).not.toContain("long enough");
    await app.grant.revoke({ grant: "g-2" });
    expect(await connectionFromCli.verify(SECRET, hub.reader, NO_SESSION)).toMatchObject({
      code: "CREDENTIAL_INVALID",
    });
  });

  test("is taken once", async () => {
    const { app } = await startHub();
    await app.grant.create({ principal: "bob", allow: ["log.head"], credential: sha256(SECRET) });
    expect(
      await faultFrom(app.grant.create({ principal: "eve", allow: ["log.head"], credential: sha256(SECRET) })),
    ).toMatchObject({ code: "CREDENTIAL_TAKEN" });
  });

  test("that is no digest, and a clause that is none, are refused at the edge", async () => {
    const { hub, app } = await startHub();
    const { head } = hub.log;
    for (const data of [
      { principal: "bob", allow: ["log.head"], credential: SECRET },
      { principal: "bob", allow: ["no clause"] },
      { principal: "bob", allow: [] },
      { principal: "b\nob", allow: ["*"] },
      { principal: "bob", allow: ["*"], grant: "node" },
    ]) {
      expect(await faultFrom(() => app.grant.create(data))).toMatchObject({ code: "MESSAGE_INVALID" });
    }
    expect(hub.log.head).toBe(head);
  });
});

describe("lists", () => {
  test("of grants go by number, by pages and by principal", async () => {
    const { hub, app } = await startHub();
    for (let i = 0; i < 10; i++) await granted(hub, { principal: i % 2 ? "eve" : "bob", allow: ["log.head"] });
    const first = await app.grant.list({ limit: 9 });
    expect(first.items.map((one) => (one as { id: string }).id).slice(-2)).toEqual(["g-9", "g-10"]);
    expect(await app.grant.list({ after: first.next as string })).toMatchObject({ items: [{ id: "g-11" }] });
    expect((await app.grant.list({ principal: "eve" })).items).toHaveLength(5);
  });
});

describe("an embedded scope", () => {
  test("has the node's own authority, narrowed to what it names", async () => {
    const { hub, app } = await startHub();
    await app.action.register({ name: "greet", ...PLAIN });
    using me = await hub.scope({ principal: "me", allow: ["action.perform:greet"] });
    expect(await me.action.perform({ name: "greet", input: 1 })).toMatchObject({ output: 1 });
    expect(await faultFrom(me.log.head())).toMatchObject({ code: "REFUSED" });
    using none = await hub.scope({ principal: "none", allow: [] });
    expect(await faultFrom(none.log.head())).toMatchObject({
      code: "REFUSED",
      message: "it may ask for nothing here; asked log.head",
    });
  });
});
