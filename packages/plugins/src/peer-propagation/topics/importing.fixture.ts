// A node whose neighbours are the test's: a real pipeline and log, and whatever the neighbours answer on their way into it.

import { createOrchestrator, definePlugin, type Log, type PluginRuntime } from "@capstan/orchestrator";
import { auth } from "../../auth/auth.ts";
import { deadLetter } from "../../dead-letter/dead-letter.ts";
import { executor } from "../../executor/executor.ts";
import { type Clock, echo } from "../../hub.fixture.ts";
import { ledger } from "../../ledger/ledger.ts";
import { importedTable, topics } from "../../publisher/elsewhere/topics.ts";
import { publisher } from "../../publisher/publisher.ts";
import { registry } from "../../registry/registry.ts";
import { type FarNeighbour, ORIGIN, TOPIC } from "./far-origin.fixture.ts";
import { TopicsOverPeers } from "./topics-over-peers.ts";
import type { Path } from "./ways.ts";

export interface ImportingOptions {
  readonly log?: Log;
  readonly clock?: Clock;
  /** Publications a second. */
  readonly rate?: number;
}

export async function importing(
  neighbours: Readonly<Record<string, FarNeighbour>>,
  { log, clock, rate }: ImportingOptions = {},
) {
  const paths: Path[] = Object.keys(neighbours).map((peer) => ({ peer, origin: ORIGIN }));
  let runtime: PluginRuntime | undefined;
  let over: TopicsOverPeers | undefined;
  const carrier = definePlugin({
    name: "carrier",
    needs: [topics],
    run(given) {
      runtime = given;
      const peers = { pathsOf: () => paths, neighbour: (node: string) => neighbours[node], rateOf: () => rate };
      over = new TopicsOverPeers({ runtime: given, peers, by: "test" });
    },
    stop: async () => over?.stop(),
    decide: () => ({ kind: "next" }),
  });
  const lines: string[] = [];
  const line = (fields: object, text: string): void => void lines.push(`${text} ${JSON.stringify(fields)}`);
  const hub = await createOrchestrator({
    plugins: [auth(), registry(), deadLetter(), executor({ protocols: [echo] }), publisher(), carrier, ledger()],
    node: { id: "n-here", name: "here", directory: undefined },
    logger: { debug: line, info: line, warn: line, error: line },
    ...(log === undefined ? {} : { log }),
    ...(clock === undefined ? {} : { now: clock.now, timers: clock }),
  });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  const given = (runtime as unknown as PluginRuntime).given(topics);
  const way = { peer: "berlin", node: "b", path: ["n-b"], origin: ORIGIN };
  const reach = (...names: readonly string[]) =>
    given.reach(
      "test",
      names.map((topic) => ({ topic, way })),
    );
  await reach(TOPIC);
  const row = () => hub.reader.get(importedTable, TOPIC);
  return {
    ...{ hub, app, paths, lines, row, reach },
    over: over as unknown as TopicsOverPeers,
    /** What this node's log has of the topic. */
    async has(): Promise<unknown[]> {
      const { items } = (await app.subscription.read({ topic: TOPIC, after: "start" })) as {
        items: { data: unknown }[];
      };
      return items.map(({ data }) => data);
    },
    /** Resolves once everything up to a cursor arrived. */
    async at(cursor: string): Promise<void> {
      while (row()?.cursor !== cursor || (runtime as PluginRuntime).durable < hub.committer.tip)
        await new Promise((resolve) => setTimeout(resolve, 1));
    },
  };
}
