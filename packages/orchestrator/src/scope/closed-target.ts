// How a remote object answers for a member that it does not have: with a fault that names the nearest one, where capnweb would send the
// engine's own text. Members that exist are found before this is asked.

import { RpcTarget } from "capnweb";
import { FaultError } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { nearest } from "../message/nearest.ts";

/** Members that promises and JSON look up on every object: these are no caller's mistake. */
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
 * Adds a method that callers can only call. A function's `name` and `length` would be readable members, so they are removed. `method.value`
 * must be in method shorthand: other functions have a `prototype`, which cannot be removed.
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
