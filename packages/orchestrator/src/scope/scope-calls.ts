// The parts of a generated scope: a class for each resource, with a method for each verb, and how its calls are made.

import type { RpcTarget } from "capnweb";
import type { Awaitable } from "../log/log.ts";
import type { ForwardedOptions } from "../message/message.ts";
import { parseForwarded, parseOptions } from "../message/parse.ts";
import type { Route } from "../plugin/composition.ts";
import type { Caller } from "./caller.ts";
import { addMethod, closedTarget } from "./closed-target.ts";

export function optionsOf({ forwards }: Caller, options: unknown): ForwardedOptions {
  return forwards === true ? parseForwarded(options) : parseOptions(options);
}

/** Turns a thrown refusal into a rejection: a caller in this process expects a promise. */
export function rejecting(call: () => Awaitable<unknown>): Awaitable<unknown> {
  try {
    return call();
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

/** @param open the resource's routes that can be asked */
export function resourceClass(resource: string, open: readonly Route[]): new (caller: Caller) => RpcTarget {
  class GeneratedResource extends closedTarget(
    resource,
    open.map(({ verb }) => verb),
  ) {
    readonly #caller: Caller;

    constructor(caller: Caller) {
      super();
      this.#caller = caller;
    }

    static send(target: GeneratedResource, route: Route, data: unknown, options: unknown): Awaitable<unknown> {
      return rejecting(() => target.#caller.call(route, data, optionsOf(target.#caller, options)));
    }
  }

  for (const route of open) {
    addMethod(GeneratedResource.prototype, route.verb, {
      value(this: GeneratedResource, data?: unknown, options?: unknown) {
        return GeneratedResource.send(this, route, data, options);
      },
    });
  }
  return GeneratedResource;
}
