// The process of warm-programs.ts: takes a program from its input, runs it, and tells its exit code on descriptor 3 once nothing is
// left to do ("beforeExit"): that it ends by itself is part of what a page shows. What is thrown at large ends this process.

import { readSync, writeSync } from "node:fs";
import type { ProgramJob } from "./warm-programs.ts";

const LINE_END = 10;
let code: number | undefined;
let count = 0;

process.on("beforeExit", async () => {
  if (code !== undefined) writeSync(3, new Uint8Array([code || Number(process.exitCode ?? 0)]));
  const job = asked();
  if (job === undefined) process.exit(0);
  code = 0;
  process.exitCode = 0;
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const [name, value] of Object.entries(job.env)) if (value !== undefined) process.env[name] = value;
  process.chdir(job.cwd);
  try {
    // A module that another program imported before is evaluated again where it is a program itself.
    await import(`${job.path}?program=${++count}`);
  } catch (thrown) {
    console.error(thrown);
    code = 1;
  }
});

/** Waits for the next one, and lets nothing else happen meanwhile. */
function asked(): ProgramJob | undefined {
  const chunks: Buffer[] = [];
  while (chunks.at(-1)?.at(-1) !== LINE_END) {
    const chunk = Buffer.alloc(65_536);
    const length = readSync(0, chunk);
    if (length === 0) return undefined;
    chunks.push(chunk.subarray(0, length));
  }
  return JSON.parse(Buffer.concat(chunks).toString());
}
