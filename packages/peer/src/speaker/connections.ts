// Which connection belongs to which peer: those that we dialled, those whose peer has sent its open, and those that have not (pending-connections.ts).

import type { ConnectionId } from "../session/session.ts";
import type { NodeId } from "../wire/names.ts";
import { PendingConnections } from "./pending-connections.ts";

export interface Connection {
  readonly peer: NodeId;
  /** Binds proofs to the channel (RFC 9266), where the transport has such a value. */
  readonly binding: string | undefined;
}

export class Connections {
  readonly pending: PendingConnections;
  readonly #known = new Map<ConnectionId, Connection>();
  readonly #dials = new Map<NodeId, ConnectionId>();
  /** Prefix of the ids of dialled connections: the node and its epoch. */
  readonly #prefix: string;
  #dialled = 0;

  constructor(prefix: string, openTime: number, random: () => number) {
    this.#prefix = prefix;
    this.pending = new PendingConnections(openTime, random);
  }

  get(connection: ConnectionId): Connection | undefined {
    return this.#known.get(connection);
  }

  /** A dial begins. */
  dial(peer: NodeId): ConnectionId {
    const connection = `${this.#prefix}${++this.#dialled}>${peer}`;
    this.#known.set(connection, { peer, binding: undefined });
    this.#dials.set(peer, connection);
    return connection;
  }

  /** The dial is no longer wanted. @returns the connection to end. */
  abandon(peer: NodeId): ConnectionId | undefined {
    const connection = this.#dials.get(peer);
    if (connection !== undefined) this.forget(connection);
    return connection;
  }

  /** A dial has succeeded. @returns its peer; `undefined` if it was abandoned meanwhile. */
  made(connection: ConnectionId, binding: string | undefined): NodeId | undefined {
    const peer = this.#endDial(connection);
    if (peer !== undefined) this.#known.set(connection, { peer, binding });
    return peer;
  }

  /** A dial has failed. @returns its peer. */
  failed(connection: ConnectionId): NodeId | undefined {
    const peer = this.#endDial(connection);
    if (peer !== undefined) this.#known.delete(connection);
    return peer;
  }

  /** A connection that was dialled to us has sent its open. */
  identify(connection: ConnectionId, peer: NodeId, binding: string | undefined): void {
    this.#known.set(connection, { peer, binding });
  }

  forget(connection: ConnectionId): void {
    this.#endDial(connection);
    this.#known.delete(connection);
  }

  #endDial(connection: ConnectionId): NodeId | undefined {
    const peer = this.#known.get(connection)?.peer;
    if (peer === undefined || this.#dials.get(peer) !== connection) return undefined;
    this.#dials.delete(peer);
    return peer;
  }
}
