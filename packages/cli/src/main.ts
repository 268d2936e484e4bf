#!/usr/bin/env -S bun --no-install
// The `capstan` program: runs the command line in this process and ends with its exit code.

import { outputLost, run } from "./index.ts";
import { processIo } from "./io.ts";

const argv = process.argv.slice(2);
const io = processIo();
// Whoever read our output has seen enough, as in `capstan log list | head`.
process.stdout.on("error", (error: { code?: string }) =>
  process.exit(error.code === "EPIPE" ? 0 : outputLost(argv, io, error)),
);

const code = await run(argv, io);
// Bun answers for an empty write before those ahead of it are through: a pipe would lose all but its first 64 KiB.
await new Promise<void>((resolve) => process.stdout.end(() => resolve()));
await new Promise<void>((resolve) => process.stderr.end(() => resolve()));
process.exit(code);
