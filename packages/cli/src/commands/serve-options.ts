// The flags of `serve`, which `config show` takes too, so that one can ask what they would come to.

import { Option } from "commander";
import type { Command } from "../command.ts";
import { type Setting, settings } from "../settings/setting.ts";

const repeated = (text: string, before: string[] = []): string[] => [...before, text];

export function addServeOptions(command: Command): void {
  for (const setting of Object.values<Setting>(settings)) {
    const { flag, kind, summary, name, variable, bare } = setting;
    // The others are the program's own, and known everywhere.
    if (
      flag === undefined ||
      ["config", "data", "url", "token", "tokenFile", "ca", "serverPin", "context"].includes(name)
    )
      continue;
    const value = kind === "boolean" ? "" : bare === undefined ? " <value>" : " [value]";
    const option = new Option(`${flag}${value}`, `${summary} (${variable})`);
    if (bare !== undefined) option.preset(bare);
    command.addOption(kind === "list" ? option.argParser(repeated) : option);
  }
}
