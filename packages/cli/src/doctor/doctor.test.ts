// What the doctor finds, one thing at a time: each that is wrong is said with what to do, and looking changes nothing.

import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../index.ts";
import { testIo } from "../test-io.ts";
import { clockFindings, spanText } from "./clock-findings.ts";
import { bytesText, diskFindings } from "./disk-findings.ts";
import { fileFindings, isClosed } from "./file-findings.ts";
import type { Finding } from "./finding.ts";
import { keyFindings } from "./key-findings.ts";
import { leftoverFindings } from "./leftover-findings.ts";
import { storedLog } from "./log-findings.ts";
import { portHolder } from "./port-holder.ts";
import { portFindings, serverFindings } from "./server-findings.ts";

const home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-doctor-")));
afterAll(() => rmSync(home, { recursive: true }));

function directory(files: Readonly<Record<string, number>>): string {
  const made = mkdtempSync(join(home, "data-"));
  for (const [name, mode] of Object.entries(files)) {
    writeFileSync(join(made, name), "x");
    chmodSync(join(made, name), mode);
  }
  return made;
}

const said = (findings: readonly Finding[]): string[] => findings.map(({ state, what }) => `${state} ${what}`);

test("every finding that is not ok says what to do", () => {
  const data = directory({ "node.key": 0o644, "recover.request": 0o600, "a.tmp": 0o600 });
  const findings = [
    ...fileFindings(data, "."),
    ...fileFindings(join(data, "nowhere"), "nowhere"),
    ...leftoverFindings(data, "."),
    ...diskFindings({ bsize: 1, bavail: 0, files: 1, ffree: 0 }, 0),
    ...clockFindings({ now: 0, lastAt: 9e9, checkpointAt: undefined, serverAt: 9e9 }),
  ];
  expect(findings.filter(({ state }) => state !== "ok")).toHaveLength(8);
  for (const { state, todo } of findings) expect([state, todo === undefined]).toEqual([state, state === "ok"]);
});

test("files: a secret that others may read, and whatever others may write, fail", () => {
  const data = directory({
    "node.key": 0o640,
    "admin.token": 0o600,
    "node.pub": 0o644,
    "log.db": 0o666,
    "log.db-wal": 0o644,
  });
  expect(said(fileFindings(data, ".capstan"))).toEqual([
    "fail others may write .capstan/log.db (0666)",
    "warn others may read .capstan/log.db-wal (0644)",
    "fail others may read .capstan/node.key (0640)",
  ]);
});

test("files: the secrets of its peers are looked at as its own are", () => {
  const data = directory({});
  mkdirSync(join(data, "peers"), { mode: 0o700 });
  for (const [name, mode] of [
    ["osaka-1.secret", 0o600],
    ["lima-1.secret", 0o640],
  ] as const) {
    writeFileSync(join(data, "peers", name), "x");
    chmodSync(join(data, "peers", name), mode);
  }
  expect(said(fileFindings(data, "d"))).toEqual(["fail others may read d/peers/lima-1.secret (0640)"]);
});

test("files: a directory that others may write in fails, one that they may look into is warned of", () => {
  const data = directory({});
  chmodSync(data, 0o777);
  expect(said(fileFindings(data, "d"))).toEqual(["fail others may write in d (0777)"]);
  chmodSync(data, 0o755);
  expect(said(fileFindings(data, "d"))).toEqual(["warn others may look into d (0755)"]);
  chmodSync(data, 0o700);
  const owner = statSync(data).uid;
  expect(said(fileFindings(data, "d", owner + 1))).toEqual([
    `fail d belongs to user ${owner}, and this is user ${owner + 1}`,
  ]);
  expect(said(fileFindings(data, "d", owner))).toEqual(["ok d and its 0 files are their owner's"]);
});

test("files: a directory that this user may not look into is said, and nothing in it is looked for", () => {
  const data = directory({ "node.key": 0o600 });
  const refuse = (): never => {
    throw Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" });
  };
  expect(fileFindings(data, "d", undefined, refuse)).toMatchObject([
    {
      state: "fail",
      what: "d cannot be read: this user may not",
      todo: expect.stringContaining("as the user that the node runs as"),
    },
  ]);
  expect([isClosed(data, refuse), isClosed(data)]).toEqual([true, false]);
  expect([isClosed(join(data, "nowhere")), isClosed(join(data, "node.key"))]).toEqual([false, true]);
});

test("files: a directory that is not there is said, and a link in it is not followed", () => {
  const data = directory({});
  symlinkSync(join(data, "nowhere"), join(data, "node.key"));
  expect(said(fileFindings(data, "d"))).toEqual(["ok d and its 1 files are their owner's"]);
  expect(said(fileFindings(join(data, "none"), "none"))).toEqual([
    "fail none cannot be read: there is no such file or directory",
  ]);
});

test("disk: what a node needs at least fails, what a backup needs is warned of", () => {
  const room = (free: number, ffree = 1e6) => ({ bsize: 4096, bavail: Math.floor(free / 4096), files: 1e7, ffree });
  expect(said(diskFindings(room(79e9), 1e9))).toEqual(["ok 79.0 GB free"]);
  expect(said(diskFindings(room(50e6), 0))).toEqual(["fail 50.0 MB free"]);
  expect(said(diskFindings(room(900e6), 0))).toEqual(["warn 900.0 MB free"]);
  expect(said(diskFindings(room(2e9), 3e9))).toEqual(["warn 2.0 GB free, and the log has 3.0 GB"]);
  expect(said(diskFindings(room(2e9, 3), 0))).toEqual(["ok 2.0 GB free", "fail 3 inodes left"]);
  expect(said(diskFindings({ ...room(2e9, 0), files: 0 }, 0))).toEqual(["ok 2.0 GB free"]);
  expect([0, 999, 1000, 1.25e15].map(bytesText)).toEqual(["0 B", "999 B", "1.0 kB", "1.3 PB"]);
});

test("clock: a last entry of the future fails, and a server of another time is warned of", () => {
  const now = Date.UTC(2026, 10, 21);
  const times = { now, lastAt: now - 1, checkpointAt: now, serverAt: now + 4999 };
  expect(said(clockFindings(times))).toEqual(["ok 2026-11-21T00:00:00Z"]);
  expect(said(clockFindings({ ...times, lastAt: now + 86_400_000 }))).toEqual([
    "fail the last entry is of 2026-11-22T00:00:00Z, 24 h from now",
  ]);
  expect(said(clockFindings({ ...times, checkpointAt: now + 60_000 }))).toEqual([
    "warn the checkpoint is of 2026-11-21T00:01:00Z, 60 s from now",
  ]);
  expect(said(clockFindings({ ...times, serverAt: now - 120_000 }))).toEqual([
    "warn the server's clock is 2 min behind this one",
  ]);
  expect([4000, 90_000, 7.2e6, 2.6e8].map(spanText)).toEqual(["4 s", "2 min", "2 h", "3 d"]);
});

test("leftovers: each is named with what it was for, and a process that is gone is known to be", () => {
  const gone = Bun.spawnSync(["true"]).pid;
  const data = directory({
    ...{ "recover.request": 0o600, "node.key.next": 0o600, ".server.json.12": 0o600, "log.db": 0o600 },
    ...{ "log.db.replaced-2026": 0o600, "log.db.replaced-2026-wal": 0o600, "log.db.replaced-2026.checkpoint": 0o644 },
  });
  writeFileSync(join(data, "log.db.pid"), `${gone}\n`);
  writeFileSync(join(data, "server.json"), JSON.stringify({ pid: process.pid }));
  expect(said(leftoverFindings(data, "d"))).toEqual([
    "warn d/.server.json.12 was being written by a process that was killed",
    "warn d/log.db.replaced-2026 is a log that a restore moved aside",
    "warn d/node.key.next is the key of a rotation that did not end",
    "warn d/recover.request is of a recovery of the administrator's credential that did not end",
    `warn d/log.db.pid names process ${gone}, which is gone: the node was killed`,
  ]);
  expect(said(leftoverFindings(directory({ "log.db": 0o600 }), "d"))).toEqual(["ok none"]);
});

test("port: free, ours, another node's, or a stranger's, by name", async () => {
  await using node = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => Response.json({ status: "ok", node: "n-other", entries: 3 }),
  });
  const listen = `127.0.0.1:${node.port}`;
  // Only Linux tells whose a socket is.
  const holder = portHolder(node.port as number);
  if (process.platform === "linux") expect(holder?.pid).toBe(process.pid);
  const here = holder === undefined ? "" : `, process ${process.pid} (${holder.command})`;
  expect(said(await portFindings(listen, node.url.origin))).toEqual([`ok ${listen} is held by this node`]);
  expect(said(await portFindings(listen, undefined))).toEqual([
    `fail ${listen} is held by another node, n-other${here}`,
  ]);
  // It was started with another --listen than its settings have.
  expect(said(await portFindings(listen, "http://127.0.0.1:1"))).toEqual([
    `warn ${listen} is held by another node, n-other${here}, and this node listens at http://127.0.0.1:1`,
  ]);
  await node.stop(true);
  expect(said(await portFindings(listen, undefined))).toEqual([`ok ${listen} is free`]);
  expect(said(await portFindings("127.0.0.1:0", undefined))).toEqual(["ok 127.0.0.1:0 takes any that is free"]);
});

test("server: another version is warned of, and none is no fault", () => {
  const health = { url: "http://a", node: "n-1", entries: 3, version: "0.1.0", at: 0 };
  expect(said(serverFindings(health, "http://a", "0.1.0"))).toEqual([
    "ok http://a answers: n-1, 3 entries, version 0.1.0",
  ]);
  expect(said(serverFindings({ ...health, version: "0.2.0" }, "http://a", "0.1.0"))).toEqual([
    "warn http://a runs 0.2.0, and this is 0.1.0",
  ]);
  expect(said(serverFindings(undefined, "http://a", "0.1.0"))[0]).toStartWith("ok none answers at http://a");
});

test("a data directory that is a file is told of, and nothing else is looked for in it", async () => {
  const io = testIo();
  writeFileSync(join(io.cwd, "f"), "x");
  expect(await run(["--data", "f", "doctor"], io)).toBe(1);
  expect(io.out().split("\n").slice(1)).toEqual([
    "fail  files   ./f cannot be read: a part of its path is no directory; name another with --data",
    "",
  ]);
  const other = { ...testIo(), cwd: io.cwd };
  expect(await run(["--data", "f", "action", "list"], other)).toBe(69);
  expect(other.err()).toStartWith("UNREACHABLE  no server runs on ./f: ");
});

test("what to do is said once, where a fault says it itself", async () => {
  const data = directory({ "log.db": 0o600, "node.key": 0o644 });
  const [log] = (await storedLog(data, "d", false)).findings;
  expect(log).toMatchObject({ what: `the log ${data}/log.db is damaged: it is empty` });
  expect(log?.todo).toStartWith("restore a backup (capstan restore BACKUP), or save what is whole");
  const [key] = await keyFindings(data, "d", undefined);
  expect(key).toMatchObject({ what: `${data}/node.key has mode 0644, and others may read it`, todo: "chmod 600 it" });
});
