// `capstan plugin new`: what it writes passes its own test, and overwrites nothing. That it compiles: new-compiles.test.ts.

import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../index.ts";
import { testIo } from "../test-io.ts";
import { pluginNames } from "./plugin-template.ts";

const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, CAPSTAN_JSON: undefined };

test("a new plugin passes its own test, in a directory with nothing else in it", async () => {
  const bare = testIo(env);
  expect(await run(["plugin", "new", "tea-time"], bare)).toBe(0);
  const tested = { ...testIo(env), cwd: bare.cwd };
  expect(await run(["plugin", "test", "tea-time"], tested)).toBe(0);
  expect(tested.err()).toContain(" 2 pass\n 0 fail");
  expect(tested.out()).toBe("");
  expect(readFileSync(join(bare.cwd, "tea-time", "README.md"), "utf8")).toContain("capstan plugin test tea-time");
}, 60_000);

test("a test that fails ends with 1, as does a package that nobody supplies", async () => {
  const bare = testIo(env);
  mkdirSync(join(bare.cwd, "odd"));
  writeFileSync(join(bare.cwd, "odd", "odd.test.ts"), 'import even from "is-even";\neven(1);\n');
  expect(await run(["plugin", "test", "odd", "--json"], bare)).toBe(1);
  expect(JSON.parse(bare.out())).toEqual({ plugin: "odd", passed: false });
  expect(bare.err()).toContain("Cannot find package 'is-even'");
  expect(await run(["plugin", "test", "nope"], bare)).toBe(65);
}, 60_000);

test("what is there stays", async () => {
  const io = testIo();
  mkdirSync(join(io.cwd, "tea-time"));
  writeFileSync(join(io.cwd, "tea-time", "mine.txt"), "mine");
  expect(await run(["plugin", "new", "tea-time"], io)).toBe(73);
  expect(io.err()).toBe("FILE_UNWRITABLE  ./tea-time cannot be made: it is there already; nothing was overwritten\n");
  expect(readFileSync(join(io.cwd, "tea-time", "mine.txt"), "utf8")).toBe("mine");
  expect(existsSync(join(io.cwd, "tea-time", "tea-time.ts"))).toBe(false);
});

test("a name is in lower case, with dashes, and no path", () => {
  expect(pluginNames("tea-time")).toEqual({ kebab: "tea-time", camel: "teaTime", upper: "TEA_TIME" });
  for (const bad of ["../x", "Tea", "tea_time", "", "-x", "a/b", "1st"]) expect(pluginNames(bad)).toBeUndefined();
});
