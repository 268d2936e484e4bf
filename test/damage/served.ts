// What a node would serve of a log's file: everything that can be read of it, in one digest, or that it was refused.

import { Database } from "bun:sqlite";
import { FaultError, faultOf, type Log, sqliteLog } from "@capstan/orchestrator";

/** `damaged` is read-only and says so. `wrong` is what it gives out all the same, and is not what was logged. */
export type Served =
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "damaged"; readonly why: string; readonly wrong: readonly string[] }
  | { readonly kind: "whole"; readonly wrong: readonly string[] };

/** Content by what is asked for: `entry 12`, `find m-…`, `row grant g-…`. */
export type Content = ReadonlyMap<string, string>;

export interface Truth {
  readonly content: Content;
  readonly tables: readonly string[];
}

/** Of a file that is whole. */
export async function truthOf(path: string): Promise<Truth> {
  const db = new Database(path);
  const tables = (db.query("SELECT DISTINCT tbl FROM row").all() as { tbl: string }[]).map(({ tbl }) => tbl);
  db.close();
  const log = sqliteLog(path);
  const content = await readAll(log, tables);
  await log.close();
  return { content, tables };
}

/** Opens the file as a node does, and reads all of it. */
export async function serve(path: string, truth: Truth, uninspected = false): Promise<Served> {
  let log: Log;
  try {
    log = sqliteLog(path, { uninspected });
  } catch (thrown) {
    if (!(thrown instanceof FaultError)) throw thrown;
    return { kind: "refused", why: faultOf(thrown).message };
  }
  try {
    const found = await readAll(log, truth.tables);
    if (log.damage === undefined) return { kind: "whole", wrong: differences(truth.content, found) };
    // It may be read as of an older state, and says so; no entry that it gives out may be another than was logged.
    const wrong = differences(truth.content, found).filter((name) => found.has(name) && /^(entry|blob) /.test(name));
    return { kind: "damaged", why: log.damage.damaged.join("; "), wrong };
  } finally {
    await log.close();
  }
}

/** Everything that the log gives out. What it refuses is not there. */
async function readAll(log: Log, tables: readonly string[]): Promise<Content> {
  const found = new Map<string, string>();
  const ids: string[] = [];
  for (let seq = log.first; seq <= log.head; seq++) {
    const [entry] = (await unlessDamaged(() => log.read(seq, { limit: 1 }))) ?? [];
    if (entry === undefined) continue;
    found.set(`entry ${entry.seq}`, entry.text);
    ids.push(/^\{"id":"([^"]*)"/.exec(entry.text)?.[1] ?? "");
    for (const [name] of entry.text.matchAll(/sha256-[0-9a-f]{64}/g)) {
      const content = await unlessDamaged(() => log.blob(name));
      if (content !== undefined) found.set(`blob ${name}`, content);
    }
  }
  for (const id of ids) found.set(`find ${id}`, String(await unlessDamaged(() => log.find(id))));
  for (const table of tables) {
    for (const { key, json } of (await unlessDamaged(() => log.rows(table, { limit: 100_000 }))) ?? []) {
      found.set(`row ${table} ${key}`, json);
      found.set(`one row ${table} ${key}`, String(await unlessDamaged(() => log.row(table, key))));
    }
  }
  const root = await unlessDamaged(() => log.tree.root());
  if (root !== undefined) found.set("root", Buffer.from(root).toString("hex"));
  return found;
}

async function unlessDamaged<T>(read: () => T): Promise<Awaited<T> | undefined> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof FaultError && thrown.code === "LOG_DAMAGED") return undefined;
    throw thrown;
  }
}

function differences(a: Content, b: Content): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name));
}
