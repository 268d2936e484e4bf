// `capstan plugin test DIR`: its tests, under the Bun that runs us, with zod and ours supplied. Nothing has to be installed.

import { statSync } from "node:fs";
import { resolve } from "node:path";
import { FaultError, fault, printable } from "@capstan/orchestrator/remote";
import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";
import { exitCodes } from "../fault/exit-codes.ts";
import { suppliedFiles } from "../settings/supplied-files.ts";

export function pluginTestCommand(plugin: Command, cli: Cli): void {
  plugin
    .command("test")
    .description("Run the tests of a plugin (*.test.ts), and tell of them on standard error.")
    .argument("<directory>", "the plugin's")
    .action((directory: string) => test(cli, directory))
    .examples("capstan plugin test tea-time");
}

async function test(cli: Cli, directory: string): Promise<void> {
  const { cwd, env, terminal, stderr } = cli.io;
  const path = resolve(cwd, directory);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new FaultError(fault("FILE_UNREADABLE", `${printable(directory)} is no directory; name the plugin's`));
  }
  using supplied = suppliedFiles();
  const child = Bun.spawn([process.execPath, "--no-install", "test", "--preload", supplied.preload, path], {
    cwd,
    env: {
      ...env,
      ...(terminal.stderr && !env.NO_COLOR ? { FORCE_COLOR: "1" } : {}),
      ...(Bun.isStandaloneExecutable ? { BUN_BE_BUN: "1" } : {}), // a compiled program is Bun as well
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  await Promise.all([child.stdout, child.stderr].map((stream) => pass(stream, stderr)));
  const passed = (await child.exited) === 0;
  if (cli.printer.json) cli.printer.data({ plugin: directory, passed });
  if (!passed) cli.exitCode = exitCodes.failed;
}

async function pass(stream: ReadableStream<Uint8Array>, write: (text: string) => void): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    write(text);
  }
}
