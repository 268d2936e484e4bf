// Finds the route of a message that a plugin made. Plugins make them from callers' data, so that one may fit no schema, or not exist.

import { type Fault, fault, faultOf } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { type Message, messageName, type Principal } from "../message/message.ts";
import { parse } from "../message/parse.ts";
import type { Composition, Route } from "../plugin/composition.ts";

export type Routed = { readonly route: Route; readonly data: unknown } | { readonly error: Fault };

/** The message's route and its parsed data; or why it cannot be decided. Only in the node's own name (`as` undefined) may it be internal. */
export function routed(composition: Composition, message: Message, as: Principal | undefined): Routed {
  try {
    const route = composition.route(message.resource, message.action);
    if (as !== undefined && route.definition.internal) {
      const name = printable(messageName(message));
      return { error: fault("MESSAGE_INTERNAL", `${name} is internal: only the node itself sends it`) };
    }
    return { route, data: parse(route.name, route.definition.data, message.data) };
  } catch (thrown) {
    return { error: faultOf(thrown) };
  }
}

/** The value as JSON has it; `null` where JSON has no such value. */
export function jsonOf(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? "null");
  } catch {
    return null;
  }
}
