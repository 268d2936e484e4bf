// Guests: nodes that come with an invitation. A node that names the id of an invitation's secret may try the handshake under the id and key that it
// claims, and is a peer once it has proved the secret and that key.

import { z } from "zod";
import { nodeId } from "../names.ts";
import type { PeerRow } from "../schema.ts";

/** The fields of an open that identify its sender; the protocol reads the rest. */
const hello = z.looseObject({
  node: nodeId,
  key: z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/),
  secrets: z.array(z.string().max(100)).max(2),
});

/** A node that is trying an invitation. Their number is bounded: somebody who has overheard a secret's id could invent any number. */
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

  /** The guest of a hello, if it names an invitation that is open at `at`. */
  find(said: unknown, rows: Iterable<readonly [string, PeerRow]>, at: number): Guest | undefined {
    const { success, data } = hello.safeParse(said);
    if (!success) return undefined;
    for (const [name, { invite, stopped }] of rows) {
      if (invite === undefined || stopped || invite.expires <= at || !data.secrets.includes(invite.secret)) continue;
      return { name, node: data.node, key: data.key, secret: invite.secret };
    }
    return undefined;
  }

  /** Lets a guest try. A later guest of the same node replaces the earlier; when full, the oldest makes room. @returns the one replaced */
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
