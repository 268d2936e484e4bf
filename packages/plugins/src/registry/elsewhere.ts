// The contract between the registry and the plugins that reach actions on other nodes. A carrier notes the ways in a session table (`action.reach`),
// and makes the calls. Ways are learned again after a restart, so that the log has of them only what decisions read.

import {
  type Fault,
  FaultError,
  nameSchema,
  type Repeatable,
  signal,
  type Table,
  table,
  token,
} from "@capstan/orchestrator";
import { z } from "zod";

/** For how long after `CarriedCall.until` a node that was asked still knows the call by its key: keys are kept for a day. */
export const REMEMBERED_MS = 12 * 60 * 60_000;

/** The way to an action that is not here. */
export interface ElsewhereRow {
  /** The carrier that noted it and makes the calls: a key of `Elsewhere.carriers`. */
  readonly by: string;
  /** The neighbour through which it is reached: the operator's name for it, and its node id. */
  readonly peer: string;
  readonly node: string;
  /** The domains on the way, the nearest first. */
  readonly path: readonly string[];
  /** The node that has the action. */
  readonly origin: string;
  /** The digest of its schemas, as its origin signed it. */
  readonly digest: string;
  /** What its origin promises of performing it twice, also signed; absent: nothing. */
  readonly repeatable?: Repeatable | undefined;
  /** The time limit of a call without a deadline, in milliseconds. */
  readonly timeout?: number | undefined;
}

/** One call that is performed elsewhere. */
export interface CarriedCall {
  readonly name: string;
  readonly input: unknown;
  /** Absent: both the caller and the subscribers get the output. */
  readonly publication: "only" | "none" | undefined;
  /** The idempotency key, the same each time the call is repeated: the far side joins a repeat to the first. */
  readonly key: string;
  /** A second key, unique to this try: for a node that recorded under `key` that it did nothing, and would repeat that answer for ever. */
  readonly anew: string;
  /** The request's id, the same on every path: where it is carried out, it is carried out once (`ForwardedOptions.request`). */
  readonly request: string | undefined;
  /** The node that is to perform it; absent: any. */
  readonly origin: string | undefined;
  /** Whether no other node may perform it. */
  readonly only: boolean;
  /** The node that the caller addressed, if any. */
  readonly address: Address | undefined;
  /** What the nodes asked so far promise of performing it twice; and the digest of the schemas that this is promised for. */
  readonly repeatable: Repeatable | undefined;
  readonly digest: string | undefined;
  readonly deadline: number | undefined;
  /** Until when the request may be sent by another way, in milliseconds since the epoch: the far end remembers it for longer. */
  readonly until: number;
  readonly correlation: string | undefined;
  readonly traceparent: string | undefined;
  /** The nodes that it came through, without this one. */
  readonly via: readonly string[];
  /** The depth of its chain of causes here. */
  readonly hops: number;
  /** The neighbour that was asked before, where the outcome is unknown: it can tell, by the same key, and so is asked first. */
  readonly again: string | undefined;
  /** Other neighbours that were asked, with unknown outcomes. */
  readonly open: readonly string[];
  /**
   * To be awaited before anything is sent to a neighbour: records durably which neighbour is asked, and for which node. `undefined`
   * where that is recorded already.
   * @throws where that cannot be recorded, or is of no use any more; then nothing may be sent
   */
  asks(node: string, way: AskedWay): Promise<void> | undefined;
  readonly signal: AbortSignal;
}

/** The node that a caller addressed: a neighbour, and what that one is to address in turn; or an origin, by its node id or domain. */
export type Address =
  | { readonly neighbour: string; readonly node: string; readonly further?: string | undefined }
  | { readonly origin: string };

/** What is known of a way when it is taken. */
export interface AskedWay {
  /** The node that is to perform it, through the neighbour. */
  readonly origin: string | undefined;
  readonly repeatable: Repeatable | undefined;
  /** The digest of the schemas for which that is promised; absent where nothing is. */
  readonly digest?: string | undefined;
  /** Neighbours that were asked before, and may still carry it out. */
  readonly open?: readonly string[] | undefined;
  /** The key to use from now on; absent: the call's. */
  readonly key?: string | undefined;
}

/** Thrown where it is unknown what became of a call. */
export class Unsettled extends FaultError {
  /** @param open the neighbours that may still carry it out */
  constructor(
    error: Fault,
    readonly open: readonly string[],
  ) {
    super(error);
  }
}

/** A call that asks for the schemas of an action elsewhere. */
export type DescribeCall = Pick<
  CarriedCall,
  "name" | "correlation" | "traceparent" | "via" | "hops" | "origin" | "only" | "address"
>;

/** The outcome of a call that was performed elsewhere. */
export interface Carried {
  readonly output?: unknown;
  /** The neighbour that answered, by the operator's name. */
  readonly via: string;
}

/** Makes calls to actions elsewhere. */
export interface Carrier {
  /**
   * @throws FaultError that the far side answered; ACTION_UNREACHABLE where nothing was sent; Unsettled or EXECUTION_AMBIGUOUS, with the asked
   * node as `details.peer.node`, where something was sent and the outcome is unknown
   */
  perform(call: CarriedCall): Promise<Carried>;
  /** `{ input, output }`, the schemas of an action there. The far side's answer is not checked: it may be anything. @throws FaultError */
  describe(call: DescribeCall): Promise<unknown>;
}

/** A neighbour that can be addressed: the carrier that noted it, and its node id. */
export interface NeighbourRow {
  readonly by: string;
  readonly node: string;
}

/** What the registry offers to carriers, under the token `elsewhere`. */
export interface Elsewhere {
  readonly table: Table<ElsewhereRow>;
  readonly neighbours: Table<NeighbourRow>;
  /** By `ElsewhereRow.by`: added by plugins that come later, when they run. Decisions do not look at them. */
  readonly carriers: Map<string, Carrier>;
}

/** Ways by action name. An action that is also here is performed here. */
export const elsewhereTable = table<ElsewhereRow>("elsewhere", "session");

/** Neighbours with a session, by the operator's name. */
export const neighbourTable = table<NeighbourRow>("neighbour", "session");

/** The token under which the registry offers `Elsewhere`. */
export const elsewhere = token<Elsewhere>()("elsewhere");

/** The most changes in one message. */
const MOST_CHANGES = 256;

const way = z.strictObject({
  ...{ peer: z.string(), node: z.string(), path: z.array(z.string()), origin: z.string(), digest: z.string() },
  repeatable: z.enum(["idempotent", "read-only"]).optional(),
  timeout: z.number().int().positive().optional(),
});

export const reach = signal({
  internal: true,
  summary: "Actions can be reached elsewhere, or no longer.",
  data: z.strictObject({
    by: z.string(),
    // Others choose these names: one that is no action name is skipped.
    changes: z.array(z.strictObject({ name: z.string(), way: way.nullable() })).max(MOST_CHANGES),
  }),
  result: z.unknown(),
});

export const neighbour = signal({
  internal: true,
  summary: "A neighbour can be addressed, or no longer.",
  data: z.strictObject({ by: z.string(), name: z.string(), node: z.string().nullable() }),
  result: z.unknown(),
});

export type NeighbourNote = z.output<(typeof neighbour)["data"]>;

export type Reach = z.output<(typeof reach)["data"]>;

/** The part of a way that is shown with an action. */
export function shownWay({ peer, node, path, origin, digest, repeatable }: ElsewhereRow) {
  return { peer, node, path: [...path], origin, digest, ...(repeatable === undefined ? {} : { repeatable }) };
}

export function isActionName(name: string): boolean {
  return nameSchema.safeParse(name).success;
}
