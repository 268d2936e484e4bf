// Names of other nodes, and the node's own: nobody becomes one of them by a grant or a credential that somebody makes.

import { describe, expect, test } from "bun:test";
import { FaultError } from "@capstan/orchestrator";
import { faultFrom, NO_SESSION, startHub } from "../hub.fixture.ts";
import { auth } from "./auth.ts";
import { connectionFromCli } from "./connection.ts";
import { credentialDigest } from "./credential.ts";
import { credentialTable, type GrantRow, grantTable, isReserved } from "./schema.ts";

const SECRET = "0123456789abcdef0123456789abcdef";
const RESERVED = {
  code: "PRINCIPAL_RESERVED",
  message:
    '"peer.berlin": names that begin with "peer." are those of peers; peer.add and peer.invite give them what they may',
};

describe("a name of a peer's", () => {
  test("is made, and given a grant or a credential, by nobody", async () => {
    const { app } = await startHub();
    const grant = { principal: "peer.berlin", allow: ["log.head"] };
    expect(await faultFrom(app.principal.create({ name: "peer.berlin" }))).toMatchObject(RESERVED);
    expect(await faultFrom(app.grant.create(grant))).toMatchObject(RESERVED);
    const credential = credentialDigest(SECRET);
    expect(await faultFrom(app.grant.create({ ...grant, credential }))).toMatchObject(RESERVED);
    expect([(await app.grant.list({})).items, (await app.principal.list({})).items]).toEqual([[], []]);
  });

  test("passes nothing on, whoever holds its scope", async () => {
    const { hub } = await startHub();
    using peer = await hub.scope({ principal: "peer.berlin", allow: ["*"] });
    expect(await faultFrom(peer.grant.attenuate({ allow: ["log.head"] }))).toMatchObject(RESERVED);
  });

  test("is not taken for one by what only looks like it", async () => {
    const { app } = await startHub();
    for (const name of ["peers.berlin", "peer", "peer-berlin", "Peer.berlin", "my.peer.berlin"])
      expect(await app.grant.create({ principal: name, allow: ["log.head"] })).toMatchObject({ principal: name });
    expect(isReserved("peer.")).toBe(true);
  });

  test("has no string that presents what it was lent, and one that was made before presents nothing", async () => {
    const lent: GrantRow = {
      ...{ id: "g-2", principal: "peer.berlin", parent: "node", allow: ["peer.update"], read: ["*"], write: ["*"] },
      ...{ delegable: true, by: "app", at: 0 },
    };
    const rows = new Map<unknown, unknown>([
      [credentialTable, { grant: "g-2", kind: "bearer", at: 0 }],
      [grantTable, lent],
    ]);
    const reader = { get: (table: unknown) => rows.get(table) };
    expect(await connectionFromCli.verify(SECRET, reader as never, NO_SESSION)).toMatchObject({
      code: "CREDENTIAL_INVALID",
    });
    rows.set(grantTable, { ...lent, principal: "berlin" });
    expect(await connectionFromCli.verify(SECRET, reader as never, NO_SESSION)).toMatchObject({ grant: "g-2" });
  });

  test("is not the administrator's", () => {
    let thrown: unknown;
    try {
      auth({ admin: "peer.admin" });
    } catch (one) {
      thrown = one;
    }
    expect(thrown).toBeInstanceOf(FaultError);
    expect(thrown).toMatchObject({ code: "COMPOSITION_INVALID" });
  });
});

test("the node's own name is none that anybody could be given", async () => {
  const { app } = await startHub();
  for (const name of ["node:n-1", "node:"])
    expect(await faultFrom(app.grant.create({ principal: name, allow: ["log.head"] }))).toMatchObject({
      code: "MESSAGE_INVALID",
    });
});

test("what lends such a name is the node's own message", async () => {
  const { app } = await startHub();
  const lend = { resource: "grant", action: "lend", data: {} };
  expect(app.grant).not.toHaveProperty("lend");
  expect(await faultFrom(app.applyAction(lend as never))).toMatchObject({ code: "MESSAGE_INTERNAL" });
});
