// `scope.at("berlin")`: a scope of the messages that can be addressed, which sets `at` in their data. Its calls are those of the scope that it
// was made from, under the same principal and grant; the plugin of the message interprets `at`. Chained, names are joined: "berlin/cairo".

import type { RpcTarget } from "capnweb";
import { FaultError } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import type { Awaitable } from "../log/log.ts";
import { messageSchema, parse } from "../message/parse.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import type { Caller } from "./caller.ts";
import { addMethod, closedTarget } from "./closed-target.ts";
import { optionsOf, rejecting, resourceClass } from "./scope-calls.ts";

/** A bound only: the message's own schema has the stricter rules. */
const LONGEST = 2000;

type AddressedClass = new (caller: Caller, where: string) => RpcTarget;

/** `undefined` where no message of the composition can be addressed. */
export function addressedScopeClass(composition: Composition): AddressedClass | undefined {
  const routes = [...composition.routes.values()].filter(
    ({ definition }) => definition.addressed === true && !definition.internal,
  );
  if (routes.length === 0) return undefined;
  const resources = new Map(
    [...new Set(routes.map(({ resource }) => resource))].map((resource) => [
      resource,
      resourceClass(
        resource,
        routes.filter((route) => route.resource === resource),
      ),
    ]),
  );

  class AddressedScope extends closedTarget("what is addressed", [...resources.keys(), "applyAction", "at"]) {
    readonly #caller: Caller;
    readonly #inner: Caller;
    readonly #where: string;

    constructor(caller: Caller, where: string) {
      super();
      this.#caller = caller;
      this.#where = where;
      // Its caller stays the parent scope's: releasing this scope does not release it.
      const { forwards } = caller;
      this.#inner = {
        ...(forwards === undefined ? {} : { forwards }),
        call: (route, data, options) => caller.call(route, addressed(data, where), options),
      };
    }

    static resource(scope: AddressedScope, name: string): RpcTarget {
      return new (resources.get(name) as new (caller: Caller) => RpcTarget)(scope.#inner);
    }

    static at(scope: AddressedScope, where: unknown): RpcTarget {
      return new AddressedScope(scope.#caller, `${scope.#where}/${whereOf(where)}`);
    }

    static send(scope: AddressedScope, message: unknown, options: unknown): Awaitable<unknown> {
      return rejecting(() => {
        const { data, ...named } = Object(message) as { readonly data?: unknown };
        const { resource, action } = parse("message", messageSchema, message instanceof Object ? named : message);
        const route = routes.find((one) => one.resource === resource && one.verb === action);
        if (route === undefined) throw notAddressed(composition.route(resource, action));
        return scope.#inner.call(route, data, optionsOf(scope.#inner, options));
      });
    }
  }

  addMethod(AddressedScope.prototype, "applyAction", {
    value(this: AddressedScope, message: unknown, options?: unknown) {
      return AddressedScope.send(this, message, options);
    },
  });
  addMethod(AddressedScope.prototype, "at", {
    value(this: AddressedScope, where: unknown) {
      return AddressedScope.at(this, where);
    },
  });
  for (const name of resources.keys()) {
    Object.defineProperty(AddressedScope.prototype, name, {
      get(this: AddressedScope) {
        return AddressedScope.resource(this, name);
      },
    });
  }
  return AddressedScope;
}

/** @throws FaultError MESSAGE_INVALID */
export function whereOf(where: unknown): string {
  if (typeof where === "string" && where !== "" && where.length <= LONGEST) return where;
  throw new FaultError({ code: "MESSAGE_INVALID", message: 'at: must be a name, such as "berlin" or "berlin/cairo"' });
}

/** The data with `at` set. Data that is no object stays as it is: the schema refuses it. */
function addressed(data: unknown, where: string): unknown {
  if (data === undefined) return { at: where };
  if (typeof data !== "object" || data === null || Array.isArray(data)) return data;
  const { at } = data as { readonly at?: unknown };
  return { ...data, at: at === undefined ? where : `${where}/${whereOf(at)}` };
}

function notAddressed({ name }: Route): FaultError {
  const text = `${printable(name)} is this node's own: it cannot be addressed to another; ask it of the scope itself`;
  return new FaultError({ code: "MESSAGE_UNKNOWN", message: text });
}
