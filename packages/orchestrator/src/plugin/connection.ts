// How someone gets a scope: what a plugin says of a way in, and what it may know of the session that is asking. Who comes that way is
// verified here, once; nothing here decides what they may do.

import type { z } from "zod";
import type { Fault } from "../fault/fault.ts";
import type { Awaitable } from "../log/log.ts";
import type { Principal } from "../message/message.ts";
import type { Reader } from "./reader.ts";

/** The session that a connection is asked for in. */
export interface ConnectionSession {
  /** Unguessable, and no other session's. */
  readonly id: string;
  /** Whether it outlives the request: a WebSocket's does, a batch's does not. */
  readonly lasting: boolean;
  /**
   * What the last challenge for this connection kept. It is given once: to the verification, or to the challenge that replaces it;
   * whatever comes of that, the next one finds nothing.
   */
  readonly kept: unknown;
  /** Calls back once, when the session ends; at once, where it has. Answers how to stop that. */
  onEnd(callback: (why: string) => void): () => void;
  /** Ends it: the other side is told why, in a fault of the code CANCELLED. */
  end(why: string): void;
}

/** What the caller is told, and what of it is kept for the verification. */
export interface Challenged {
  /** Plain data: it crosses the wire to somebody who has proved nothing. */
  readonly answer: unknown;
  readonly keep?: unknown;
}

/** `challenge({ connection, hello })`: for proofs that are made of something that the node says first. */
export interface Challenge<Hello extends z.ZodType = z.ZodType> {
  readonly input: Hello;
  /** A fault is all that the caller learns. Frames of the session that come meanwhile wait. */
  offer(hello: z.output<Hello>, reader: Reader, session: ConnectionSession): Awaitable<Challenged | Fault>;
}

/** Who connected. */
export interface Verified extends Principal {
  /** The node that it is, where `forwards` is set. */
  readonly node?: string | undefined;
}

/** How someone gets a scope: `connectionFromCli(credential)`. */
export interface Connection<Input extends z.ZodType = z.ZodType, Hello extends z.ZodType = z.ZodType> {
  readonly input: Input;
  readonly challenge?: Challenge<Hello>;
  /** Its input is a text, and an HTTP request's `Authorization: Bearer` is one. */
  readonly bearer?: boolean;
  /** Whether anybody could come this way at all: a node without a credential does not listen where others reach it. */
  open?(reader: Reader): boolean;
  /** It is for sessions that last: a batch is refused, before anything is verified. */
  readonly lasting?: boolean;
  /** It is for nodes: their scopes may say through which others a call came (`via`), and how many causes deep it is (`hops`). */
  readonly forwards?: boolean;
  /** Credentials are verified here, once. A fault is all that the caller learns. Frames of the session that come meanwhile wait. */
  verify(input: z.output<Input>, reader: Reader, session: ConnectionSession): Awaitable<Verified | Fault>;
}

/** Infers a connection's inputs from their schemas. */
export function defineConnection<Input extends z.ZodType, Hello extends z.ZodType = z.ZodType>(
  connection: Connection<Input, Hello>,
): Connection {
  return connection as unknown as Connection;
}

export type Connections = Readonly<Record<string, Connection>>;
