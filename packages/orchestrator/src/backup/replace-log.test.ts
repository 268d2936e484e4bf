// One log in the place of another: after a crash at any step one of the two is there whole, and nothing of the old one is lost.

import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkNotHeld } from "./hold-log.ts";
import { type Replacement, replaceLog, type Step } from "./replace-log.ts";

const FIXTURE = join(import.meta.dir, "replace-log.fixture.ts");
const home = realpathSync(mkdtempSync(join(tmpdir(), "capstan-replace-")));
afterAll(() => rmSync(home, { recursive: true }));

/** A database of one row, in WAL mode and open. */
function database(path: string, value: string): Database {
  const db = new Database(path, { create: true });
  db.run("PRAGMA locking_mode = EXCLUSIVE");
  db.run("PRAGMA journal_mode = WAL");
  db.run("CREATE TABLE t (v TEXT)");
  db.run("INSERT INTO t VALUES (?)", [value]);
  return db;
}

function valueIn(path: string): string {
  using db = new Database(path, { create: false, readwrite: true });
  return (db.query("SELECT v FROM t").get() as { v: string }).v;
}

/** A data directory as a killed node leaves it, and a prepared log beside. */
function killedNode(): string {
  const directory = mkdtempSync(join(home, "data-"));
  const live = mkdtempSync(join(home, "live-"));
  using open = database(join(live, "log.db"), "old");
  for (const suffix of ["", "-wal"]) copyFileSync(join(live, `log.db${suffix}`), join(directory, `log.db${suffix}`));
  open.close();
  database(join(directory, "new.db"), "new").close();
  writeFileSync(join(directory, "log.db.checkpoint"), "of the old log");
  writeFileSync(join(directory, "log.db-sums"), "of the old log");
  writeFileSync(join(directory, "new.checkpoint"), "of the new log");
  return directory;
}

const replacement = (directory: string): Replacement => ({
  log: join(directory, "log.db"),
  prepared: join(directory, "new.db"),
  preparedCheckpoint: join(directory, "new.checkpoint"),
  stamp: "then",
});

const checkpoint = (directory: string): string => readFileSync(join(directory, "log.db.checkpoint"), "utf8");

test("the new log is there, and the old one under another name with all that belonged to it", () => {
  const directory = killedNode();
  const wal = readFileSync(join(directory, "log.db-wal"));
  expect(wal.length).toBeGreaterThan(0);
  expect(replaceLog(replacement(directory))).toEqual([
    "log.db.replaced-then",
    "log.db.replaced-then-sums",
    "log.db.replaced-then-wal",
    "log.db.replaced-then.checkpoint",
  ]);
  expect(readFileSync(join(directory, "log.db.replaced-then-wal"))).toEqual(wal);
  expect([valueIn(join(directory, "log.db")), checkpoint(directory)]).toEqual(["new", "of the new log"]);
  expect(valueIn(join(directory, "log.db.replaced-then"))).toBe("old");
  expect(existsSync(join(directory, "new.db"))).toBe(false);
});

test("where there was no log, the new one is placed, and what was left of another goes aside", () => {
  const directory = killedNode();
  rmSync(join(directory, "log.db"));
  const kept = replaceLog(replacement(directory));
  expect(kept).toEqual(["-sums", "-wal", ".checkpoint"].map((suffix) => `log.db.replaced-then${suffix}`));
  expect([valueIn(join(directory, "log.db")), checkpoint(directory)]).toEqual(["new", "of the new log"]);
  expect(readdirSync(directory).sort()).toEqual(["log.db", "log.db.checkpoint", ...kept]);
});

test("a name that is taken is not taken again", () => {
  const directory = killedNode();
  writeFileSync(join(directory, "log.db.replaced-then.checkpoint"), "kept");
  expect(replaceLog(replacement(directory))[0]).toBe("log.db.replaced-then-2");
  expect(readFileSync(join(directory, "log.db.replaced-then.checkpoint"), "utf8")).toBe("kept");
});

test("a damaged log is moved aside as it is, with its write-ahead log", () => {
  const directory = killedNode();
  const garbage = Buffer.alloc(40_000, "no database ");
  for (const suffix of ["", "-wal"]) writeFileSync(join(directory, `log.db${suffix}`), garbage);
  replaceLog(replacement(directory));
  for (const suffix of ["", "-wal"])
    expect(readFileSync(join(directory, `log.db.replaced-then${suffix}`)).equals(garbage)).toBe(true);
  expect(existsSync(join(directory, "log.db-wal"))).toBe(false);
  expect(valueIn(join(directory, "log.db"))).toBe("new");
});

test("a log that is open elsewhere is left alone, and so is one that was removed under its node", () => {
  const directory = killedNode();
  rmSync(join(directory, "log.db"));
  rmSync(join(directory, "log.db-wal"));
  const open = database(join(directory, "log.db"), "live");
  const before = readdirSync(directory).sort();
  for (const refuses of [() => replaceLog(replacement(directory)), () => checkNotHeld(join(directory, "log.db"))]) {
    expect(refuses).toThrow(expect.objectContaining({ code: "LOG_LOCKED" }));
  }
  expect(readdirSync(directory).sort()).toEqual(before);
  open.close();
  expect(() => checkNotHeld(join(directory, "log.db"))).not.toThrow();

  rmSync(join(directory, "log.db"));
  writeFileSync(join(directory, "log.db.pid"), `${process.pid}\n`);
  expect(() => replaceLog(replacement(directory))).toThrow(expect.objectContaining({ code: "LOG_LOCKED" }));
  expect(existsSync(join(directory, "log.db"))).toBe(false);
});

test("looking whether a log is open folds nothing in", () => {
  const directory = killedNode();
  const files = () => ["log.db", "log.db-wal"].map((name) => Bun.hash(readFileSync(join(directory, name))));
  const before = files();
  checkNotHeld(join(directory, "log.db"));
  expect(files()).toEqual(before);
});

describe("killed in the middle, one of the two is there whole", () => {
  const expected: Record<Step, "old" | "new"> = {
    ...{ held: "old", kept: "old", cleared: "old", checkpoint: "old", log: "new" },
  };
  for (const [step, value] of Object.entries(expected)) {
    test(`after "${step}" the ${value} one`, async () => {
      const directory = killedNode();
      const child = Bun.spawn([process.execPath, FIXTURE, directory, step]);
      await child.exited;
      expect(child.signalCode).toBe("SIGKILL");
      expect(valueIn(join(directory, "log.db"))).toBe(value);
      expect(checkpoint(directory)).toBe(step === "log" || step === "checkpoint" ? "of the new log" : "of the old log");
      // The next try finds all that it needs, but what it is to put in place.
      database(join(directory, "new.db.again"), "again").close();
      writeFileSync(join(directory, "new.checkpoint"), "of the new log");
      replaceLog({ ...replacement(directory), prepared: join(directory, "new.db.again") });
      expect(valueIn(join(directory, "log.db"))).toBe("again");
    });
  }
});
