// What is said of an action that there is not: by the registry that looks it up, and by whoever wants to perform it.

import { type Fault, nearest } from "@capstan/orchestrator";

export function unknownAction(name: string, known: readonly string[]): Fault {
  const suggestion = nearest(name, known);
  const hint = suggestion === undefined ? "action.list names all" : `did you mean "${suggestion}"?`;
  return { code: "ACTION_UNKNOWN", message: `there is no action "${name}"; ${hint}` };
}
