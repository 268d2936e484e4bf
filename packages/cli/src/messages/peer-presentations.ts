// Peers: an invitation is a file that one node writes and the other reads, and what a peer says to a node is nothing to type.

import type { Command } from "../command.ts";
import { addPolicyOptions } from "../input/route-policy.ts";
import { columns } from "../output/columns.ts";
import { type PeerStatus, peerList, peerText } from "../output/peer-text.ts";
import { shown } from "../output/shown.ts";
import type { Identity } from "./peer-invitation.ts";
import type { Presentation } from "./presentation.ts";

const TEXTS = {
  name: "what you call it here",
  domain: "the domain that it has to be of; of this node's own, it is an internal peer (default: any other)",
  limits: "what it may cost: JSON, {routes, then, restartAfter, pathLength, damping, publications, calls}",
  disclose:
    "what it is told of what becomes of its messages here: nothing, outcome (code and plugin) or clauses (default: outcome)",
  required: "a capability without which there is no session; may be given more than once",
};
const IDENTITY_TEXTS = {
  keys: "its public key, and its next one while it is rotated",
  secrets: "references to the secret of the two: JSON",
  address: "where it is dialled (default: the invitation's); without one it dials this node",
  pin: "of the certificate that is expected there (default: the invitation's)",
};
/** They are said by what one node tells another, hold a secret, which does not belong on a command line, or are `capstan explain`. */
const UNLISTED = ["open", "update", "keepalive", "endOfTable", "refresh", "notify", "close", "keep", "explain"];

const named = (verb: string): Presentation => ({
  texts: { name: "the peer" },
  text: (answer) => `${verb} ${shown((answer as PeerStatus).name)}\n`,
});

/** It may end later than it is answered (`--wait 0`). */
const ended = (verb: string, meanwhile: string): Presentation => ({
  ...named(verb),
  text: (answer) => {
    const { name, pending } = answer as PeerStatus & { readonly pending?: boolean };
    return `${pending === true ? meanwhile : verb} ${shown(name)}\n`;
  },
});

export const peerPresentations: Readonly<Record<string, Presentation>> = {
  ...Object.fromEntries(UNLISTED.map((verb) => [`peer.${verb}`, { unlisted: true }])),
  "peer.invite": {
    hidden: ["import", "export", "secrets", "secretId", "expires", "address", "pin"],
    saidBy: { secrets: ["out"] },
    texts: TEXTS,
    examples: [
      "capstan peer invite osaka --import 'action:report.*' --export action:greet --out osaka.invite",
      "capstan peer invite osaka --export 'action:*' --address https://berlin.example:7420 --expires 1d --out osaka.invite",
      "capstan peer invite osaka --renew --out osaka.invite",
    ],
    configure(command) {
      addPolicyOptions(command);
      addInvitationOptions(command);
      command.option("--renew", "for a node that is a peer already: another secret, and what else is new of this node");
    },
    run: async (cli, call) => (await import("./peer-invite.ts")).invitePeer(cli, call),
  },
  "peer.add": {
    hidden: ["import", "export"],
    saidBy: { node: ["invite"], keys: ["invite"], secrets: ["invite"] },
    texts: { ...TEXTS, ...IDENTITY_TEXTS, node: "its node's id" },
    examples: [
      "capstan peer add berlin --invite osaka.invite --import action:greet --export 'action:report.*'",
      "capstan peer add berlin --invite osaka.invite --import @from-berlin.json --wait 0",
    ],
    configure(command) {
      addPolicyOptions(command);
      command.option("--invite <file>", "what capstan peer invite wrote on the other node");
    },
    run: async (cli, call) => (await import("./peer-add.ts")).addPeer(cli, call),
  },
  "peer.configure": {
    hidden: ["import", "export"],
    texts: { ...TEXTS, ...IDENTITY_TEXTS, name: "the peer" },
    examples: [
      "capstan peer configure berlin --invite osaka.invite",
      "capstan peer configure osaka --export action:greet --export action:shout",
      "capstan peer configure osaka --disclose clauses",
      "capstan peer configure berlin --address https://berlin.example:7420",
      `capstan peer configure osaka --limits '{"routes": 1000, "then": "drop"}'`,
    ],
    configure(command) {
      addPolicyOptions(command);
      command.option(
        "--invite <file>",
        "what capstan peer invite --renew wrote over there: secret, key, address and pin",
      );
    },
    run: async (cli, call) => (await import("./peer-configure.ts")).configurePeer(cli, call),
  },
  "peer.remove": {
    ...ended("removed", "removing"),
    examples: ["capstan peer remove osaka", "capstan peer remove osaka --now"],
  },
  "peer.start": named("started"),
  "peer.stop": {
    ...ended("stopped", "stopping"),
    examples: ["capstan peer stop osaka", "capstan peer stop osaka --now"],
  },
  "peer.resend": {
    ...named("asked for its whole table:"),
    configure(command: Command) {
      command.alias("refresh");
    },
  },
  "peer.list": { text: (answer) => peerList((answer as { items: readonly PeerStatus[] }).items, Date.now()) },
  "peer.show": { texts: { name: "the peer" }, text: (answer) => peerText(answer as PeerStatus, Date.now()) },
  "peer.identity": {
    text(answer) {
      const { node, name, domain, key } = answer as Identity;
      return columns([
        ["node", `${node}  ${name}`],
        ["domain", domain],
        ["key", key],
      ]);
    },
  },
};

function addInvitationOptions(command: Command): void {
  command
    .option("--out <file>", "where the invitation goes: a new file of mode 0600")
    .option("--expires <when>", "until when it can be taken: 1h, 7d, or 2026-12-01T00:00Z", "1h")
    .option("--address <url>", "where the other node reaches this one (default: where this command does)")
    .option("--pin <pin>", "of the certificate that it is served under there; none for none (default: this node's)");
}
