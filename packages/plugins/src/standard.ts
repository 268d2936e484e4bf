// The default composition and its order.

import type { MessagesOf } from "@capstan/orchestrator";
import { auth } from "./auth/auth.ts";
import { deadLetter } from "./dead-letter/dead-letter.ts";
import { executor } from "./executor/executor.ts";
import { type HttpOptions, http } from "./executor/http/http.ts";
import { type ModuleOptions, module } from "./executor/module/module.ts";
import { process } from "./executor/process/process.ts";
import type { Protocol } from "./executor/protocol.ts";
import { script } from "./executor/script/script.ts";
import type { SecretSources } from "./executor/secret/secret-sources.ts";
import { ledger } from "./ledger/ledger.ts";
import { type PeeringOptions, peerPropagation } from "./peer-propagation/peer-propagation.ts";
import { type PublisherOptions, publisher } from "./publisher/publisher.ts";
import { registry } from "./registry/registry.ts";

export interface StandardOptions {
  /** Where modules may lie. */
  readonly modules?: ModuleOptions;
  /** Where requests may go besides public addresses. */
  readonly http?: HttpOptions;
  /** Protocols besides the built-in ones. */
  readonly protocols?: readonly Protocol[];
  /** Where secrets come from, besides `env:` and `file:`. */
  readonly secrets?: SecretSources;
  /** How patient deliveries are, and how many run at once. */
  readonly publisher?: PublisherOptions;
  /** Of which domain the node is to its peers, and how long things take between them. */
  readonly peering?: Omit<PeeringOptions, "secrets">;
}

/** The default composition: the plugins in their order. Spread it to add or replace some. */
export function standard(options: StandardOptions = {}) {
  const { modules, http: requests, protocols = [], secrets, publisher: deliveries, peering } = options;
  return [
    auth(), // adds the authority that everything after it needs
    registry(), // adds the actions that the executor performs
    deadLetter(), // adds what takes in work that has no attempt left
    executor({ protocols: [module(modules), script(), http(requests), process(), ...protocols], secrets }),
    publisher(deliveries), // hands on what was done to whoever subscribed
    peerPropagation({ ...peering, secrets }), // adds the ways to what other nodes have, and tells them what is here
    ledger(), // reads what all of them did
  ] as const;
}

/** The messages of the default composition: types a client's scope. */
export type StandardMessages = MessagesOf<ReturnType<typeof standard>>;
