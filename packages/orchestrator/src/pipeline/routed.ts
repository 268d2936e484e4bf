// Where a message goes that a plugin made: plugins make them of callers' data, so that one may fit nothing.

import { type Fault, fault, faultOf } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { type Message, messageName, type Principal } from "../message/message.ts";
import { parse } from "../message/parse.ts";
import type { Composition, Route } from "../plugin/composition.ts";

export type Routed = { readonly route: Route; readonly data: unknown } | { readonly error: Fault };

/** The message's route and its data, parsed; or why it cannot be decided. Of the node's own (`as` undefined) any is taken. */
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

/** What of a value the log can keep. */
export function jsonOf(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? "null");
  } catch {
    return null;
  }
}
