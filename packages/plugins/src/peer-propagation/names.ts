// How peers are called: by an operator's name, and as principals of this node by that name behind a prefix.

import type { Principal } from "@capstan/orchestrator";
import { z } from "zod";

/** What names and ids of nodes may be: also a file's name. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** An operator's name for a peer. */
export const peerName = z.string().regex(NAME, "must be letters, digits and . _ - (64 at most)");
export const nodeId = z.string().regex(NAME, "must be a node's id, like n-7f3a1b2c");

/** Principals have no colon in their names (auth). */
const PREFIX = "peer.";

export function principalOf(name: string): string {
  return PREFIX + name;
}

/** As whom what a peer asks is decided. */
export function asPeer({ name, peerGrant }: { readonly name: string; readonly peerGrant: string }): Principal {
  return { principal: principalOf(name), grant: peerGrant };
}

/** The name of the peer that a principal is; `undefined` where it is none. */
export function peerNameOf(principal: string): string | undefined {
  return principal.startsWith(PREFIX) ? principal.slice(PREFIX.length) : undefined;
}

/** Whose a node is, among those that are configured or have taken an invitation and not been recorded yet. */
export interface Names {
  nameOf(node: string): string | undefined;
  /** A session of this node's was established. @returns whether it may be */
  established(node: string): boolean;
  /** A session of this node's came to nothing. */
  failed(node: string): void;
}
