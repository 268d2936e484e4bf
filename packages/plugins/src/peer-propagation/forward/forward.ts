// Performing what is elsewhere: the call goes to the neighbour with the best path that can be asked now. Where it may have arrived and
// nothing tells what became of it, another is asked only if that cannot have it done twice: because its origin promises that this does no
// harm, or because the way leads to the same node, which knows the request. Whom it is asked is noted first. ADR 0026 and 0030.

import type { CallOptions, FaultError, Message, Repeatable } from "@capstan/orchestrator";
import type { Carried, CarriedCall, Carrier } from "../../registry/elsewhere.ts";
import { release } from "../links/outbox.ts";
import { ambiguousFault, farFault, isFarFault, readPerformed, unreadable } from "./far-answer.ts";
import { isUntaken, tellsOfIt, unreachable } from "./far-fault.ts";
import { type Choice, choices, whyNobody } from "./ways-to-perform.ts";

/** A live session with a neighbour, whoever dialled. */
export interface Neighbour {
  /** As the operator calls it. */
  readonly name: string;
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

const DESCRIBE_MS = 10_000;
const RECALL_MS = 10_000;

export function forwarder(peers: Peers): Carrier {
  return {
    perform: (call) => new Performing(peers, call).run(),
    async describe(call) {
      const { name, correlation, traceparent, via, hops, address } = call;
      const [choice] = choices(peers, { ...call, again: undefined });
      if (choice === undefined) throw unreachable(name, whyNobody(peers, call));
      const { peer, neighbour, origin } = choice;
      const data = defined({ name, origin, at: furtherOf(address) });
      const message: Message = { resource: "action", action: "schemas", data };
      const answer = neighbour.call(message, defined({ correlation, traceparent, via, hops: hops + 1 }));
      try {
        return await unlessAborted(answer, AbortSignal.timeout(DESCRIBE_MS));
      } catch (thrown) {
        throw isFarFault(thrown) ? farFault(thrown, peer) : unreachable(name, `${peer.name} did not answer`);
      }
    },
  };
}

/** What one neighbour came to. `untaken`: it did nothing of it. `lost`: nobody knows. */
type Came =
  | { readonly kind: "answered"; readonly carried: Carried }
  | { readonly kind: "untaken" | "lost"; readonly fault: FaultError };

class Performing {
  readonly #peers: Peers;
  readonly #call: CarriedCall;
  readonly #tried = new Set<string>();
  /** Of whoever may have done it: what asking others goes by. */
  #asked: Pick<Choice, "origin" | "digest" | "repeatable"> | undefined;
  #lost: FaultError | undefined;
  #untaken: FaultError | undefined;

  constructor(peers: Peers, call: CarriedCall) {
    this.#peers = peers;
    this.#call = call;
    // It was asked before this began.
    if (call.again !== undefined) this.#asked = call;
  }

  async run(): Promise<Carried> {
    const { signal, asks } = this.#call;
    for (;;) {
      signal.throwIfAborted();
      const choice = this.#next();
      if (choice === undefined) throw this.#end();
      const { peer, neighbour, origin, repeatable, digest } = choice;
      try {
        await asks(peer.node, { origin, repeatable, digest: repeatable && digest });
      } catch (thrown) {
        if (this.#asked === undefined) throw thrown;
        // Whoever was asked before may have done it, whatever keeps another from being asked.
        throw this.#lost ?? unreachable(this.#call.name, "whom to ask could not be noted");
      }
      // Until it is sent, a session that ended costs nothing: not while it was noted who is asked, either.
      if (neighbour.ended) continue;
      signal.throwIfAborted();
      this.#tried.add(peer.node);
      const came = await this.#askTwice(choice);
      if (came.kind === "answered") return came.carried;
      if (came.kind === "untaken") this.#untaken ??= came.fault;
      else this.#lost = this.#lose(choice, came.fault);
    }
  }

  #next(): Choice | undefined {
    const { again } = this.#call;
    for (const choice of choices(this.#peers, this.#call)) {
      const { node } = choice.peer;
      if (!this.#tried.has(node) && (node === again || this.#mayBeAsked(choice))) return choice;
    }
    return undefined;
  }

  /** Whether it cannot be done twice by asking this one as well. */
  #mayBeAsked(choice: Choice): boolean {
    const asked = this.#asked;
    if (asked === undefined) return true;
    const { request, until, address } = this.#call;
    // Whom the caller addressed is the only one who was meant.
    if (address !== undefined && "neighbour" in address) return false;
    const isSame = asked.digest === undefined || choice.digest === asked.digest;
    if (asked.repeatable !== undefined && choice.repeatable !== undefined && isSame) return true;
    const isKnownThere = request !== undefined && choice.origin !== undefined && choice.origin === asked.origin;
    return isKnownThere && this.#peers.now() < until;
  }

  #lose({ peer, origin, digest, repeatable }: Choice, fault: FaultError): FaultError {
    // What one of them does not promise is not promised.
    const promised = this.#asked === undefined ? repeatable : this.#asked.repeatable && repeatable;
    this.#asked = { origin: this.#asked === undefined ? origin : this.#asked.origin, digest, repeatable: promised };
    // Whom it was asked again is asked again already, and not for ever.
    if (peer.node !== this.#call.again) this.#peers.unknown?.(peer.node);
    return fault;
  }

  #end(): FaultError {
    const { name, again } = this.#call;
    if (this.#lost !== undefined) return this.#lost;
    if (again !== undefined) {
      const why =
        this.#untaken?.message ?? `there is no session with ${again}, which was asked, nor another way to ask`;
      return unreachable(name, why);
    }
    return this.#untaken ?? unreachable(name, whyNobody(this.#peers, this.#call));
  }

  /**
   * Whoever did nothing of it then has kept that as what became of the key. Where it can be done now, by another key, without being done
   * twice, it is: else nobody would ever learn what became of it.
   */
  async #askTwice(choice: Choice): Promise<Came> {
    const { again, anew, key } = this.#call;
    const came = await this.#ask(choice, key);
    if (came.kind !== "untaken" || again === undefined || choice.neighbour.ended) return came;
    return this.#mayBeAsked(choice) ? this.#ask(choice, anew) : came;
  }

  async #ask(choice: Choice, key: string): Promise<Came> {
    const { name, input, publication, address, request, deadline, correlation, traceparent, via, hops, signal } =
      this.#call;
    const { peer, neighbour, origin } = choice;
    const data = defined({ name, input, publication, at: furtherOf(address), origin });
    const message: Message = { resource: "action", action: "perform", data };
    const options = defined({ key, request, deadline, correlation, traceparent, via, hops: hops + 1 });
    let answer: unknown;
    try {
      answer = await unlessAborted(neighbour.call(message, options, true), signal);
    } catch (thrown) {
      if (signal.aborted) {
        this.#recall(choice, key);
        throw signal.reason;
      }
      return this.#threw(choice, thrown);
    }
    try {
      const read = readPerformed(answer);
      if ("why" in read) throw unreadable(name, peer, read.why);
      return { kind: "answered", carried: { ...("output" in read ? { output: read.output } : {}), via: peer.name } };
    } finally {
      release(answer);
    }
  }

  async #threw({ peer, neighbour }: Choice, thrown: unknown): Promise<Came> {
    const { name } = this.#call;
    // That the session is lost may be told to whoever waits before it is told to us.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (neighbour.ended || !isFarFault(thrown)) return { kind: "lost", fault: ambiguousFault(name, peer) };
    const fault = farFault(thrown, peer);
    if (fault.code === "EXECUTION_AMBIGUOUS") return { kind: "lost", fault };
    // Where it may have been done before, only what is said of an execution tells what became of it.
    if (this.#asked === undefined ? !isUntaken(fault) : tellsOfIt(fault)) throw fault;
    return { kind: "untaken", fault };
  }

  /** Whoever waited wants it no more: the neighbour is told, and nobody waits for what it says to that. */
  #recall({ neighbour }: Choice, key: string): void {
    const { name, via, hops, signal, correlation, traceparent } = this.#call;
    if (neighbour.ended || (signal.reason as { readonly code?: unknown } | undefined)?.code !== "CANCELLED") return;
    const message: Message = { resource: "action", action: "recall", data: { name, under: key } };
    const said = neighbour.call(message, defined({ correlation, traceparent, via, hops: hops + 1 }));
    unlessAborted(said, AbortSignal.timeout(RECALL_MS)).then(release, () => {});
  }
}

function furtherOf(address: CarriedCall["address"]): string | undefined {
  return address !== undefined && "further" in address ? address.further : undefined;
}

/** Cancelled, or past its deadline: whatever comes of it later is nobody's. */
function unlessAborted(asked: Promise<unknown>, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      reject(signal.reason);
      asked.catch(() => {});
      release(asked);
    };
    if (signal.aborted) {
      aborted();
      return;
    }
    signal.addEventListener("abort", aborted, { once: true });
    const ends =
      <T>(tell: (came: T) => void) =>
      (came: T): void => {
        signal.removeEventListener("abort", aborted);
        tell(came);
      };
    asked.then(ends(resolve), ends(reject));
  });
}

/** What is not said must not be sent: the far side's options are a closed object. */
function defined<T extends object>(options: T): T {
  const said: Partial<T> = {};
  for (const name in options) if (options[name] !== undefined) said[name] = options[name];
  return said as T;
}
