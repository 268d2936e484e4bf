// The protocol's messages as messages of this hub, and what a peer asks over its callback as it comes off the wire.

import { type Message as Call, FaultError, fault } from "@capstan/orchestrator";
import type { ConnectionId, Message } from "@capstan/peer";
import { z } from "zod";
import { FRAME_VERBS, type FrameType } from "./schema.ts";

/** `<peer, update, …>`. @param session the name of the connection on the side that is asked */
export function callOf(message: Message, session: ConnectionId): Call {
  return { resource: "peer", action: FRAME_VERBS[message.type as FrameType], data: { session, frame: message } };
}

const callSchema = z.strictObject({
  resource: z.string().max(64),
  action: z.string().max(64),
  data: z.unknown().optional(),
});

/**
 * A peer's call. Both sides name a connection for themselves: what it says of its own is said of ours.
 * @throws FaultError
 */
export function parseCall(value: unknown, theirs: string, ours: ConnectionId): Call {
  const { success, data: call } = callSchema.safeParse(value);
  if (!success) throw new FaultError(fault("MESSAGE_INVALID", "what the peer asked is no message"));
  const { resource, action, data } = call;
  const { session } = Object(data) as { readonly session?: unknown };
  return {
    resource,
    action,
    data: resource === "peer" && session === theirs ? { ...(data as object), session: ours } : data,
  };
}
