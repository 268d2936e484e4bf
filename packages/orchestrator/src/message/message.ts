// What everything asked of an orchestrator is: a message, and the envelope that an edge puts around it. Both are plain,
// frozen values; nothing here knows how they are decided.

/** `<resource, action, data>`. In prose the field `action` is the verb. */
export interface Message<Data = unknown> {
  readonly resource: string;
  readonly action: string;
  readonly data: Data;
}

/** On whose behalf a message is decided. The edge sets it; nothing in `data` can. */
export interface Principal {
  readonly principal: string;
  /** Id of the grant that it acts under. `NODE_GRANT` is the node's own and comes from no wire. */
  readonly grant: string;
  /** Narrows the grant further for this holder, in the grant's own clause form: `action.perform:greet`. */
  readonly may?: readonly string[] | undefined;
}

/** The reserved grant of the node itself and of whoever embeds it in the same process. */
export const NODE_GRANT = "node";

/** What a plugin's `prepare` found; recorded in the entry. */
export type Facts = Readonly<Record<string, unknown>>;

export const NO_FACTS: Facts = Object.freeze({});

export interface Envelope<Data = unknown> extends Principal {
  readonly id: string;
  readonly message: Message<Data>;
  /** The node that took the message in. */
  readonly node: string;
  /** Milliseconds since the epoch. Never runs backwards along the log. */
  readonly at: number;
  /** Id of the message that led to this one. */
  readonly cause: string | undefined;
  /** The caller's own id for what belongs together. */
  readonly correlation: string | undefined;
  /** The caller's place in a distributed trace: a W3C `traceparent` (https://www.w3.org/TR/trace-context/). */
  readonly traceparent: string | undefined;
  /** Idempotency key, scoped to the principal. */
  readonly key: string | undefined;
  /** Of what a node forwards: the id of the request that it is, the same by whichever way it comes (`ForwardedOptions.request`). */
  readonly request: string | undefined;
  /** Milliseconds since the epoch, after which the work is of no use. */
  readonly deadline: number | undefined;
  /** How many causes deep. */
  readonly hops: number;
  /** The nodes that it came through. */
  readonly via: readonly string[];
  readonly facts: Facts;
  /** Set for what only the node itself may send: outcomes of effects, and its own bookkeeping. */
  readonly internal: boolean;
}

/** What a caller may say about a call, the same on every door. */
export interface CallOptions {
  /** Idempotency key: a repeat joins the first, whatever came of it. */
  readonly key?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly deadline?: number | undefined;
  readonly correlation?: string | undefined;
  /** The caller's place in a distributed trace: a W3C `traceparent`. */
  readonly traceparent?: string | undefined;
  /** How long to wait for the outcome, in milliseconds; past it the answer is `pending`. 0 only accepts. */
  readonly wait?: number | undefined;
}

/** What a node may say besides about a call that it forwards (`Connection.forwards`). */
export interface ForwardedOptions extends CallOptions {
  /** The nodes that it came through before that one, oldest first. */
  readonly via?: readonly string[] | undefined;
  /** How many causes deep it is. */
  readonly hops?: number | undefined;
  /**
   * 16 bytes, 10 of them random, in base64url, that the first node made of the request and all hand on. Where something is done `once` for it, what
   * comes by another way joins that. Nobody guesses it; whoever is on the way knows it, and could ask the same in his own name.
   */
  readonly request?: string | undefined;
}

/** What a door says about a call besides. */
export interface TakenOptions extends CallOptions {
  /** Told the id of the message that the answer is of: for a repeat under a key, the first's. */
  readonly taken?: (id: string) => void;
}

/** `action.perform`: a message's name in prose, clauses and tables. */
export function messageName({ resource, action }: { readonly resource: string; readonly action: string }): string {
  // Asked of one message several times, and each time a text of its own would be made.
  if (resource !== named.resource || action !== named.action)
    named = { resource, action, name: `${resource}.${action}` };
  return named.name;
}

let named = { resource: "", action: "", name: "." };

/** What stands before a name's last `/`; `default` where there is none. */
export function namespaceOf(name: string): string {
  const slash = name.lastIndexOf("/");
  return slash < 0 ? "default" : name.slice(0, slash);
}

/** A longer list is left open, and what is in it is not: to freeze one takes JavaScriptCore microseconds an element, and 4 MiB of numbers seconds. */
const LONGEST_FROZEN = 1_000;

/** Freezes plain data through and through, so that no plugin can alter what another sees. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  const long = isLong(value);
  if (!long && Object.isFrozen(value)) return value;
  if (!long) Object.freeze(value);
  for (const part of partsOf(value)) deepFreeze(part);
  return value;
}

/** Whether it is a list that is left open. */
export function isLong(value: object): boolean {
  return Array.isArray(value) && value.length > LONGEST_FROZEN;
}

export function partsOf(value: object): readonly unknown[] {
  return Array.isArray(value) ? value : Object.values(value);
}
