// The standard plugins, as the settings in force want them.

import { join } from "node:path";
import type { AnyPlugin } from "@capstan/orchestrator";
import { FaultError, fault } from "@capstan/orchestrator/remote";
import type { Settings } from "./settings.ts";

/** @throws FaultError CONFIG_UNKNOWN where what http may reach cannot be read */
export async function standardPlugins(settings: Settings, data: string): Promise<readonly AnyPlugin[]> {
  const { standard } = await import("@capstan/plugins");
  const directories = (await settings.get("modules")).value as readonly string[];
  const { value, where } = await settings.get("httpAllow");
  try {
    const http = { allow: value as readonly string[] };
    return standard({ modules: { directories, cache: join(data, "modules") }, http }) as readonly AnyPlugin[];
  } catch (error) {
    if (!(error instanceof TypeError) || where === undefined) throw error;
    throw new FaultError(fault("CONFIG_UNKNOWN", `${where}: ${error.message.replace(/^http: allow: /, "")}`));
  }
}
