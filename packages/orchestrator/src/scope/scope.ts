// What a caller holds: an object whose resources and verbs are exactly the message table's, less the internal ones, and
// `applyAction`. It is generated, so that no method can go around the pipeline. capnweb reaches prototypes and getters only;
// whatever a scope keeps lies behind a private name.

import type { RpcTarget } from "capnweb";
import type { Awaitable } from "../log/log.ts";
import { messageSchema, parse } from "../message/parse.ts";
import type { Composition } from "../plugin/composition.ts";
import { addressedScopeClass, whereOf } from "./addressed-scope.ts";
import type { Caller } from "./caller.ts";
import { addMethod, closedTarget } from "./closed-target.ts";
import { optionsOf, rejecting, resourceClass } from "./scope-calls.ts";

/** A class of scopes for a composition: made once, so that every scope shares its prototypes. */
export function scopeClass(composition: Composition): new (caller: Caller) => RpcTarget {
  const resources = new Map<string, new (caller: Caller) => RpcTarget>();
  const open = [...composition.routes.values()].filter(({ definition }) => !definition.internal);
  for (const [resource, routes] of Map.groupBy(open, (route) => route.resource))
    resources.set(resource, resourceClass(resource, routes));
  const Addressed = addressedScopeClass(composition);
  const own = Addressed === undefined ? ["applyAction"] : ["applyAction", "at"];

  class GeneratedScope extends closedTarget("the scope", [...resources.keys(), ...own]) {
    readonly #caller: Caller;
    readonly #resources = new Map<string, RpcTarget>();

    constructor(caller: Caller) {
      super();
      this.#caller = caller;
    }

    static resource(scope: GeneratedScope, name: string): RpcTarget {
      let target = scope.#resources.get(name);
      if (target === undefined) {
        const Resource = resources.get(name) as new (caller: Caller) => RpcTarget;
        target = new Resource(scope.#caller);
        scope.#resources.set(name, target);
      }
      return target;
    }

    static send(scope: GeneratedScope, message: unknown, options: unknown): Awaitable<unknown> {
      return rejecting(() => {
        // The data is left out here: its own schema parses it later, and until then it may hold a callback.
        const { data, ...named } = Object(message) as { readonly data?: unknown };
        const { resource, action } = parse("message", messageSchema, message instanceof Object ? named : message);
        return scope.#caller.call(composition.route(resource, action), data, optionsOf(scope.#caller, options));
      });
    }

    static at(scope: GeneratedScope, where: unknown): RpcTarget {
      return new (Addressed as NonNullable<typeof Addressed>)(scope.#caller, whereOf(where));
    }

    [Symbol.dispose](): void {
      this.#caller.dispose?.();
    }
  }

  addMethod(GeneratedScope.prototype, "applyAction", {
    value(this: GeneratedScope, message: unknown, options?: unknown) {
      return GeneratedScope.send(this, message, options);
    },
  });
  if (Addressed !== undefined) {
    addMethod(GeneratedScope.prototype, "at", {
      value(this: GeneratedScope, where: unknown) {
        return GeneratedScope.at(this, where);
      },
    });
  }
  for (const name of resources.keys()) {
    Object.defineProperty(GeneratedScope.prototype, name, {
      get(this: GeneratedScope) {
        return GeneratedScope.resource(this, name);
      },
    });
  }
  return GeneratedScope;
}
