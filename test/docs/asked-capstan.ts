// `capstan` on a page's PATH: `asked-capstan.ts SOCKET …` has the command run by warm-capstan.ts, and writes and ends as it did.

import { writeSync } from "node:fs";
import type { Answered, AskedCommand } from "./warm-capstan.ts";

const [socket, ...argv] = process.argv.slice(2);
const stdin = Buffer.from(await Bun.stdin.bytes()).toString("base64");
const asked: AskedCommand = { argv, cwd: process.cwd(), env: process.env, stdin };
const response = await fetch("http://capstan/", {
  unix: socket as string,
  method: "POST",
  body: JSON.stringify(asked),
});
const { written, code } = (await response.json()) as Answered;
try {
  for (const [stream, text] of written) {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(stream, bytes, at);
  }
} catch (thrown) {
  // Whoever read it has seen enough, as in `capstan log list | head`.
  if ((thrown as { code?: string }).code !== "EPIPE") throw thrown;
}
process.exit(code);
