// The protocol's messages as messages of this hub, and what a peer asks over its callback as it comes off the wire.

import { type Message as Call, FaultError, fault } from "@capstan/orchestrator";
import type { ConnectionId, Message, SpeakerInput } from "@capstan/peer";
import { z } from "zod";
import { FRAME_VERBS, type FrameType } from "../schema.ts";

/** A message of the protocol on its way out, and its text, in which it was measured. */
export interface Framed {
  readonly message: Message;
  readonly text: string;
}

/**
 * `<peer, update, …>`. An update goes as its text: as a value, all that carries and judges calls would walk its thousands of routes
 * again. @param session the name of the connection on the side that is asked
 */
export function callOf({ message, text }: Framed, session: ConnectionId): Call {
  const frame = message.type === "update" ? text : message;
  return { resource: "peer", action: FRAME_VERBS[message.type as FrameType], data: { session, frame } };
}

/** A frame that came, as the speaker is told of it. */
export function heardAs(connection: ConnectionId, frame: unknown): SpeakerInput {
  if (typeof frame === "string") return { type: "received-text", connection, text: frame, only: "update" };
  return { type: "received", connection, value: frame };
}

/** How the text of an update begins: no other frame is told as text. */
const UPDATE_TEXT = '{"type":"update",';

/** As what a frame goes by what it says itself. */
export function verbOf(frame: unknown): string | undefined {
  if (typeof frame === "string") return frame.startsWith(UPDATE_TEXT) ? FRAME_VERBS.update : undefined;
  const { type } = Object(frame) as { readonly type?: unknown };
  return typeof type === "string" && Object.hasOwn(FRAME_VERBS, type) ? FRAME_VERBS[type as FrameType] : undefined;
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
