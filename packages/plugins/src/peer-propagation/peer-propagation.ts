// Orchestrators that tell each other what they offer, and over whom it is reached (DESIGN.md §6). What peers say are messages of
// theirs, decided like everybody's; what becomes of routes is the speaker's (@capstan/peer), whose tables are learned again at
// each start. This file is pure.

import { definePlugin, next } from "@capstan/orchestrator";
import { answers } from "./answer.ts";
import { connectionFromIBGPPeer } from "./connection.ts";
import { NEEDS } from "./context.ts";
import { decideConfiguration, decideOwners } from "./decide-configuration.ts";
import { decidePerform } from "./decide-perform.ts";
import { decideFrame, decideNote } from "./decide-session.ts";
import { forwardFaults } from "./forward-faults.ts";
import { Peering, type PeeringOptions } from "./peering.ts";
import { ownersTable, peerFaults, peerMessages, peerSessionTable, peerTable, reachTable } from "./schema.ts";

export type { PeeringOptions };

const knownFaults = { ...peerFaults, ...forwardFaults };

export function peerPropagation(options: PeeringOptions = {}) {
  const { domain, timing } = options;
  const peering = new Peering(options);
  return definePlugin({
    name: "peer-propagation",
    version: "1",
    configuration: { ...(domain === undefined ? {} : { domain }), ...(timing === undefined ? {} : { timing }) },
    needs: NEEDS,
    messages: peerMessages((secret) => peering.secrets.hold(secret)),
    tables: [peerTable, ownersTable, peerSessionTable, reachTable],
    faults: knownFaults,
    signs: ["capstan route origin/1", "capstan peer proof/1"],
    decide(context) {
      const { message, envelope } = context;
      const ours = domain ?? envelope.node;
      if (message.resource === "route") return decideOwners(context);
      if (message.resource === "action") return decidePerform(context, ours);
      if (message.resource !== "peer") return next();
      switch (message.action) {
        case "invite":
        case "add":
        case "configure":
        case "remove":
        case "start":
        case "stop":
        case "resend":
          return decideConfiguration(context, ours);
        case "open":
        case "update":
        case "keepalive":
        case "endOfTable":
        case "refresh":
        case "notify":
        case "close":
          return decideFrame(context);
        case "accept":
        case "established":
        case "lost":
        case "session":
        case "reach":
          return decideNote(context);
        default:
          return next();
      }
    },
    answer: answers(peering, domain),
    connections: { connectionFromIBGPPeer: connectionFromIBGPPeer(peering) },
    run: (runtime) => peering.run(runtime),
    stop: () => peering.stop(),
  });
}
