// What a remote object says of a member that it does not have: a fault that names the nearest one, where capnweb would answer
// with the engine's own text. It changes nothing of what there is: known members are found before it is asked.

import { RpcTarget } from "capnweb";
import { FaultError } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { nearest } from "../message/nearest.ts";

/** Asked for by promises and by JSON of every object; neither is a caller's mistake. */
const ASKED_OF_ANYTHING = new Set<string | symbol>(["then", "toJSON"]);

/** A base class for targets: `what` names the object in the fault, `members` what it has. */
export function closedTarget(what: string, members: readonly string[]): new () => RpcTarget {
  class ClosedTarget extends RpcTarget {}
  const unknown = new Proxy(Object.create(RpcTarget.prototype) as object, {
    get(target, name, receiver) {
      if (typeof name === "symbol" || ASKED_OF_ANYTHING.has(name) || name in target)
        return Reflect.get(target, name, receiver);
      const suggestion = nearest(name, members);
      const hint = suggestion === undefined ? `it has ${listed(members)}` : `did you mean ${suggestion}?`;
      throw new FaultError({
        code: "MESSAGE_UNKNOWN",
        message: `${what} has no "${printable(name).slice(0, 80)}"; ${hint}`,
      });
    },
  });
  Object.setPrototypeOf(ClosedTarget.prototype, unknown);
  return ClosedTarget;
}

/**
 * Adds a method that callers can call and of which they can read nothing: a function's own `name` and `length` would be members
 * too. `method.value` is written in the short form, since other functions own a `prototype`, which cannot be removed.
 */
export function addMethod(prototype: object, name: string, method: { value(...args: never[]): unknown }): void {
  const { value } = method;
  Reflect.deleteProperty(value, "name");
  Reflect.deleteProperty(value, "length");
  Object.defineProperty(prototype, name, { value });
}

function listed(members: readonly string[]): string {
  return members.length > 12
    ? `${members.slice(0, 12).join(", ")} and ${members.length - 12} more`
    : members.join(", ");
}
