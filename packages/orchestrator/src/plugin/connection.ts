// How a caller gets a scope: a plugin declares a connection, which verifies the caller once, and may use what is known of the asking
// session. What the caller may do is not decided here.

import type { z } from "zod";
import type { Fault } from "../fault/fault.ts";
import type { Awaitable } from "../log/log.ts";
import type { Principal } from "../message/message.ts";
import type { Reader } from "./reader.ts";

/** The session that a connection is asked for in. */
export interface ConnectionSession {
  /** Unguessable and unique. */
  readonly id: string;
  /** Whether it outlives the request: a WebSocket's does, a batch's does not. */
  readonly lasting: boolean;
  /**
   * What the last challenge for this connection kept. It is handed out once, to the next verification or challenge, whether that
   * succeeds or not; after that it is `undefined`.
   */
  readonly kept: unknown;
  /** Calls back once, when the session ends; at once, where it has. Answers how to stop that. */
  onEnd(callback: (why: string) => void): () => void;
  /** Ends it: the other side is told why, by a fault CANCELLED. */
  end(why: string): void;
}

/** What the caller is told, and what is kept for the verification. */
export interface Challenged {
  /** Plain data. It goes to a caller who has proved nothing yet. */
  readonly answer: unknown;
  readonly keep?: unknown;
}

/** `challenge({ connection, hello })`: for proofs that need a nonce of the node's first. */
export interface Challenge<Hello extends z.ZodType = z.ZodType> {
  readonly input: Hello;
  /** A fault is all that the caller learns. Frames of the session that come meanwhile wait. */
  offer(hello: z.output<Hello>, reader: Reader, session: ConnectionSession): Awaitable<Challenged | Fault>;
}

/** Who connected. */
export interface Verified extends Principal {
  /** The node's id, where the caller is a node (`Connection.forwards`). */
  readonly node?: string | undefined;
}

/** How someone gets a scope: `connectionFromCli(credential)`. */
export interface Connection<Input extends z.ZodType = z.ZodType, Hello extends z.ZodType = z.ZodType> {
  readonly input: Input;
  readonly challenge?: Challenge<Hello>;
  /** Its input is a text that may also come as an HTTP request's `Authorization: Bearer`. */
  readonly bearer?: boolean;
  /** Whether any credential exists that this connection would accept. A node with none does not listen on a public address. */
  open?(reader: Reader): boolean;
  /** Only for sessions that last: a batch is refused before anything is verified. */
  readonly lasting?: boolean;
  /** For nodes: calls of their scopes may carry `ForwardedOptions` (the path, the depth, the request). */
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
