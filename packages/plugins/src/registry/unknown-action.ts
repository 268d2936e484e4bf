// The fault for an action that does not exist, for the registry and the executor alike.

import { type Fault, nearest } from "@capstan/orchestrator";

export function unknownAction(name: string, known: readonly string[]): Fault {
  const suggestion = nearest(name, known);
  const hint = suggestion === undefined ? "action.list names all" : `did you mean "${suggestion}"?`;
  return { code: "ACTION_UNKNOWN", message: `there is no action "${name}"; ${hint}` };
}
