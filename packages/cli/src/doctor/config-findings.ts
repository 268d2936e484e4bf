// The configuration: whether it loads and fits, and whether something looks like a setting and is none.

import { parseConfig } from "@capstan/orchestrator";
import { thrownFault } from "../fault/thrown.ts";
import { settings as known, type Setting } from "../settings/setting.ts";
import type { Settings } from "../settings/settings.ts";
import { shownPath } from "../settings/target.ts";
import { type Finding, Findings } from "./finding.ts";

export async function configFindings(settings: Settings, cwd: string): Promise<readonly Finding[]> {
  const found = new Findings("config");
  for (const warning of settings.unknownVariables()) found.warn(warning, "unset it, or set the one that was meant");
  try {
    const file = await settings.file();
    for (const { key, name } of Object.values<Setting>(known)) {
      const { value, where = "the settings" } = await settings.get(name as keyof typeof known);
      if (key !== undefined && value !== undefined) parseConfig({ [key]: value }, where);
    }
    if (found.list.length === 0) found.ok(file === undefined ? "defaults and flags" : shownPath(file.path, cwd));
  } catch (thrown) {
    const { code, message } = thrownFault(thrown);
    found.fail(`${code}: ${message}`, "mend it: the node does not start with it");
  }
  return found.list;
}
