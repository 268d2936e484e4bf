// What an operator may hand to backup and restore that they must not take: each ends with a fault and a code of its own, and
// leaves everything as it was.

import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { formatVerifierKey } from "@capstan/orchestrator";
import { OperatedNode } from "./operated-node.ts";

setDefaultTimeout(60_000);

let node: OperatedNode;
beforeAll(async () => {
  node = await OperatedNode.start();
  for (let i = 0; i < 3; i++) await node.ran("perform", "echo", JSON.stringify("x".repeat(50_000)));
  await node.ran("backup", "good.backup");
});
afterAll(() => node[Symbol.asyncDispose]());

let count = 0;
/** A copy of the backup, spoilt. */
function spoilt(spoil: (path: string) => void): string {
  const path = node.path(`spoilt-${++count}.backup`);
  copyFileSync(node.path("good.backup"), path);
  spoil(path);
  return path;
}

/** Restores into a directory that is not there yet. */
async function restored(file: string, ...flags: readonly string[]) {
  const data = node.path(`data-${++count}`);
  const { code, err } = await node.capstan("restore", file, "--data", data, "--new-key", ...flags);
  return { code, said: err.split("  ")[0], err, there: existsSync(data) };
}

const refused = (code: number, said: string) => expect.objectContaining({ code, said, there: false });

describe("a restore", () => {
  test("of a whole backup goes well, and says what the directory lacks", async () => {
    const { code, err, there } = await restored("good.backup");
    expect([code, there]).toEqual([0, true]);
    for (const said of ["only the backup itself vouches for the key", "makes a new node.key", "capstan admin recover"])
      expect(err).toContain(said);
  });

  test("refuses a backup that a newer version made", async () => {
    const newer = spoilt((path) => {
      using db = new Database(path);
      db.run("PRAGMA user_version = 99");
    });
    expect(await restored(newer)).toEqual(refused(78, "LOG_NEWER"));
  });

  test("refuses what is no log, what is not there, and a directory", async () => {
    expect(await restored(node.path("echo.ts"))).toEqual(refused(65, "LOG_DAMAGED"));
    expect(await restored(node.path("nowhere"))).toEqual(refused(65, "FILE_UNREADABLE"));
    expect(await restored(node.home)).toEqual(refused(65, "FILE_UNREADABLE"));
  });

  test("refuses a truncated backup, and one with a flipped byte", async () => {
    const truncated = spoilt((path) => truncateSync(path, statSync(path).size - 16_384));
    expect(await restored(truncated)).toEqual(refused(65, "LOG_DAMAGED"));
    const flipped = spoilt((path) => {
      const bytes = readFileSync(path);
      const at = bytes.indexOf("xxxxxxxx");
      bytes[at] = (bytes[at] as number) ^ 1;
      writeFileSync(path, bytes);
    });
    expect(await restored(flipped)).toEqual(refused(65, "LOG_DAMAGED"));
  });

  test("refuses a backup that another key signed than the one that is trusted", async () => {
    const other = formatVerifierKey({ name: "capstan/n-7f3a1b2c", publicKey: new Uint8Array(32).fill(1) });
    expect(await restored("good.backup", "--key", other)).toEqual(refused(65, "SIGNATURE_INVALID"));
    expect(await restored("good.backup", "--key", "nonsense+00000000+x")).toEqual(refused(65, "VERIFIER_KEY_INVALID"));
    expect((await restored("good.backup", "--key", join(".capstan", "node.pub"))).code).toBe(0);
  });

  test("refuses over data, over a running node, and without the node's key", async () => {
    // The running node writes its checkpoint when it is time.
    const files = () => readdirSync(node.data).filter((name) => !name.startsWith("log.db.checkpoint"));
    const before = files();
    const over = await node.capstan("restore", "good.backup", "--replace");
    expect([over.code, over.err]).toEqual([69, expect.stringMatching(/^LOG_LOCKED {2}/)]);
    const data = node.path("there");
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(join(data, "log.db"), "anything");
    const there = await node.capstan("restore", "good.backup", "--data", data, "--new-key");
    expect([there.code, there.err]).toEqual([73, expect.stringMatching(/^RESTORE_OVER_DATA {2}.*--replace/)]);
    expect([readFileSync(join(data, "log.db"), "utf8"), readdirSync(data)]).toEqual(["anything", ["log.db"]]);
    const keyless = await node.capstan("restore", "good.backup", "--data", node.path("keyless"));
    expect([keyless.code, keyless.err]).toEqual([78, expect.stringMatching(/^NODE_KEY_MISSING {2}.*--new-key/)]);
    expect([existsSync(node.path("keyless")), files()]).toEqual([false, before]);
  });

  test("refuses a key file that others may read", async () => {
    const data = node.path("open-key");
    mkdirSync(data, { mode: 0o700 });
    copyFileSync(join(node.data, "node.key"), join(data, "node.key"));
    chmodSync(join(data, "node.key"), 0o644);
    const { code, err } = await node.capstan("restore", "good.backup", "--data", data);
    expect([code, err]).toEqual([78, expect.stringMatching(/^KEY_FILE_INVALID {2}.*0644.*chmod 600/)]);
    expect(readdirSync(data)).toEqual(["node.key"]);
  });
});

describe("a backup", () => {
  test("is not put where it cannot be, or over another file", async () => {
    for (const [file, why] of [
      ["nowhere/a.backup", "there is no such file or directory"],
      ["echo.ts/a.backup", "a part of its path is no directory"],
      ["good.backup", "is there already; add --force"],
    ] as const) {
      const { code, err, out } = await node.capstan("backup", file);
      expect([code, out, err]).toEqual([73, "", expect.stringMatching(/^FILE_UNWRITABLE {2}/)]);
      expect(err).toContain(why);
    }
    expect(await node.ran("backup", "good.backup", "--force")).toMatchObject({ code: 0 });
  });

  test("for which there is no room leaves nothing", async () => {
    const before = readdirSync(node.home);
    // Files of at most 64 kB: what a full disk is to whoever writes.
    const { code, err } = await node.limited(64, "backup", "large.backup");
    expect([code, err]).toEqual([73, expect.stringMatching(/^FILE_UNWRITABLE {2}large\.backup cannot be written/)]);
    expect(readdirSync(node.home)).toEqual(before);
  });

  test("of a node that nobody knows, or that a grant does not cover, is a refusal", async () => {
    await node.ran("grant", "create", "eve", "--allow", "log.head", "--out", "eve.token");
    const eve = await node.capstan("--token-file", "eve.token", "backup", "eve.backup");
    expect([eve.code, eve.err]).toEqual([77, expect.stringMatching(/^REFUSED {2}/)]);
    const away = await node.capstan("--url", "127.0.0.1:9", "--token-file", "eve.token", "backup", "eve.backup");
    expect([away.code, away.err]).toEqual([69, expect.stringMatching(/^UNREACHABLE {2}/)]);
    expect(readdirSync(node.home).filter((name) => name.startsWith("eve.backup"))).toEqual([]);
  });
});
