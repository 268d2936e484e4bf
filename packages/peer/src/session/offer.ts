// Our open message. It is an offer: what comes of it is in negotiate.ts.

import { type Open, VERSIONS } from "../wire/message.ts";
import type { SessionContext } from "./context.ts";

/** Named one by one: an open that came from elsewhere may have more in it. */
export type Offer = Pick<
  Open,
  "type" | "versions" | "node" | "name" | "domain" | "key" | "epoch" | "holdTime" | "nonce" | "secrets" | "capabilities"
>;

/** RFC 4271 §4.2: a hold time is never, or three seconds and more. */
const SHORTEST_HOLD_SECONDS = 3;

/** `secrets`: the dialler lists all that it has, the acceptor the one that it takes. */
export function offer({ config, nonce }: SessionContext, secrets: readonly string[]): Offer {
  const { node, name, domain, key, epoch } = config.local;
  const holdTime = config.holdTime === 0 ? 0 : Math.max(SHORTEST_HOLD_SECONDS, Math.ceil(config.holdTime / 1000));
  return {
    type: "open",
    versions: [...VERSIONS],
    node,
    name,
    domain,
    key,
    epoch,
    holdTime,
    nonce: nonce(),
    secrets: [...secrets],
    capabilities: [...config.capabilities],
  };
}
