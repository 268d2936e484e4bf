import { expect, test } from "bun:test";
import { Cli } from "../cli.ts";
import { Command } from "../command.ts";
import { testIo } from "../test-io.ts";
import { addAllHandWritten, addHandWritten } from "./hand-written.ts";

test("a command that is loaded by its name is the one that is called so", async () => {
  const all = new Command();
  await addAllHandWritten(all, new Cli(testIo()));
  expect(all.commands.length).toBeGreaterThan(20);
  for (const name of all.commands.map((command) => command.name())) {
    const one = new Command();
    await addHandWritten(one, new Cli(testIo()), name);
    expect(one.commands.map((command) => command.name())).toEqual([name]);
  }
});

test("no other word loads anything", async () => {
  const none = new Command();
  for (const word of ["", "bogus", "constructor", "__proto__"]) await addHandWritten(none, new Cli(testIo()), word);
  expect(none.commands).toEqual([]);
});
