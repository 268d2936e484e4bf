// Actions that are not here, and can be reached: a session table that whoever knows ways has noted (`action.reach`), and who carries
// a performing there. Ways are learned again by asking, so nothing of this is in the log but what a decision read of it.

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

/** For so long after `CarriedCall.until` whoever was asked knows of it by its key: keys are kept for a day. */
export const REMEMBERED_MS = 12 * 60 * 60_000;

/** The way to an action that is not here. */
export interface ElsewhereRow {
  /** Who noted it, and carries performings there: a key of `Elsewhere.carriers`. */
  readonly by: string;
  /** The neighbour that leads there, as the operator calls it, and its node. */
  readonly peer: string;
  readonly node: string;
  /** Administrations on the way, the nearest first. */
  readonly path: readonly string[];
  /** The node that has the action. */
  readonly origin: string;
  /** Of its schemas, as its origin signed it. */
  readonly digest: string;
  /** What its origin promises of performing it twice, signed as well; nothing where it is absent. */
  readonly repeatable?: Repeatable | undefined;
  /** Milliseconds that a performing may take, where its caller says no deadline. */
  readonly timeout?: number | undefined;
}

/** One performing that is carried elsewhere. */
export interface CarriedCall {
  readonly name: string;
  readonly input: unknown;
  /** Absent: caller and subscribers are told. */
  readonly publication: "only" | "none" | undefined;
  /** The same wherever it is asked again: the far side joins a repeat to the first. */
  readonly key: string;
  /** Another, no other try's: for whoever says by the first that it did nothing of it, and would say so for ever. */
  readonly anew: string;
  /** Of the request, whoever began it and whichever way it goes: where it is done, it is done once (`ForwardedOptions.request`). */
  readonly request: string | undefined;
  /** The node that it is asked for; absent: whoever does it. */
  readonly origin: string | undefined;
  /** No other node may do it. */
  readonly only: boolean;
  /** Whom the caller addressed; absent: nobody in particular. */
  readonly address: Address | undefined;
  /** What is promised of doing it twice, by whoever may have been asked before, and of which schemas. */
  readonly repeatable: Repeatable | undefined;
  readonly digest: string | undefined;
  readonly deadline: number | undefined;
  /** Until when another way may be asked by the same request: the far end remembers it for longer. */
  readonly until: number;
  readonly correlation: string | undefined;
  readonly traceparent: string | undefined;
  /** The nodes that it came through, ours not among them. */
  readonly via: readonly string[];
  /** How many causes deep it is here. */
  readonly hops: number;
  /** The neighbour that was asked before, by the same key, where nobody knows what became of that: it can tell before others. */
  readonly again: string | undefined;
  /** Others that were, and of which nobody knows either. */
  readonly open: readonly string[];
  /**
   * To be awaited before anything is sent to a neighbour: resolves once that it is asked, and for which node, is sure to outlive this
   * one. @throws where that cannot be noted, or is no use any more: then nothing may be sent
   */
  asks(node: string, way: AskedWay): Promise<void>;
  readonly signal: AbortSignal;
}

/** Whom a caller named: a neighbour, and whom that one is to address; or an origin, by its node's id or its domain. */
export type Address =
  | { readonly neighbour: string; readonly node: string; readonly further?: string | undefined }
  | { readonly origin: string };

/** What is known of a way when it is taken. */
export interface AskedWay {
  /** The node that the neighbour is to have it done by. */
  readonly origin: string | undefined;
  readonly repeatable: Repeatable | undefined;
  /** Of the schemas that this is promised of; absent where nothing is. */
  readonly digest?: string | undefined;
  /** Who was asked before, and may still see to it. */
  readonly open?: readonly string[] | undefined;
  /** By which it is asked from now on; absent: by the call's. */
  readonly key?: string | undefined;
}

/** Nobody knows what became of it. */
export class Unsettled extends FaultError {
  /** @param open the neighbours that may still see to it */
  constructor(
    error: Fault,
    readonly open: readonly string[],
  ) {
    super(error);
  }
}

/** Somebody wants to know what an action elsewhere takes and gives. */
export type DescribeCall = Pick<
  CarriedCall,
  "name" | "correlation" | "traceparent" | "via" | "hops" | "origin" | "only" | "address"
>;

export interface Carried {
  readonly output?: unknown;
  /** The neighbour that answered, as the operator calls it. */
  readonly via: string;
}

/** Leads to actions elsewhere. */
export interface Carrier {
  /**
   * @throws FaultError what the far side answered; ACTION_UNREACHABLE where nothing was sent; Unsettled or EXECUTION_AMBIGUOUS, with whoever was
   * asked as `details.peer.node`, where it was and nobody can know what became of it
   */
  perform(call: CarriedCall): Promise<Carried>;
  /** `{ input, output }` of an action there, as the far side tells it: anything. @throws FaultError */
  describe(call: DescribeCall): Promise<unknown>;
}

/** A neighbour that can be addressed: whoever noted it, and its node. */
export interface NeighbourRow {
  readonly by: string;
  readonly node: string;
}

export interface Elsewhere {
  readonly table: Table<ElsewhereRow>;
  readonly neighbours: Table<NeighbourRow>;
  /** By `ElsewhereRow.by`: added by plugins that come later, when they run. Decisions do not look at them. */
  readonly carriers: Map<string, Carrier>;
}

/** By name, of actions that are here as well: the one that is here is performed. */
export const elsewhereTable = table<ElsewhereRow>("elsewhere", "session");

/** By the operator's name, those with whom there is a session. */
export const neighbourTable = table<NeighbourRow>("neighbour", "session");

export const elsewhere = token<Elsewhere>()("elsewhere");

/** Changes that one message may note. */
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
    // Others make these names: what is no action's is passed over.
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

/** What is told of a way where actions are shown. */
export function shownWay({ peer, node, path, origin, digest, repeatable }: ElsewhereRow) {
  return { peer, node, path: [...path], origin, digest, ...(repeatable === undefined ? {} : { repeatable }) };
}

export function isActionName(name: string): boolean {
  return nameSchema.safeParse(name).success;
}
