// A peer's reading of a topic: allowed where its export policy tells it of the topic (exported.ts). Pure.

import { next, printable, refuse } from "@capstan/orchestrator";
import type { Context } from "../context.ts";
import { exported, refused } from "../routes/exported.ts";
import { routeOfTopic } from "../routes/topic-route.ts";

/** @param domain ours */
export function decideTopic({ message, envelope, state }: Context, domain: string) {
  const { topic } = message.data as { readonly topic: string };
  const asked = exported(state, envelope, routeOfTopic(topic), domain);
  if (asked === undefined)
    return refuse(
      "PEER_UNKNOWN",
      `${printable(envelope.principal)} is no peer: topic.read is theirs; use subscription.read`,
    );
  return refused(asked) ?? next({ clause: asked.clause });
}
