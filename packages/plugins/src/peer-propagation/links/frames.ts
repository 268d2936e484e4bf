// Translates between the peering protocol's frames and calls (`peer.update`, …), and parses the calls that a peer sends over the callback.

import { type Message as Call, FaultError, fault } from "@capstan/orchestrator";
import type { ConnectionId, Message, SpeakerInput } from "@capstan/peer";
import { z } from "zod";
import { FRAME_VERBS, type FrameType } from "../schema.ts";

/** An outgoing message of the protocol, and its text, whose length counts against the outbox's limit. */
export interface Framed {
  readonly message: Message;
  readonly text: string;
}

/**
 * The call for a frame: `<peer, update, …>`. An update is sent as text, because each layer of the call would walk the thousands of routes
 * of a value again. @param session the receiver's name for the connection
 */
export function callOf({ message, text }: Framed, session: ConnectionId): Call {
  const frame = message.type === "update" ? text : message;
  return { resource: "peer", action: FRAME_VERBS[message.type as FrameType], data: { session, frame } };
}

/** The speaker's input for a received frame. */
export function heardAs(connection: ConnectionId, frame: unknown): SpeakerInput {
  if (typeof frame === "string") return { type: "received-text", connection, text: frame, only: "update" };
  return { type: "received", connection, value: frame };
}

/** How an update's text begins; no other frame is sent as text. */
const UPDATE_TEXT = '{"type":"update",';

/** The verb of the call for a frame, by the frame's own type. */
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
 * Parses a peer's call. Each side has its own name for the connection: the peer's is replaced by ours.
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
