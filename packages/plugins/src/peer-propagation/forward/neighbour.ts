// Peers, as the code that sends them calls sees them: the known paths to a route, and the live sessions.

import type { CallOptions, Message, Repeatable } from "@capstan/orchestrator";
import type { Room } from "../links/room.ts";

/** A live session with a neighbour, whoever dialled. */
export interface Neighbour {
  /** The operator's name for the peer. */
  readonly name: string;
  /** The peer is being stopped: no new calls are sent to it. */
  readonly leaving?: boolean;
  /** `true` from the moment that the session is lost: outstanding calls are never answered. */
  readonly ended: boolean;
  /** In which performings wait in line that are too many for its session; absent: there are never too many. */
  readonly room?: Room | undefined;
  /**
   * @param owed the call is an owed effect of an execution and carries no other information. Its entry is durable, or it may run twice, so it is sent at once
   * @throws what the neighbour answered, or that the session is lost
   */
  call(message: Message, options: CallSaid, owed?: boolean): Promise<unknown>;
}

/** The options with which a node forwards a call. */
export interface CallSaid extends CallOptions {
  readonly via: readonly string[];
  readonly hops: number;
  readonly request?: string | undefined;
}

export interface PathTo {
  /** The neighbour's node id; `undefined` for our own routes. */
  readonly peer: string | undefined;
  /** The node that offers the route, and its domain. */
  readonly origin: string;
  readonly domain?: string | undefined;
  readonly digest?: string | undefined;
  readonly repeatable?: Repeatable | undefined;
}

export interface Peers {
  /** Milliseconds since the epoch. */
  now(): number;
  /** The unfiltered paths to a route such as `action:greet`, best first. */
  pathsOf(route: string): Iterable<PathTo>;
  /** The session with a node; `undefined` where nothing can be sent to it now. */
  neighbour(node: string): Neighbour | undefined;
  /** The outcome of a call to this neighbour is unknown: it should be asked again later (ask-again.ts). */
  unknown?(node: string): void;
}
