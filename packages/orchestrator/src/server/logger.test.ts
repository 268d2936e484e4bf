// The node's log is read on terminals: whatever somebody calls themselves, or has an action log, stays a value in its line.

import { expect, test } from "bun:test";
import { createLogger } from "./logger.ts";

const EVIL = "a\u001b[2J\r\n\u009b31m\u202e\u2066\u200b\u2028\u{e0041}\u007f\ud800";

function linesOf(write: (log: ReturnType<typeof createLogger>) => void): Promise<string[]> {
  const lines: string[] = [];
  const log = createLogger({ level: "debug", destination: { write: (line) => void lines.push(line) } });
  write(log);
  return log.flush().then(() => lines);
}

test("what moves a cursor, hides or turns a line around is escaped, and the value is the same", async () => {
  const decided = { id: "m-1", message: "a.b", principal: "bob", verdict: "done", entry: 1 };
  const lines = await linesOf(({ logger, observe }) => {
    logger.warn({ error: EVIL, deep: { er: EVIL } }, EVIL);
    logger.info({ name: "Łódź" }, "plain");
    observe({ ...decided, correlation: EVIL });
  });
  expect(lines).toHaveLength(3);
  for (const line of lines) {
    expect(line).toEndWith("}\n");
    expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  }
  expect(JSON.parse(lines[0] as string)).toMatchObject({ error: EVIL, deep: { er: EVIL }, msg: EVIL });
  expect(lines[1]).toContain('"name":"Łódź"');
  expect(JSON.parse(lines[2] as string).correlation).toContain("\\u202e");
});
