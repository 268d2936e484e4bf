// Nodes of which some are asked what became of messages, and peers of theirs that are no nodes: ended with the test.

import { allOut, everything, keepSecret, type PeerNode, pairSecret, startNode, until } from "../peers.fixture.ts";
import { RawPeer, rawIdentity } from "../raw-peer.fixture.ts";
import type { Account, Told } from "./account.ts";

export class Site {
  #nodes: PeerNode[] = [];
  #raws: RawPeer[] = [];

  async start(id: string, options: Omit<Parameters<typeof startNode>[0], "id"> = {}): Promise<PeerNode> {
    const node = await startNode({ id, ...options });
    this.#nodes.push(node);
    return node;
  }

  /** One that is configured as `ofRaw`. */
  raw(node: PeerNode, options: Partial<ConstructorParameters<typeof RawPeer>[0]> = {}): RawPeer {
    const one = new RawPeer({
      ...{ id: "n-raw", url: node.url, node: node.id, key: node.key, secret: pairSecret("raw") },
      ...options,
    });
    this.#raws.push(one);
    return one;
  }

  async close(): Promise<void> {
    for (const one of this.#raws.splice(0)) one.close();
    await Promise.all(this.#nodes.splice(0).map(({ server }) => server.stop()));
  }
}

export const ofRaw = {
  ...{ name: "raw", node: "n-raw", keys: [rawIdentity("n-raw").publicKey], import: everything, export: allOut },
  secrets: [keepSecret("EXPLAIN_SECRET", pairSecret("raw"))] as never,
};

export function known(node: PeerNode, name: string): Promise<true> {
  return until(async () => (await node.app.action.list()).items.some((item) => item.name === name)) as Promise<true>;
}

export async function explained(node: PeerNode, id: string | undefined, more: object = {}): Promise<Partial<Account>> {
  return (await node.app.peer.explain({ id, ...more })) as Partial<Account>;
}

/** Whom a node says that it asked. */
export function first(account: Partial<Account> | undefined): Told {
  const [one] = account?.peers ?? [];
  return one as Told;
}

export async function newest(node: PeerNode, message: string): Promise<string> {
  return ((await node.app.log.list({ message, limit: 1 })).items[0] as { id: string }).id;
}
