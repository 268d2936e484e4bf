// Nodes that come with an invitation: whoever names its secret's id is believed to be who it says for as long as the handshake
// lasts, and is a peer once it has proved the secret and the key that it came with.

import { z } from "zod";
import { nodeId } from "../names.ts";
import type { PeerRow } from "../schema.ts";

/** What of an OPEN says whose it is; the rest is the protocol's to read. */
const hello = z.looseObject({
  node: nodeId,
  key: z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/),
  secrets: z.array(z.string().max(100)).max(2),
});

/** One that is trying: whoever sniffed a secret's id can make as many fail as fit in here, and no more. */
export interface Guest {
  readonly name: string;
  readonly node: string;
  readonly key: string;
  /** The id of the secret. */
  readonly secret: string;
}

const MOST_GUESTS = 8;

export class Invitations {
  readonly #guests = new Map<string, Guest>();

  get(node: string): Guest | undefined {
    return this.#guests.get(node);
  }

  /** The guest that a hello makes, if it names an invitation that is open at `at`. */
  find(said: unknown, rows: Iterable<readonly [string, PeerRow]>, at: number): Guest | undefined {
    const { success, data } = hello.safeParse(said);
    if (!success) return undefined;
    for (const [name, { invite, stopped }] of rows) {
      if (invite === undefined || stopped || invite.expires <= at || !data.secrets.includes(invite.secret)) continue;
      return { name, node: data.node, key: data.key, secret: invite.secret };
    }
    return undefined;
  }

  /** Lets it try. The later one of a node counts, and the oldest of all makes room: @returns whom it replaces. */
  let(guest: Guest): Guest | undefined {
    const same = this.#guests.get(guest.node);
    this.#guests.delete(guest.node);
    this.#guests.set(guest.node, guest);
    if (same !== undefined || this.#guests.size <= MOST_GUESTS) return undefined;
    const [oldest] = this.#guests.values();
    if (oldest !== undefined) this.#guests.delete(oldest.node);
    return oldest;
  }

  end(node: string): boolean {
    return this.#guests.delete(node);
  }
}
