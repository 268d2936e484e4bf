// Noting by which ways actions elsewhere can be reached. A way that somebody else noted is not taken away.

import { next, type PluginContext } from "@capstan/orchestrator";
import { elsewhereTable, isActionName, type Reach } from "./elsewhere.ts";

export function decideReach({ message, state: before }: PluginContext) {
  const { by, changes } = message.data as Reach;
  let state = before;
  for (const { name, way } of changes) {
    if (way !== null) {
      if (isActionName(name)) state = state.put(elsewhereTable, name, { by, ...way });
    } else if (state.get(elsewhereTable, name)?.by === by) state = state.remove(elsewhereTable, name);
  }
  return next({ state });
}
