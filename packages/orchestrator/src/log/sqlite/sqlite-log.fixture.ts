// A second process for the tests of the lock and of dying: `bun sqlite-log.fixture.ts hold|write|erase <path>`. It says on
// standard output what it has, until it is killed: `open <pid>` or `refused <code>`, and `write` the head after each group.
// `erase` dies by itself, between an erasure that is durable and the emptying of the WAL.

import { Database } from "bun:sqlite";
import { writeSync } from "node:fs";
import { faultOf } from "../../fault/fault.ts";
import { sampleMaker } from "../conformance/sample.ts";
import type { Log } from "../log.ts";
import { sqliteLog } from "./sqlite-log.ts";

const [task, path] = process.argv.slice(2) as [string, string];
const log = openOrSay(path);
writeSync(1, `open ${process.pid}\n`);

if (task === "write") {
  const sample = sampleMaker();
  for (let size = 1; ; size = (size % 7) + 1) {
    const head = log.head;
    const group = Array.from({ length: size }, (_, i) =>
      sample.entry({ body: "x".repeat(500), rows: [{ table: "seq", key: String(head + i + 1), json: String(head) }] }),
    );
    await log.append(head, group);
    // Straight to the pipe: what the parent has read was acknowledged.
    writeSync(1, `${log.head}\n`);
  }
}

if (task === "erase") {
  const sample = sampleMaker();
  await log.append(0, [sample.entry({ parts: { b: '"what is to be gone"', t: '"what stays"' } })]);
  const run = Database.prototype.run;
  Database.prototype.run = function (this: Database, sql: string, ...bindings: never[]) {
    if (sql.includes("TRUNCATE")) process.kill(process.pid, "SIGKILL");
    return run.call(this, sql, ...bindings);
  } as typeof run;
  await log.append(1, [sample.entry({ parts: { b: "{}" }, erases: [{ seq: 1, parts: ["b"] }] })]);
}

// `hold`: until it is killed.
process.stdin.resume();

function openOrSay(file: string): Log {
  try {
    return sqliteLog(file);
  } catch (thrown) {
    writeSync(1, `refused ${faultOf(thrown).code}\n`);
    process.exit(1);
  }
}
