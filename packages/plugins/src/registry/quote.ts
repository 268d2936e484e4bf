// How a name that a caller chose is shown to people: quoted, escaped and short.

import { printable } from "@capstan/orchestrator/remote";

const LONGEST_SHOWN = 64;

/** `"name"`: quoted, escaped, cut at 64 characters. */
export function quote(text: string): string {
  return printable(JSON.stringify(text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text));
}
