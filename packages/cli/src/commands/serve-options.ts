// The flags of `serve`, which `config show` takes too, so that one can ask what they would come to.

import { type Command, Option } from "commander";
import { type Setting, settings } from "../settings/setting.ts";

const repeated = (text: string, before: string[] = []): string[] => [...before, text];

export function addServeOptions(command: Command): void {
  for (const setting of Object.values<Setting>(settings)) {
    const { flag, kind, summary, name, variable } = setting;
    // The others are the program's own, and known everywhere.
    if (flag === undefined || ["config", "data", "url", "token", "tokenFile", "ca", "context"].includes(name)) continue;
    const option = new Option(kind === "boolean" ? flag : `${flag} <value>`, `${summary} (${variable})`);
    command.addOption(kind === "list" ? option.argParser(repeated) : option);
  }
}
