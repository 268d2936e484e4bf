// The peers as whoever asks them sees them: the paths that are known, and the sessions that are there.

import type { CallOptions, Message, Repeatable } from "@capstan/orchestrator";

/** A live session with a neighbour, whoever dialled. */
export interface Neighbour {
  /** As the operator calls it. */
  readonly name: string;
  /** It is being stopped: nothing new is asked of it. */
  readonly leaving?: boolean;
  /** From the moment that the session is lost: what it had not answered by then, it never will. */
  readonly ended: boolean;
  /**
   * @param owed it is what an execution owes, and tells of nothing else: that is durable, or may be done twice, and so it is sent at once
   * @throws what the neighbour answered, or that the session is lost
   */
  call(message: Message, options: CallSaid, owed?: boolean): Promise<unknown>;
}

/** What a node that hands a call on says of it. */
export interface CallSaid extends CallOptions {
  readonly via: readonly string[];
  readonly hops: number;
  readonly request?: string | undefined;
}

export interface PathTo {
  /** Our own have none. */
  readonly peer: string | undefined;
  /** The node that has it, and its administration. */
  readonly origin: string;
  readonly domain?: string | undefined;
  readonly digest?: string | undefined;
  readonly repeatable?: Repeatable | undefined;
}

export interface Peers {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Paths to a route, `action:greet`, best first, none that is filtered. */
  pathsOf(route: string): Iterable<PathTo>;
  /** `undefined` where nothing can be sent to that node now. */
  neighbour(node: string): Neighbour | undefined;
  /** What was asked of a neighbour may have been done, and nobody can tell: it may be worth asking again. */
  unknown?(node: string): void;
}
