// The default composition and its order. `publisher` and `peer-propagation` belong between executor and ledger.

import type { MessagesOf } from "@capstan/orchestrator";
import { auth } from "./auth/auth.ts";
import { deadLetter } from "./dead-letter/dead-letter.ts";
import { executor } from "./executor/executor.ts";
import { type ModuleOptions, module } from "./executor/module/module.ts";
import { ledger } from "./ledger/ledger.ts";
import { registry } from "./registry/registry.ts";

export interface StandardOptions {
  /** Where modules may lie. */
  readonly modules?: ModuleOptions;
}

export function standard({ modules }: StandardOptions = {}) {
  return [
    auth(), // adds the authority that everything after it needs
    registry(), // adds the actions that the executor performs
    deadLetter(), // adds what takes in work that has no attempt left
    executor({ protocols: [module(modules)] }),
    ledger(), // reads what all of them did
  ] as const;
}

/** The messages of the default composition: types a client's scope. */
export type StandardMessages = MessagesOf<ReturnType<typeof standard>>;
