// The ways to tamper with a log that are tried, each by somebody who may write all of its files and has no key of its node. Each
// changes something that the last checkpoint covers, or the tables; those of the window are apart.

import { copyFileSync, existsSync, rmSync } from "node:fs";
import type { SeededRandom } from "../chaos/seeded-random.ts";
import { type ForgedEntry, Forger, sha256 } from "./forge.ts";

export interface Ground {
  /** The file to tamper with: a copy of the log, with what lies beside it. */
  readonly path: string;
  /** The log's files as they were a while ago, its checkpoint of then included. */
  readonly older: string;
  /** Entries that the auditor's checkpoint covers, and entries that there are. */
  readonly covered: number;
  readonly head: number;
  readonly random: SeededRandom;
  /** Signs a checkpoint of the file as it is with a key of the tamperer's own, and puts it beside. */
  sign(path: string): Promise<void>;
}

/** Answers what was done, in words. */
export type Tamper = (ground: Ground) => string | Promise<string>;

const index = ({ random, covered }: Ground): number => random.upTo(covered) - 1;

/** An entry among those that are covered that has this part in itself. */
function withPart(ground: Ground, forger: Forger, letter: string): ForgedEntry {
  const start = index(ground);
  for (let i = 0; i < ground.covered; i++) {
    const entry = forger.entries[(start + i) % ground.covered] as ForgedEntry;
    if (entry.parts.some((part) => part.startsWith(letter))) return entry;
  }
  throw new Error(`no entry has a part ${letter}`);
}

/** Another character in the JSON of a part. */
function editPart(ground: Ground, entry: ForgedEntry, letter: string): void {
  const at = entry.parts.findIndex((part) => part.startsWith(letter));
  const part = entry.parts[at] as string;
  const digits = [...part.matchAll(/[0-9a-z]/g)].map(({ index }) => index).filter((where) => where > 23);
  const where = ground.random.pick(digits);
  entry.parts[at] = `${part.slice(0, where)}${part[where] === "7" ? "8" : "7"}${part.slice(where + 1)}`;
}

function forged(ground: Ground, change: (forger: Forger) => void): void {
  const forger = new Forger(ground.path);
  change(forger);
  forger.finish();
}

function swap(entries: ForgedEntry[], a: number, b: number): void {
  [entries[a], entries[b]] = [entries[b] as ForgedEntry, entries[a] as ForgedEntry];
}

/** An entry that was never logged, in the form of one that was. */
function invented(like: ForgedEntry, header: Record<string, unknown> = {}, parts = like.parts): ForgedEntry {
  const id = String(like.header.id);
  // Another half of the range in which ids count, so that it is nobody's.
  const other = id[11] === "Z" ? "Y" : "Z";
  const made = {
    header: { ...like.header, id: `${id.slice(0, 11)}${other}${id.slice(12)}`, ...header },
    parts: [...parts],
  };
  Forger.redigest(made);
  return made;
}

const part = (letter: string, value: unknown): string => `${letter}${"A".repeat(22)}${JSON.stringify(value)}`;

export const TAMPERS: Readonly<Record<string, Tamper>> = {
  "a part is edited": (ground) => {
    forged(ground, (forger) => editPart(ground, withPart(ground, forger, "b"), "b"));
    return "in the body of an entry, sums made anew";
  },
  "a part and its digest are edited": (ground) => {
    const letter = ground.random.pick(["b", "t"]);
    forged(ground, (forger) => {
      const entry = withPart(ground, forger, letter);
      editPart(ground, entry, letter);
      Forger.redigest(entry);
    });
    return `part ${letter}, header, leaf, tiles and sums made anew`;
  },
  "a header is edited": (ground) => {
    const [field, value] = ground.random.pick([
      ["principal", "mallory"],
      ["grant", "g-99"],
      ["message", "grant.revoke"],
    ] as const);
    forged(ground, ({ entries }) => {
      const { header } = entries[index(ground)] as ForgedEntry;
      header[field] = header[field] === value ? `${value}2` : value;
    });
    return `${field} is ${value}`;
  },
  "an entry is dropped": (ground) => {
    forged(ground, (forger) => {
      forger.entries.splice(index(ground), 1);
      replayRows(forger);
    });
    return "and those after it moved up";
  },
  "an entry is cut out": (ground) => {
    const forger = new Forger(ground.path);
    forger.db.run("DELETE FROM log WHERE first = ?", [index(ground) + 1]);
    forger.close();
    return "and a gap left";
  },
  "the beginning is dropped as by a compaction": (ground) => {
    const count = ground.random.upTo(ground.covered - 1);
    const forger = new Forger(ground.path);
    const leaves = forger.leaves().slice(0, count);
    forger.entries.splice(0, count);
    forger.setMeta("first", count + 1);
    forger.finish({ first: count + 1, leaves });
    return `${count} entries, of which the leaves stay`;
  },
  "the beginning is dropped, and a compaction made up": (ground) => {
    const count = ground.random.upTo(ground.covered - 2);
    const forger = new Forger(ground.path);
    const hot = forger.rows.filter(({ tbl }) => tbl !== "key" && tbl !== "outcome");
    const all = hot.map(({ tbl, key, json }) => [tbl, key, JSON.parse(json) as unknown]);
    const last = forger.entries.at(-1) as ForgedEntry;
    const said = { message: "log.compact", verdict: "done" };
    const parts = [part("b", { data: {} }), part("r", all), part("t", { verdicts: [], data: { before: count + 1 } })];
    forger.entries.push(invented(last, said, parts));
    const leaves = forger.leaves().slice(0, count);
    forger.entries.splice(0, count);
    forger.rows = forger.rows.filter(
      ({ tbl, json }) => tbl !== "key" || (JSON.parse(json) as { seq: number }).seq > count,
    );
    forger.setMeta("first", count + 1);
    forger.finish({ first: count + 1, leaves });
    return `${count} entries, by an entry in the window`;
  },
  "entries are reordered": (ground) => {
    forged(ground, ({ entries }) => {
      const at = ground.random.upTo(ground.covered - 1) - 1;
      const a = entries[at] as ForgedEntry;
      const b = entries[at + 1] as ForgedEntry;
      // Times in their order, so that nothing else gives it away.
      [a.header.at, b.header.at] = [b.header.at, a.header.at];
      swap(entries, at, at + 1);
    });
    return "two neighbours, their times exchanged";
  },
  "an entry is made up": (ground) => {
    forged(ground, ({ entries }) => {
      const at = index(ground);
      entries.splice(at, 0, invented(entries[at] as ForgedEntry));
    });
    return "between two others";
  },
  "the log is rolled back": ({ path, older }) => {
    for (const suffix of ["", "-wal", "-sums", ".checkpoint"]) {
      rmSync(path + suffix, { force: true });
      if (existsSync(older + suffix)) copyFileSync(older + suffix, path + suffix);
    }
    return "to an older copy, its checkpoint and its sums with it";
  },
  "the tail is cut off": (ground) => {
    const kept = ground.random.upTo(ground.covered - 1);
    forged(ground, (forger) => {
      forger.entries.splice(kept);
      replayRows(forger);
    });
    return `after ${kept} entries`;
  },
  "the tail is replaced": (ground) => {
    forged(ground, (forger) => {
      const tail = forger.entries.splice(ground.random.upTo(ground.covered - 1));
      forger.entries.push(...tail.map((entry) => invented(entry)));
      replayRows(forger);
    });
    return "by as many entries that were never logged";
  },
  "a grant is made wider": (ground) => {
    forged(ground, ({ rows }) => {
      const grants = rows.filter(({ tbl, json }) => tbl === "grant" && json.includes("perform:echo"));
      const row = ground.random.pick(grants);
      row.json = row.json.replace("action.perform:echo", "*");
    });
    return "in its row, with the table's sums";
  },
  "a revocation is taken back": (ground) => {
    forged(ground, ({ rows }) => {
      const grants = rows.filter(({ tbl }) => tbl === "grant");
      const row = ground.random.pick(grants);
      row.json = JSON.stringify({ ...(JSON.parse(row.json) as object), revoked: 1_000_000 + ground.random.upTo(9) });
    });
    return "or made, in the grant's row";
  },
  "a row is made up": (ground) => {
    forged(ground, ({ rows }) => {
      const row = ground.random.pick(rows);
      rows.push({ ...row, key: `${row.key}-of-mine` });
    });
    return "like another one";
  },
  "a row is removed": (ground) => {
    forged(ground, ({ rows }) => rows.splice(ground.random.upTo(rows.length) - 1, 1));
    return "with the table's sums";
  },
  "a tile is forged": (ground) => {
    const forger = new Forger(ground.path);
    const tiles = forger.db.query("SELECT level, idx, hashes FROM tile").all() as {
      level: number;
      idx: number;
      hashes: Uint8Array;
    }[];
    const { level, idx, hashes } = ground.random.pick(tiles);
    const other = Buffer.from(hashes);
    sha256(String(ground.random.next())).copy(other, 32 * (ground.random.upTo(hashes.length / 32) - 1));
    forger.writeTile(level, idx, other);
    forger.close();
    return `level ${level}`;
  },
  "a part is taken out": (ground) => {
    const letter = ground.random.pick(["b", "t", "r"]);
    forged(ground, (forger) => {
      const entry = withPart(ground, forger, letter);
      entry.parts = entry.parts.filter((part) => !part.startsWith(letter));
    });
    return `part ${letter}, as a redaction would, and no entry of it`;
  },
  "a part is taken out, and a redaction made up": (ground) => {
    forged(ground, (forger) => {
      const entry = withPart(ground, forger, "t");
      const at = forger.entries.indexOf(entry);
      entry.parts = entry.parts.filter((one) => !one.startsWith("t"));
      const key = String(at + 1).padStart(16, "0");
      const row = { trace: forger.entries.length + 1 };
      const last = forger.entries.at(-1) as ForgedEntry;
      const said = { message: "log.redact", verdict: "done" };
      const parts = [
        part("b", { data: { entry: at + 1, parts: ["trace"], reason: "x" } }),
        part("r", [["erasure", key, row]]),
      ];
      forger.entries.push(invented(last, said, parts));
      forger.rows.push({ tbl: "erasure", key, json: JSON.stringify(row) });
    });
    return "the trace, by an entry in the window";
  },
  "content beside an entry is exchanged": (ground) => {
    const forger = new Forger(ground.path);
    const names = (forger.db.query("SELECT name FROM blob").all() as { name: string }[]).map(({ name }) => name);
    const body = Buffer.from(JSON.stringify({ mine: ground.random.next() }));
    forger.db.run("UPDATE blob SET body = ? WHERE name = ?", [body, ground.random.pick(names)]);
    forger.close();
    return "under its name";
  },
  "the log's name is exchanged": (ground) => {
    const forger = new Forger(ground.path);
    forger.setMeta("log", "l-00000000000000000000000000");
    forger.close();
    return "in its values";
  },
  "a restore is made up": (ground) => {
    const forger = new Forger(ground.path);
    const restored = [{ epoch: 2, size: 1, root: sha256("").toString("base64"), at: 1 }];
    forger.setMeta("restored", JSON.stringify(restored));
    forger.setMeta("epoch", 3);
    forger.close();
    return "in its values";
  },
  "a trigger is planted": (ground) => {
    const forger = new Forger(ground.path);
    forger.db.run("CREATE TRIGGER mine AFTER INSERT ON log BEGIN DELETE FROM row WHERE tbl = 'hold'; END");
    forger.close();
    return "to be run by the next append";
  },
  "an entry is hidden from its id": (ground) => {
    const forger = new Forger(ground.path);
    const first = index(ground) + 1;
    const group = forger.db.query("SELECT n, at, born, body FROM log WHERE first = ?").get(first) as {
      n: number;
      at: number;
      born: number;
      body: Uint8Array;
    };
    const born = group.born - 500_000;
    const sum = Bun.hash.crc32(group.body, Bun.hash.crc32(`${first} ${group.n} ${group.at} ${born}`));
    forger.db.run("UPDATE log SET born = ?, sum = ? WHERE first = ?", [born, sum, first]);
    forger.close();
    return "by the time of its group";
  },
  "all is made anew under another key": async (ground) => {
    forged(ground, (forger) => {
      const entry = withPart(ground, forger, "b");
      editPart(ground, entry, "b");
      Forger.redigest(entry);
    });
    await ground.sign(ground.path);
    return "an entry edited, and a checkpoint signed with a key of the tamperer's";
  },
  "the checkpoint beside is signed by another key": async (ground) => {
    await ground.sign(ground.path);
    return "over a log that is whole";
  },
};

/** What comes after the last checkpoint can be changed unseen, where all is made to fit. */
export const WINDOW_TAMPERS: Readonly<Record<string, Tamper>> = {
  "the window is cut off": (ground) => {
    rmSync(`${ground.path}.checkpoint`, { force: true });
    const forger = new Forger(ground.path);
    forger.entries.splice(ground.covered);
    replayRows(forger);
    forger.finish();
    return `${ground.head - ground.covered} entries`;
  },
  "an entry of the window is edited": (ground) => {
    rmSync(`${ground.path}.checkpoint`, { force: true });
    const at = ground.covered + ground.random.upTo(ground.head - ground.covered) - 1;
    forged(ground, ({ entries }) => {
      const entry = entries[at] as ForgedEntry;
      entry.header.principal = "mallory";
      Forger.redigest(entry);
    });
    return `entry ${at + 1}`;
  },
};

/** The tables that the entries make. */
function replayRows(forger: Forger): void {
  const rows = new Map<string, { tbl: string; key: string; json: string }>();
  for (const { parts } of forger.entries) {
    const part = parts.find((one) => one.startsWith("r"));
    for (const [tbl, key, ...row] of JSON.parse(part?.slice(23) ?? "[]") as [string, string, unknown?][]) {
      if (row.length === 0) rows.delete(`${tbl}\0${key}`);
      else rows.set(`${tbl}\0${key}`, { tbl, key, json: JSON.stringify(row[0]) });
    }
  }
  forger.rows = [...rows.values()];
}
