// Whether the data directory's own server is away: then its files can be read. Somebody else's may well answer where it would.

import type { Fault } from "@capstan/orchestrator/remote";

const AWAY = ["UNREACHABLE", "CREDENTIAL_MISSING", "CREDENTIAL_INVALID"];

/** `code`: why no answer was had, where no server was named. */
export function isAway({ code }: Pick<Fault, "code">): boolean {
  return AWAY.includes(code);
}
