// Whatever people have in their hands that names a message: its id, an entry's number, or the id of what came of it.

import { siblingId } from "@capstan/orchestrator/remote";
import type { Send } from "./ask.ts";

export const NAMES_MESSAGE = "of a message (m-…), an execution (x-…) or a dead letter (d-…); or an entry's number";

/** What `log.explain` takes: in the same round trip, on the promise of the entry where that was named. */
export function messageNamed(send: Send, named: string): { readonly id: unknown } {
  if (/^\d+$/.test(named)) return { id: send("log.show", { entry: Number(named) }).id };
  return { id: /^[xd]-/.test(named) ? siblingId(named, "m") : named };
}
