import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../index.ts";
import { testIo } from "../test-io.ts";

// In a directory where nothing else is right either: it is the file that is told of.
for (const words of [
  "restore FILE",
  "log verify FILE",
  "log salvage FILE --out new.db",
  "rehearse --grant g-2 --revoke --file FILE",
])
  test(`${words} tells first that the file is not there, or is a directory`, async () => {
    const io = testIo();
    mkdirSync(join(io.cwd, "logs"));
    const told = async (file: string) => [await run(words.replace("FILE", file).split(" "), io), io.err()];
    expect(await told("nope")).toEqual([
      ...[65, "FILE_UNREADABLE  nope cannot be read: there is no such file or directory\n"],
    ]);
    expect(await told("logs")).toEqual([
      ...[65, expect.stringContaining("FILE_UNREADABLE  logs cannot be read: it is a directory\n")],
    ]);
  });

test("a directory without a node is told the same by whoever needs its key", async () => {
  for (const [words, todo] of [
    ["admin recover", "name the node's with --data"],
    ["restore package.json", "put the node's there"],
  ] as const) {
    const io = testIo();
    await Bun.write(join(io.cwd, "package.json"), "{}");
    expect(await run(words.split(" "), io)).toBe(78);
    expect(io.err()).toStartWith("NODE_KEY_MISSING  there is no node.key in ./.capstan: ");
    expect(io.err()).toContain(todo);
  }
});
