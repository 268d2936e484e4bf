// Peers' names: the operator's name, and the principal of this node that stands for the peer, which is that name with a prefix.

import type { Principal } from "@capstan/orchestrator";
import { z } from "zod";

/** The form of peers' names and nodes' ids; they are also used as file names. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** An operator's name for a peer. */
export const peerName = z.string().regex(NAME, "must be letters, digits and . _ - (64 at most)");
export const nodeId = z.string().regex(NAME, "must be a node's id, like n-7f3a1b2c");

/** A peer, as its operator here calls it. */
export interface PeerName {
  readonly name: string;
  readonly node: string;
}

/** Principals have no colon in their names (auth). */
const PREFIX = "peer.";

export function principalOf(name: string): string {
  return PREFIX + name;
}

/** The principal under which a peer's messages are decided. */
export function asPeer({ name, peerGrant }: { readonly name: string; readonly peerGrant: string }): Principal {
  return { principal: principalOf(name), grant: peerGrant };
}

/** The peer's name of a principal; `undefined` where that is no peer. */
export function peerNameOf(principal: string): string | undefined {
  return principal.startsWith(PREFIX) ? principal.slice(PREFIX.length) : undefined;
}

/** The operator's names of nodes: of configured peers, and of those that are just taking an invitation. */
export interface Names {
  nameOf(node: string): string | undefined;
  /** The node's session is being established. @returns whether it may be */
  established(node: string): boolean;
  /** The node's session failed. */
  failed(node: string): void;
}
