// What a caller holds: an object whose resources and verbs are exactly the message table's, less the internal ones, and
// `applyAction`. It is generated, so that no method can go around the pipeline. capnweb reaches prototypes and getters only;
// whatever a scope keeps lies behind a private name.

import type { RpcTarget } from "capnweb";
import type { z } from "zod";
import type { Awaitable } from "../log/log.ts";
import type { MessageDefinition } from "../message/definition.ts";
import type { CallOptions, ForwardedOptions, Message } from "../message/message.ts";
import { messageSchema, parse, parseForwarded, parseOptions } from "../message/parse.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import { addMethod, closedTarget } from "./closed-target.ts";

/** Where a scope's calls go: bound to a principal and a grant by whoever made it. */
export interface Caller {
  /** It is a node that may say where a call comes from: `via` and `hops` are options of its calls, and of nobody else's. */
  readonly forwards?: boolean;
  call(route: Route, data: unknown, options: ForwardedOptions): Awaitable<unknown>;
  /** The scope was released. */
  dispose?(): void;
}

type Method<Definition> =
  Definition extends MessageDefinition<infer Data, infer Result>
    ? (
        ...args: Record<never, never> extends z.input<Data>
          ? [data?: z.input<Data>, options?: CallOptions]
          : [data: z.input<Data>, options?: CallOptions]
      ) => Promise<z.output<Result>>
    : never;

type OpenVerbs<Verbs> = {
  readonly [Verb in keyof Verbs as Verbs[Verb] extends { readonly internal: true } ? never : Verb]: Method<Verbs[Verb]>;
};

/** The scope of a message table, by type. */
export type Scope<Messages> = { readonly [Resource in keyof Messages]: OpenVerbs<Messages[Resource]> } & {
  applyAction(message: Message, options?: CallOptions): Promise<unknown>;
} & Disposable;

/** A class of scopes for a composition: made once, so that every scope shares its prototypes. */
export function scopeClass(composition: Composition): new (caller: Caller) => RpcTarget {
  const resources = new Map<string, new (caller: Caller) => RpcTarget>();
  for (const { resource, definition } of composition.routes.values()) {
    if (!definition.internal && !resources.has(resource)) resources.set(resource, resourceClass(composition, resource));
  }

  class GeneratedScope extends closedTarget("the scope", [...resources.keys(), "applyAction"]) {
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
        // Its data is parsed by its own schema, and may hold a callback until then.
        const { data, ...named } = Object(message) as { readonly data?: unknown };
        const { resource, action } = parse("message", messageSchema, message instanceof Object ? named : message);
        return scope.#caller.call(composition.route(resource, action), data, optionsOf(scope.#caller, options));
      });
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
  for (const name of resources.keys()) {
    Object.defineProperty(GeneratedScope.prototype, name, {
      get(this: GeneratedScope) {
        return GeneratedScope.resource(this, name);
      },
    });
  }
  return GeneratedScope;
}

function optionsOf({ forwards }: Caller, options: unknown): ForwardedOptions {
  return forwards === true ? parseForwarded(options) : parseOptions(options);
}

/** Whoever calls in this process expects a promise, of a refusal too. */
function rejecting(call: () => Awaitable<unknown>): Awaitable<unknown> {
  try {
    return call();
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}

function resourceClass(composition: Composition, resource: string): new (caller: Caller) => RpcTarget {
  const open = [...composition.routes.values()].filter(
    (route) => route.resource === resource && !route.definition.internal,
  );

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
