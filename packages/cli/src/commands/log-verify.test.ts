// A node's log verified while it runs, by its file once it stopped, and after somebody changed it; what is whole of it saved; and
// a node that is started on it all the same.

import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../index.ts";
import { testIo } from "../test-io.ts";

const home = mkdtempSync(join(tmpdir(), "capstan-log-verify-"));
afterAll(() => rmSync(home, { recursive: true }));

async function capstan(cwd: string, ...argv: string[]) {
  const io = { ...testIo(), cwd };
  return { code: await run(argv, io), out: io.out(), err: io.err() };
}

/** A node that is served from `<cwd>/.capstan` while `use` runs; answers what it said meanwhile. */
async function serving(cwd: string, use: (url: string) => Promise<void>): Promise<string> {
  const io = { ...testIo(), cwd };
  const over = Promise.withResolvers<void>();
  const listening = Promise.withResolvers<void>();
  const stdout = (text: string): void => {
    io.stdout(text);
    listening.resolve();
  };
  const argv = ["serve", "--listen", "127.0.0.1:0", "--json", "--log-level", "silent"];
  const served = run(argv, { ...io, stdout, stopped: () => over.promise });
  await Promise.race([listening.promise, served.then(() => listening.reject(new Error(io.err())))]);
  await use((JSON.parse(io.out()) as { url: string }).url);
  over.resolve();
  expect(await served).toBe(0);
  return io.err();
}

/** A directory with a node's data, of a few grants; `while` it runs something can be asked. */
async function data(meanwhile: (cwd: string) => Promise<void> = async () => {}): Promise<string> {
  const cwd = mkdtempSync(join(home, "node-"));
  await serving(cwd, async () => {
    for (const name of ["bob", "eve", "joe"]) {
      const made = await capstan(cwd, "grant", "create", name, "--allow", "log.head", "--out", `${name}.token`);
      expect(made.code).toBe(0);
    }
    await meanwhile(cwd);
  });
  return cwd;
}

const LOG = ".capstan/log.db";

function change(cwd: string, sql: string): void {
  const db = new Database(join(cwd, LOG));
  db.run(sql);
  db.close(true);
}

describe("capstan log verify", () => {
  test("verifies what the server gives out, and the file once it stopped", async () => {
    const cwd = await data(async (cwd) => {
      const { code, out } = await capstan(cwd, "log", "verify", "--key", ".capstan/node.pub");
      expect([code, out]).toEqual([
        0,
        expect.stringMatching(/^\d entries, \d leaves, checkpoint of n-[0-9a-f]{8}: valid\n/),
      ]);
      const locked = await capstan(cwd, "log", "verify", LOG);
      expect([locked.code, locked.err]).toEqual([69, expect.stringContaining("ask the server instead")]);
    });
    for (const argv of [
      ["--key", ".capstan/node.pub"],
      [LOG, "--key", ".capstan/node.pub"],
    ]) {
      const { code, out } = await capstan(cwd, "log", "verify", ...argv);
      expect([code, out]).toEqual([
        0,
        expect.stringMatching(/^\d entries, \d leaves, checkpoint of n-[0-9a-f]{8}: valid\n$/),
      ]);
    }
    const json = JSON.parse((await capstan(cwd, "log", "verify", "--json")).out);
    expect(json).toMatchObject({ valid: true, found: 0, problems: [], checkpoints: [{ valid: true }] });
  });

  test("verifies the file where the server that answers is another node's", async () => {
    const cwd = await data();
    const other = mkdtempSync(join(home, "node-"));
    await serving(other, async (url) => {
      const stopped = () => new Promise<void>(() => {});
      const io = { ...testIo({ CAPSTAN_LISTEN: new URL(url).host }), cwd, stopped };
      expect([await run(["log", "verify"], io), io.out()]).toEqual([0, expect.stringMatching(/: valid\n/)]);
      expect([await run(["backup", "kept.backup"], io), io.err()]).toEqual([
        0,
        expect.stringContaining("no key is in it"),
      ]);
    });
  });

  test("holds the log against a checkpoint that was kept, and tells with its exit code that it is not that log", async () => {
    let kept = "";
    const cwd = await data(async (cwd) => {
      kept = (await capstan(cwd, "log", "checkpoint")).out;
      await Bun.write(join(cwd, "kept"), kept);
      expect((await capstan(cwd, "log", "verify", "--checkpoint", "kept")).code).toBe(0);
    });
    expect((await capstan(cwd, "log", "verify", "--checkpoint", "kept", "--key", ".capstan/node.pub")).code).toBe(0);
    const other = await data();
    await Bun.write(join(other, "kept"), kept);
    const wrong = await capstan(other, "log", "verify", "--checkpoint", "kept", "--key", ".capstan/node.pub");
    expect([wrong.code, wrong.out]).toEqual([76, expect.stringContaining("the checkpoint that was given: ")]);
  });

  test("says what is wrong a line each, and that no file is there", async () => {
    const cwd = await data();
    change(cwd, `UPDATE row SET json = replace(json, 'log.head', '*') WHERE tbl = 'grant'`);
    const { code, out } = await capstan(cwd, "log", "verify");
    expect(code).toBe(76);
    expect(out.match(/^the row grant "g-\d": it is not what the entries wrote$/gm)).toHaveLength(3);
    // As every command says it.
    for (const words of ["log verify none.db", "log salvage none.db --out saved.db", "restore none.db"])
      expect(await capstan(cwd, ...words.split(" "))).toMatchObject({
        ...{ code: 65, err: "FILE_UNREADABLE  none.db cannot be read: there is no such file or directory\n" },
      });
    expect((await capstan(cwd, "log", "verify", ".")).err).toBe(
      "FILE_UNREADABLE  . cannot be read: it is a directory\n",
    );
    expect((await capstan(cwd, "log", "verify", "--help")).out).toContain("capstan log verify /mnt/copy/log.db");
    // What comes out of the message table is still there beside it.
    expect((await capstan(cwd, "log", "tail", "--help")).out).toContain("--no-follow");
  });
});

describe("a damaged log", () => {
  test("is saved by salvage up to the damage, which writes over nothing", async () => {
    const cwd = await data();
    change(cwd, "DELETE FROM log WHERE first = (SELECT max(first) FROM log)");
    const { code, out, err } = await capstan(cwd, "log", "salvage", LOG, "--out", "saved.db");
    expect([code, out]).toEqual([0, expect.stringMatching(/^saved entries 1 to \d, tables made anew, /)]);
    expect(err).toMatch(/warning: entry \d is lost: /);
    expect(err).toContain("capstan restore saved.db --unproved");
    const again = await capstan(cwd, "log", "salvage", LOG, "--out", "saved.db");
    expect([again.code, again.err]).toEqual([73, expect.stringContaining("nothing is overwritten")]);
  });

  test("is served for reading, with a warning that nobody overlooks, and takes no command", async () => {
    const cwd = await data();
    change(cwd, "UPDATE log SET at = at + 1 WHERE first = 2");
    const before = readFileSync(join(cwd, LOG));
    const checkpoint = readFileSync(join(cwd, `${LOG}.checkpoint`), "utf8");
    const said = await serving(cwd, async (url) => {
      const ready = await fetch(`${url}/readyz`);
      expect([ready.status, await ready.json()]).toEqual([
        503,
        { ready: false, why: expect.stringContaining("is damaged") },
      ]);
      const refused = await capstan(cwd, "grant", "create", "mal", "--allow", "*", "--out", "mal.token");
      expect([refused.code, refused.err]).toEqual([65, expect.stringMatching(/^LOG_DAMAGED {2}the log is damaged/)]);
      const head = await capstan(cwd, "log", "head");
      expect([head.code, head.out]).toEqual([0, expect.stringContaining("damaged, read-only")]);
      expect((await capstan(cwd, "grant", "list")).code).toBe(0);
      expect((await capstan(cwd, "log", "show", "3")).code).toBe(0);
      // A damaged entry is given to nobody.
      expect((await capstan(cwd, "log", "show", "2")).err).toContain("LOG_DAMAGED");
    });
    expect(said).toContain("IS DAMAGED AND IS ONLY READ");
    expect(said).toContain("entry 2: the checksum does not fit");
    expect(said).toContain("capstan log salvage");
    // Nothing was written: not the log, nor a checkpoint that would cover less.
    expect(readFileSync(join(cwd, LOG)).equals(before)).toBe(true);
    expect(readFileSync(join(cwd, `${LOG}.checkpoint`), "utf8")).toBe(checkpoint);
  });

  test("that lost its end is only read, because its checkpoint tells of more", async () => {
    const cwd = mkdtempSync(join(home, "node-"));
    await serving(cwd, async () => {});
    mkdirSync(join(cwd, "early"));
    copyFileSync(join(cwd, LOG), join(cwd, "early", "log.db"));
    await serving(cwd, async () => {
      await capstan(cwd, "grant", "create", "bob", "--allow", "log.head", "--out", "bob.token");
    });
    copyFileSync(join(cwd, "early", "log.db"), join(cwd, LOG));
    rmSync(join(cwd, `${LOG}-sums`));
    const said = await serving(cwd, async (url) => {
      expect((await fetch(`${url}/readyz`)).status).toBe(503);
    });
    expect(said).toMatch(/gone: the checkpoint beside the file is of \d/);
  });
});
