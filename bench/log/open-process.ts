// Opens the log at the path given, in a process that has done nothing else, and says what that took.

import { sqliteLog } from "@capstan/orchestrator";

const [path = ""] = process.argv.slice(2);
const before = process.memoryUsage.rss();
const start = performance.now();
const log = sqliteLog(path);
const ms = performance.now() - start;
const bytes = process.memoryUsage.rss() - before;
process.stdout.write(JSON.stringify({ ms, bytes, head: log.head }));
await log.close();
