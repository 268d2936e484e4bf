// The commands that are written by hand, in the order of the help: each is loaded where it is asked for. What a command's file loads by
// itself is its grammar; its work, wherever that takes the kernel or the plugins, is loaded where it runs (ADR 0033).

import type { Cli } from "../cli.ts";
import type { Command } from "../command.ts";

/** Adds the command that it is named for. */
type AddCommand = (program: Command, cli: Cli) => void;

const handWritten: Readonly<Record<string, () => Promise<AddCommand>>> = {
  serve: async () => (await import("./serve.ts")).serveCommand,
  perform: async () => (await import("./perform.ts")).performCommand,
  apply: async () => (await import("./apply.ts")).applyCommand,
  batch: async () => (await import("./batch.ts")).batchCommand,
  explain: async () => (await import("./explain.ts")).explainCommand,
  messages: async () => (await import("./messages.ts")).messagesCommand,
  log: async () => (await import("./log-file.ts")).logCommand,
  tail: async () => (await import("./tail.ts")).tailCommand,
  top: async () => (await import("./top.ts")).topCommand,
  context: async () => (await import("./context.ts")).contextCommand,
  backup: async () => (await import("./backup.ts")).backupCommand,
  restore: async () => (await import("./restore.ts")).restoreCommand,
  key: async () => (await import("./key-rotate.ts")).keyCommand,
  admin: async () => (await import("./admin-recover.ts")).adminCommand,
  doctor: async () => (await import("./doctor.ts")).doctorCommand,
  health: async () => (await import("./health.ts")).healthCommand,
  rehearse: async () => (await import("./rehearse.ts")).rehearseCommand,
  receipt: async () => (await import("./receipt-verify.ts")).receiptCommand,
  config: async () => (await import("./config-show.ts")).configCommand,
  completion: async () => (await import("./completion.ts")).completionCommand,
  plugin: async () => (await import("./plugin-new.ts")).pluginCommand,
  protocol: async () => (await import("./protocol-new.ts")).protocolCommand,
  "exit-codes": async () => (await import("./exit-codes.ts")).exitCodesCommand,
};

/** Adds the one of that name, where there is one. */
export async function addHandWritten(program: Command, cli: Cli, name: string): Promise<void> {
  if (!Object.hasOwn(handWritten, name)) return;
  const add = await handWritten[name]?.();
  add?.(program, cli);
}

/** Adds all of them: for help, for completion, and to tell which word was meant. */
export async function addAllHandWritten(program: Command, cli: Cli): Promise<void> {
  for (const add of await Promise.all(Object.values(handWritten).map((load) => load()))) add(program, cli);
}
