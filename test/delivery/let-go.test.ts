// A callback over a real socket that is let go: it is told why, and the node keeps nothing of it.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Batch, credentialDigest } from "@capstan/plugins";
import { type NodeProcess, openSession, type Session, startNode } from "./node-process.ts";
import { TOPIC } from "./subscriber.ts";

let directory: string;
let node: NodeProcess;
let admin: Session;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "capstan-let-go-"));
  node = await startNode(directory);
  admin = openSession(node);
  await admin.scope.action.register({ name: "tick", protocol: "echo", idempotent: true });
});

afterAll(async () => {
  admin.close();
  await node.end();
  rmSync(directory, { recursive: true, force: true });
});

test("whose grant is revoked hears of it, though nothing is published", async () => {
  const token = Buffer.alloc(32, 9).toString("base64url");
  const { grant } = await admin.scope.grant.create({
    ...{ principal: "bob", allow: ["subscription"], credential: credentialDigest(token) },
  });
  const bob = openSession({ url: node.url, token });
  const ended = Promise.withResolvers<Batch>();
  const callback = (batch: Batch): void => {
    if (batch.ended !== undefined) ended.resolve(batch);
  };
  const { cursor } = await bob.scope.subscription.follow({ topic: TOPIC, callback });
  await admin.scope.grant.revoke({ grant });
  expect(await ended.promise).toMatchObject({
    ...{ publications: [], next: cursor, ended: { code: "GRANT_REVOKED", message: expect.stringContaining(grant) } },
  });
  bob.close();
});

test("that throws is told so, and the subscription is where it was", async () => {
  const { id } = await admin.scope.subscription.create({ topic: TOPIC });
  const ended = Promise.withResolvers<Batch>();
  const callback = (batch: Batch): void => {
    if (batch.ended === undefined) throw new Error("the ledger is full");
    ended.resolve(batch);
  };
  await admin.scope.subscription.follow({ id, callback });
  await admin.scope.action.perform({ name: "tick", input: { n: 1 } });
  expect((await ended.promise).ended).toMatchObject({ code: "FOLLOWER_FAILED" });
  expect(await admin.scope.subscription.show({ id })).toMatchObject({
    followed: false,
    left: { code: "FOLLOWER_FAILED" },
  });
  expect((await admin.scope.subscription.read({ id })).items).toMatchObject([{ data: { n: 1 } }]);
});
