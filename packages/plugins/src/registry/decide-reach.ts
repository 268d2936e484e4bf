// Decides `action.reach`: a carrier notes ways to actions elsewhere, and neighbours that can be addressed. It cannot remove what another
// carrier noted.

import { next, type PluginContext } from "@capstan/orchestrator";
import { elsewhereTable, isActionName, type NeighbourNote, neighbourTable, type Reach } from "./elsewhere.ts";

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

export function decideNeighbour({ message, state }: PluginContext) {
  const { by, name, node } = message.data as NeighbourNote;
  if (node !== null) return next({ state: state.put(neighbourTable, name, { by, node }) });
  return state.get(neighbourTable, name)?.by === by ? next({ state: state.remove(neighbourTable, name) }) : next();
}
