// `capstan protocol new`: what it writes passes the suite that every protocol passes, and overwrites nothing. That it
// compiles: new-compiles.test.ts.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../index.ts";
import { testIo } from "../test-io.ts";

const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, CAPSTAN_JSON: undefined };

test("a new protocol passes the suite of every protocol, in a directory with nothing else in it", async () => {
  const bare = testIo(env);
  expect(await run(["protocol", "new", "line-printer"], bare)).toBe(0);
  const tested = { ...testIo(env), cwd: bare.cwd };
  const code = await run(["plugin", "test", "line-printer"], tested);
  expect(tested.err()).toContain(" 15 pass\n 0 fail");
  expect(code).toBe(0);
  expect(readFileSync(join(bare.cwd, "line-printer", "README.md"), "utf8")).toContain(
    "capstan plugin test line-printer",
  );
}, 60_000);

test("stands beside the messages about protocols", async () => {
  const io = testIo(env);
  expect(await run(["protocol", "--help"], io)).toBe(0);
  for (const verb of ["new", "list", "describe", "test"]) expect(io.out()).toContain(`  ${verb} `);
});

test("what is there stays, and a name is in lower case, with dashes, and no path", async () => {
  const io = testIo();
  mkdirSync(join(io.cwd, "line-printer"));
  expect(await run(["protocol", "new", "line-printer"], io)).toBe(73);
  expect(io.err()).toBe(
    "FILE_UNWRITABLE  ./line-printer cannot be made: it is there already; nothing was overwritten\n",
  );
  expect(existsSync(join(io.cwd, "line-printer", "line-printer.ts"))).toBe(false);
  const bad = testIo();
  expect(await run(["protocol", "new", "../x"], bad)).toBe(64);
  expect(bad.err()).toContain("write one like line-printer");
});
