// The commands of `capstan --help`, in groups: who looks for one knows what it is for before what it is called.

import type { Command } from "../command.ts";

/** That of commander's own `help` as well. */
export const HERE = "Here:";
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "Run a node:": ["serve", "doctor", "health", "top", "config", "backup", "restore", "rehearse", "key", "admin"],
  "Ask a node:": ["perform", "apply", "batch", "explain", "tail", "log", "messages"],
  [HERE]: ["context", "receipt", "plugin", "protocol", "completion", "exit-codes"],
};
/** Those that come out of message tables, a plugin's of one's own among them. */
const MESSAGES = "Messages, capstan RESOURCE VERB:";

export function groupCommands(program: Command): void {
  for (const command of program.commands) {
    const group = Object.keys(GROUPS).find((heading) => GROUPS[heading]?.includes(command.name()));
    command.helpGroup(group ?? MESSAGES);
  }
}
