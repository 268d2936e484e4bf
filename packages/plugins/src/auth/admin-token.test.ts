// The first start's administrator: one credential in one file that only its owner reads, and its digest in the log.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryLog } from "@capstan/orchestrator";
import { faultFrom, NO_SESSION, scopeOf, startHub } from "../hub.fixture.ts";
import { ADMIN_TOKEN_FILE } from "./admin-token.ts";
import { connectionFromCli } from "./connection.ts";

const base = mkdtempSync(join(tmpdir(), "capstan-admin-"));
afterAll(() => rmSync(base, { recursive: true }));
let made = 0;
const directoryWith = (token?: string) => {
  const directory = mkdtempSync(join(base, `${made++}-`));
  const path = join(directory, ADMIN_TOKEN_FILE);
  if (token !== undefined) writeFileSync(path, token, { mode: 0o600 });
  return { directory, path };
};

describe("the first start", () => {
  test("makes one unlimited grant, for a credential in a file of mode 0600", async () => {
    const { directory, path } = directoryWith();
    const { hub, app } = await startHub({ directory });
    const token = readFileSync(path, "utf8").trim();
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const admin = await connectionFromCli.verify(token, hub.reader, NO_SESSION);
    expect(admin).toEqual({ principal: "admin", grant: "g-1" });
    await scopeOf(hub, admin as never).grant.create({ principal: "bob", allow: ["*"], delegable: true });
    const [first] = await hub.log.read(1, { limit: 1 });
    expect(first?.text).toContain('"message":"pipeline.adopt"');
    expect(first?.text).not.toContain(token);
    expect((await app.grant.list()).items).toHaveLength(2);
  });

  test("makes a grant that names anyone, as the node's own does", async () => {
    const { hub, app } = await startHub({ directory: directoryWith().directory });
    const admin = scopeOf(hub, { principal: "admin", grant: "g-1" });
    await app.grant.create({ principal: "bob", allow: ["log.head"] });
    await admin.principal.create({ name: "carol" });
    const made = await Promise.all([
      admin.grant.create({ principal: "bob", allow: ["log.head"] }),
      app.grant.create({ principal: "carol", allow: ["log.head"] }),
    ]);
    for (const one of made) await scopeOf(hub, one).log.head();
  });

  test("makes none where nothing is kept: whoever embeds it has the node's own authority", async () => {
    const { app } = await startHub();
    expect((await app.grant.list()).items).toEqual([]);
  });

  test("takes the token that the operator put there, and none that is too short", async () => {
    const kept = directoryWith("a token of the operator's own choosing\n");
    const { hub } = await startHub({ directory: kept.directory });
    expect(
      await connectionFromCli.verify("a token of the operator's own choosing", hub.reader, NO_SESSION),
    ).toMatchObject({
      grant: "g-1",
    });
    const short = directoryWith("short");
    expect(await faultFrom(startHub({ directory: short.directory }))).toMatchObject({ code: "CREDENTIAL_INVALID" });
  });
});

test("a later start, of another composition too, makes no second administrator", async () => {
  const { directory, path } = directoryWith();
  const log = memoryLog();
  const first = await startHub({ directory, log });
  const token = readFileSync(path, "utf8");
  await first.app.grant.revoke({ grant: "g-1" });
  const second = await startHub({ directory, log, protocols: [] });
  expect(readFileSync(path, "utf8")).toBe(token);
  expect((await second.app.grant.list()).items).toHaveLength(1);
  expect(await connectionFromCli.verify(token.trim(), second.hub.reader, NO_SESSION)).toMatchObject({
    code: "CREDENTIAL_INVALID",
  });
  const adopted = await second.app.log.list({ message: "pipeline.adopt" });
  expect(adopted.items).toHaveLength(2);
});
