// The implementation of `Topics` (elsewhere/topics.ts): what the publisher offers to plugins that carry topics between nodes, while it runs.

import { FaultError, fault } from "@capstan/orchestrator";
import type { Deliveries } from "./delivery/deliveries.ts";
import { importedTable, type TopicCarrier, type Topics, topicElsewhereTable } from "./elsewhere/topics.ts";
import { serveTopic } from "./serve-topic.ts";

/** @param running answers the deliveries; `undefined` before the node runs and after it has stopped */
export function carriedTopics(running: () => Deliveries | undefined): Topics {
  const started = (): Deliveries => {
    const deliveries = running();
    if (deliveries !== undefined) return deliveries;
    throw new FaultError(fault("STOPPING", "the node does not run, or no longer; come back to it later"));
  };
  return {
    ...{ table: topicElsewhereTable, imported: importedTable, carriers: new Map<string, TopicCarrier>() },
    async reach(by, changes) {
      const { runtime, wanted } = started();
      await runtime.note({ resource: "subscription", action: "reach", data: { by, changes } });
      wanted.reached(changes.map(({ topic }) => topic));
    },
    read: async (asked, signal, queue) => serveTopic(started(), asked, signal, queue),
    follow: (callback) => started().wanted.follow(callback),
  };
}
