// The plugin that peers with other nodes (DESIGN.md §6). What peers send are messages of theirs, decided like everybody's. Sessions and routes are the
// speaker's (@capstan/peer); its tables are learned again at each start. This file is pure.

import { definePlugin, next } from "@capstan/orchestrator";
import { answers } from "./answer.ts";
import { decideConfiguration, decideOwners } from "./configuration/decide-configuration.ts";
import { decideStop } from "./configuration/decide-stop.ts";
import { NEEDS } from "./context.ts";
import { decideFrame, decideNote } from "./decide-session.ts";
import { decideExplain } from "./explain/decide-explain.ts";
import { explainFaults } from "./explain/explain-messages.ts";
import { decidePerform } from "./forward/decide-perform.ts";
import { forwardFaults } from "./forward/forward-faults.ts";
import { connectionFromIBGPPeer } from "./links/connection.ts";
import { peerMessages } from "./messages.ts";
import { Peering, type PeeringOptions } from "./peering.ts";
import { ownersTable, peerFaults, peerSessionTable, peerTable, reachTable } from "./schema.ts";
import { decideTopic } from "./topics/decide-topic.ts";
import { topicFaults, topicMessages } from "./topics/topic-messages.ts";
import { decideWitness } from "./witness/decide-witness.ts";
import { witnessMessages } from "./witness/witness-messages.ts";
import { witnessFaults, witnessTable } from "./witness/witness-schema.ts";

export type { PeeringOptions };

const DRAIN_MS = 5000;

const knownFaults = { ...peerFaults, ...forwardFaults, ...explainFaults, ...topicFaults, ...witnessFaults };

/** The plugin that peers with other nodes: routes, calls, topics and witnesses. */
export function peerPropagation(options: PeeringOptions = {}) {
  const { domain, timing, drain = DRAIN_MS, calls } = options;
  const peering = new Peering(options);
  return definePlugin({
    name: "peer-propagation",
    version: "2",
    configuration: {
      ...(domain === undefined ? {} : { domain }),
      ...(timing === undefined ? {} : { timing }),
      ...(calls === undefined ? {} : { calls }),
    },
    needs: NEEDS,
    messages: { ...peerMessages((secret) => peering.secrets.hold(secret)), ...topicMessages, ...witnessMessages },
    tables: [peerTable, ownersTable, peerSessionTable, reachTable, witnessTable],
    faults: knownFaults,
    signs: ["capstan route origin/1", "capstan peer proof/1"],
    cosigns: true,
    decide(context) {
      const { message, envelope } = context;
      const ours = domain ?? envelope.node;
      if (message.resource === "route") return decideOwners(context);
      if (message.resource === "action") return decidePerform(context, ours, calls);
      if (message.resource === "topic") return decideTopic(context, ours);
      if (message.resource === "witness") return decideWitness(context);
      if (message.resource !== "peer") return next();
      switch (message.action) {
        case "invite":
        case "add":
        case "configure":
        case "resend":
          return decideConfiguration(context, ours);
        case "remove":
        case "start":
        case "stop":
        case "drained":
          return decideStop(context, drain);
        case "explain":
          return decideExplain(context);
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
        case "updated":
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
