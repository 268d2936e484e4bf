// Who may originate which names. What an owner list covers is closed to everybody else, whatever a policy says; this is what
// stops a hijack, where the signature only says who did it.

import { PatternIndex } from "../policy/pattern.ts";
import type { Owner } from "../policy/route-policy.ts";
import type { NodeId, RouteName } from "../wire/names.ts";

export interface Ownership {
  /** `unowned`: no entry covers the name. An object: another node's, of which one is told. */
  check(name: RouteName, origin: NodeId): "owner" | "unowned" | { readonly owner: NodeId };
  /** All keys that the list has for that node. */
  keysOf(node: NodeId): readonly string[] | undefined;
}

export function ownersOf(owners: readonly Owner[]): Ownership {
  const index = new PatternIndex<NodeId>();
  const keys = new Map<NodeId, readonly string[]>();
  for (const owner of owners) {
    for (const pattern of owner.routes) index.add(pattern, owner.node);
    keys.set(owner.node, [...new Set([...(keys.get(owner.node) ?? []), ...owner.keys])]);
  }
  return {
    check: (name, origin) => {
      const covering = index.find(name);
      // Without a key of its owner's nobody can prove to be it: then the name is closed to everybody.
      const provable = (keys.get(origin)?.length ?? 0) > 0;
      if (provable && someHas(covering, origin)) return "owner";
      const owner = covering[0]?.[0];
      return owner === undefined ? "unowned" : { owner };
    },
    keysOf: (node) => keys.get(node),
  };
}

/** By itself: a function that closes over the origin would be made for every route of a table, owned or not. */
function someHas(covering: readonly (readonly NodeId[])[], origin: NodeId): boolean {
  return covering.some((nodes) => nodes.includes(origin));
}
