// An honest node of the network with a liar: a whole orchestrator in this process, served on a port of its own, whose lines are kept.

import { createOrchestrator, memoryLog, serve } from "@capstan/orchestrator";
import type { SpeakerTiming } from "@capstan/peer";
import { standard } from "@capstan/plugins";
import { z } from "zod";

export interface Line {
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Answers who was asked for what: a call that ends elsewhere is seen. */
const who = (id: string) => ({
  name: "who",
  configSchema: z.strictObject({}),
  execute: ({ task }: { readonly task: { readonly name: string } }) => `${task.name} of ${id}`,
});

export async function startHonest(id: string, timing: Partial<SpeakerTiming>, now: () => number) {
  const lines: Line[] = [];
  const line = (fields: object, text: string): void => void lines.push({ fields: { ...fields }, text });
  const hub = await createOrchestrator({
    plugins: standard({ protocols: [who(id)], peering: { timing } }),
    ...{ node: { id, name: id }, log: memoryLog(), now },
    logger: { debug: line, info: line, warn: line, error: line },
    onDecided({ message, verdict, principal }) {
      // What is refused has its code there.
      if (verdict !== "done" && verdict !== "held") lines.push({ text: verdict, fields: { message, principal } });
    },
  });
  const app = await hub.scope({ principal: "app", allow: ["*"] });
  const server = serve(hub, { listen: "127.0.0.1:0" });
  const { key } = (await app.peer.identity({})) as { readonly key: string };
  return { id, app, server, lines, url: server.url, key };
}

export type HonestNode = Awaited<ReturnType<typeof startHonest>>;
