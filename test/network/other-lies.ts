// What a liar tries beside announcing what is not so: frames that are none, too many, too large; to be somebody else, or weaker than it
// is; to say what is another's to say. Each with what the node that it tries this with shows of it.

import type { HonestNode } from "./honest-node.ts";
import type { LiarPeer, Told } from "./liar-peer.ts";

export const OTHER_LIES = [
  "stolen session",
  "not its to ask",
  "weaker open",
  "older version",
  "replayed handshake",
  "impersonate",
  "nonsense",
  "huge update",
  "flood",
] as const;
export type OtherLie = (typeof OTHER_LIES)[number];

/** Another neighbour of a node, and the id of the secret of those two: what crosses in clear between them. */
export type Beside = (node: string) => { readonly id: string; readonly key: string; readonly secret: string };

interface Attempt {
  say(liar: LiarPeer, to: readonly HonestNode[], beside: Beside): Promise<readonly Told[]> | readonly Told[];
  /** Matches a line of the node's log, with its fields. */
  readonly line: RegExp;
}

const ENDED = /a session with a peer ended/;
const UNPROVED = /authentication-failure|somebody was refused who wanted to peer|"message":"peer.open"/;

export const ATTEMPTS: Readonly<Record<OtherLie, Attempt>> = {
  // An update in a session that is not its own.
  "stolen session": {
    say: (liar, to) =>
      refusedTo(to, "PEER_SESSION_OVER", ({ id }) => {
        const frame = { type: "update", seq: 0, withdraw: ["action:n-1.who"], announce: [] };
        return liar.ask(id, { resource: "peer", action: "update", data: { session: "in-00000000", frame } });
      }),
    line: /^PEER_SESSION_OVER .*"message":"peer.update","principal":"peer.n-liar"/,
  },
  "not its to ask": {
    say: (liar, to) =>
      refusedTo(to, "REFUSED", ({ id }) =>
        liar.ask(id, { resource: "action", action: "register", data: { name: "n-0.mine", protocol: "who" } }),
      ),
    line: /^REFUSED .*"message":"action.register","principal":"peer.n-liar"/,
  },
  // As somebody in between would have it: an offer that is weaker than the one that is proved.
  "weaker open": { say: (liar, to) => again(liar, to, (open) => ({ ...open, capabilities: [] })), line: UNPROVED },
  "older version": {
    say: (liar, to) => again(liar, to, (open) => ({ ...open, versions: [1, 0] })),
    line: /open-error|refused/,
  },
  "replayed handshake": {
    async say(liar, to) {
      const told: Told[] = [];
      for (const { id } of to) if ((await liar.replay(id)) !== "it was let in") told.push({ to: id, text: "" });
      return told;
    },
    line: UNPROVED,
  },
  // As the neighbour that the node has beside it, with all of it that is no secret.
  impersonate: {
    async say(liar, to, beside) {
      const told: Told[] = [];
      for (const node of to) {
        const { id, key, secret } = beside(node.id);
        liar.liar.impersonates = { node: id, domain: id, key, secretWith: () => secret };
        told.push(...(await again(liar, [node], undefined)));
        liar.liar.impersonates = undefined;
      }
      return told;
    },
    line: UNPROVED,
  },
  nonsense: { say: (liar) => liar.babble('{"type":"update","seq":"one","withdraw":7}'), line: ENDED },
  "huge update": {
    say: (liar) => liar.announce(Array.from({ length: 5_000 }, (_, i) => `action:nowhere.${i}`)),
    line: ENDED,
  },
  flood: {
    say(liar, to) {
      const announce = Array.from({ length: 400 }, (_, i) => [`action:${liar.id}.flood.${i}`, ""] as const);
      liar.tell({ type: "originate", announce, withdraw: [] });
      return to.map(({ id }) => ({ to: id, text: "" }));
    },
    line: /a peer has more routes than it may/,
  },
};

/** Its sessions end, and it comes with another offer than the one that it will prove. */
async function again(
  liar: LiarPeer,
  to: readonly HonestNode[],
  disguise: LiarPeer["disguise"],
): Promise<readonly Told[]> {
  liar.disguise = disguise;
  for (const { id } of to) {
    liar.tell({ type: "stop-peer", node: id });
    liar.tell({ type: "start-peer", node: id });
  }
  await Bun.sleep(200);
  liar.disguise = undefined;
  return to.map(({ id }) => ({ to: id, text: "" }));
}

async function refusedTo(to: readonly HonestNode[], expected: string, ask: (node: HonestNode) => Promise<unknown>) {
  const told: Told[] = [];
  for (const node of to) {
    const code = await ask(node).then(
      () => "done",
      (thrown: { readonly code?: string }) => thrown.code ?? String(thrown),
    );
    if (code !== expected) throw new Error(`${node.id} answered ${code}, and not ${expected}`);
    told.push({ to: node.id, text: "" });
  }
  return told;
}
