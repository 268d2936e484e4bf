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

/** A message with everything that an edge adds to it: who sends it, when, and in which context. */
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
  /** For a forwarded call: the id of its request, the same by whichever path it comes (`ForwardedOptions.request`). */
  readonly request: string | undefined;
  /** Milliseconds since the epoch; after that the work is of no use. */
  readonly deadline: number | undefined;
  /** How many messages led to this one, each to the next: the depth of the chain of causes. */
  readonly hops: number;
  /** The nodes that forwarded it, oldest first. */
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

/** The longest time, in milliseconds, that a forwarded call may be given: a year. */
export const LONGEST_TIMEOUT = 365 * 86_400_000;

/** What a node may say about a call that it forwards (`Connection.forwards`). */
export interface ForwardedOptions extends CallOptions {
  /**
   * Goes before a deadline: the milliseconds that are left of it. The receiver counts them by its own clock, so that the two clocks need not
   * agree. (As `grpc-timeout` does, https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.)
   */
  readonly timeout?: number | undefined;
  /** The nodes that it came through before the forwarding one, oldest first. */
  readonly via?: readonly string[] | undefined;
  /** The depth of its chain of causes. */
  readonly hops?: number | undefined;
  /**
   * The request's id: 16 bytes in base64url, 10 of them random, made by the first node and passed on by all. What is done `once` for it is done
   * once: a copy that comes by another path joins it. Only the nodes on the path know the id, and each could ask the same in its own name.
   */
  readonly request?: string | undefined;
}

/** What a door adds to a call's options. */
export interface TakenOptions extends CallOptions {
  /** Called with the id of the message that is answered: for a repeat under a key, the first message's. */
  readonly taken?: (id: string) => void;
}

/** `action.perform`: a message's name in prose, clauses and tables. */
export function messageName({ resource, action }: { readonly resource: string; readonly action: string }): string {
  // The same message is named several times in a row: the last name is kept, so that no new string is made.
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

/** A longer array is not frozen itself, only its elements are: freezing costs JavaScriptCore microseconds an element, seconds for 4 MiB of numbers. */
const LONGEST_FROZEN = 1_000;

/** Freezes plain data deeply, so that no plugin can alter what another sees. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  const long = isLong(value);
  if (!long && Object.isFrozen(value)) return value;
  if (!long) Object.freeze(value);
  for (const part of partsOf(value)) deepFreeze(part);
  return value;
}

/** Whether it is an array that is too long to be frozen itself. */
export function isLong(value: object): boolean {
  return Array.isArray(value) && value.length > LONGEST_FROZEN;
}

export function partsOf(value: object): readonly unknown[] {
  return Array.isArray(value) ? value : Object.values(value);
}
