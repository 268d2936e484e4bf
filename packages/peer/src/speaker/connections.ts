// Which connection is whose: those that we dialled, those whose peer has said who it is, and those that wait to be asked in.

import type { ConnectionId } from "../session/session.ts";
import type { NodeId } from "../wire/names.ts";
import { Doorstep } from "./doorstep.ts";

export interface Connection {
  readonly peer: NodeId;
  /** What binds proofs to the channel, where the transport knows such a thing. */
  readonly binding: string | undefined;
}

export class Connections {
  readonly doorstep: Doorstep;
  readonly #known = new Map<ConnectionId, Connection>();
  readonly #dials = new Map<NodeId, ConnectionId>();
  /** What ids of dials begin with: one incarnation of one node. */
  readonly #prefix: string;
  #dialled = 0;

  constructor(prefix: string, openTime: number, random: () => number) {
    this.#prefix = prefix;
    this.doorstep = new Doorstep(openTime, random);
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

  /** It is not wanted any more. @returns what to end. */
  abandon(peer: NodeId): ConnectionId | undefined {
    const connection = this.#dials.get(peer);
    if (connection !== undefined) this.forget(connection);
    return connection;
  }

  /** A dial has led to a connection. @returns whose; `undefined` if nobody waits for it any more. */
  made(connection: ConnectionId, binding: string | undefined): NodeId | undefined {
    const peer = this.#endDial(connection);
    if (peer !== undefined) this.#known.set(connection, { peer, binding });
    return peer;
  }

  /** A dial has led to none. @returns whose. */
  failed(connection: ConnectionId): NodeId | undefined {
    const peer = this.#endDial(connection);
    if (peer !== undefined) this.#known.delete(connection);
    return peer;
  }

  /** Whoever waited on the doorstep has said who it is. */
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
