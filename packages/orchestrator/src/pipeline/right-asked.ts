// Whether a principal has a right that is no message, such as `file.read`. The plugins up to the authority are asked as if it were a query,
// and nothing comes of it.

import { z } from "zod";
import type { Fault } from "../fault/fault.ts";
import { query } from "../message/definition.ts";
import { NO_FACTS, type Principal } from "../message/message.ts";
import type { Authority, Right } from "../plugin/token.ts";
import type { Enveloper } from "./enveloper.ts";
import type { Tip } from "./tip.ts";

export interface RightParts {
  readonly enveloper: Enveloper;
  readonly tip: Tip;
}

const definition = query({
  summary: "A right to what is no message.",
  data: z.strictObject({ name: z.string() }),
  result: z.unknown(),
  // A right's name stands in no namespace.
  about: "id",
  target: ({ name }) => name,
});

/** Why the grant of `as` does not cover the right; `undefined` where it does. */
export function rightRefused(parts: RightParts, right: Right, as: Principal): Fault | undefined {
  const asked = rightAsked(parts, right, as);
  return "code" in asked ? asked : undefined;
}

/** The authority of `as` as of now, where its grant covers the right; or why it does not. */
export function rightAsked({ enveloper, tip }: RightParts, right: Right, as: Principal): Authority | Fault {
  const { resource, verb, name } = right;
  const to = { name: `${resource}.${verb}`, resource, verb, definition };
  const envelope = enveloper.prepared(enveloper.envelope(to, Object.freeze({ name }), as, {}, {}), NO_FACTS);
  const decision = tip.askAuthority(envelope, to);
  switch (decision.kind) {
    case "done":
      return decision.authority;
    case "refused":
      return decision.error;
    case "held":
      return { code: "REFUSED", message: `${resource}.${verb}:${name}: a right cannot be held`, id: envelope.id };
    default:
      return decision satisfies never;
  }
}
