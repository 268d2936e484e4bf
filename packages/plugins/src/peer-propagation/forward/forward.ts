// Performing what is elsewhere: the call goes to the neighbour with the best path that can be asked now. Where it may have arrived and
// nothing tells what became of it, another is asked only if that cannot have it done twice: because its origin promises that this does no
// harm, or because the way leads to the same node, which knows the request. Whom it is asked is noted first. ADR 0026 and 0030.

import type { FaultError, Message } from "@capstan/orchestrator";
import { type Carried, type CarriedCall, type Carrier, REMEMBERED_MS, Unsettled } from "../../registry/elsewhere.ts";
import { release } from "../links/outbox.ts";
import { ambiguousFault, farFault, isFarFault, isFinal, isGivenUp, readPerformed, unreadable } from "./far-answer.ts";
import { isUntaken, outlasts, staysAccepted, tellsOfIt, unreachable } from "./far-fault.ts";
import type { Peers } from "./neighbour.ts";
import { type Choice, choices, whyNobody } from "./ways-to-perform.ts";

const DESCRIBE_MS = 10_000;

export function forwarder(peers: Peers): Carrier {
  return {
    perform: (call) => new Performing(peers, call).run(),
    async describe(call) {
      const { name, correlation, traceparent, via, hops, address } = call;
      const [choice] = choices(peers, { ...call, again: undefined, open: [] });
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
  /** By which it is asked: another, once whoever was asked by the first has said that nothing more will become of that. */
  #key: string;
  /** Those that may have done it, or still do: until each has said what became of it, nothing that another says tells that. */
  readonly #open: Set<string>;
  /** Of whoever may have done it: what asking others goes by. */
  #asked: Pick<Choice, "origin" | "digest" | "repeatable"> | undefined;
  #lost: FaultError | undefined;
  #untaken: FaultError | undefined;
  /** Those of them that have given it up: they will never say more. */
  readonly #gaveUp = new Map<string, FaultError>();

  constructor(peers: Peers, call: CarriedCall) {
    this.#peers = peers;
    this.#call = call;
    this.#key = call.key;
    this.#open = new Set(call.again === undefined ? [] : [call.again, ...call.open]);
    // It was asked before this began.
    if (call.again !== undefined) this.#asked = call;
  }

  async run(): Promise<Carried> {
    const { signal } = this.#call;
    for (;;) {
      signal.throwIfAborted();
      const choice = this.#next();
      if (choice === undefined) throw this.#end();
      const { peer, neighbour } = choice;
      const noting = this.#note(choice);
      if (noting !== undefined) await noting;
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

  /** Nothing to wait for where it is noted already. */
  #note({ peer, origin, repeatable, digest }: Choice): Promise<void> | undefined {
    const open = [...this.#open, ...this.#gaveUp.keys()].filter((node) => node !== peer.node);
    const key = this.#key === this.#call.key ? undefined : this.#key;
    const noting = this.#call.asks(peer.node, { origin, repeatable, digest: repeatable && digest, open, key });
    return noting?.catch((thrown) => {
      if (this.#asked === undefined) throw thrown;
      // Whoever was asked before may have done it, whatever keeps another from being asked.
      throw this.#unsettled(this.#lost ?? unreachable(this.#call.name, "whom to ask could not be noted"));
    });
  }

  #next(): Choice | undefined {
    for (const choice of choices(this.#peers, this.#call)) {
      const { node } = choice.peer;
      if (!this.#tried.has(node) && (this.#open.has(node) || this.#mayBeAsked(choice))) return choice;
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
    this.#open.add(peer.node);
    // Whom it was asked again is asked again already, and not for ever.
    if (peer.node !== this.#call.again) this.#peers.unknown?.(peer.node);
    return fault;
  }

  #end(): FaultError {
    const { name, again } = this.#call;
    const [givenUp] = this.#gaveUp.values();
    if (this.#open.size === 0 && givenUp !== undefined) return this.#unsettled(givenUp);
    if (this.#open.size === 0) return this.#untaken ?? unreachable(name, whyNobody(this.#peers, this.#call));
    const why = this.#untaken?.message ?? `there is no session with ${again}, which was asked, nor another way to ask`;
    return this.#unsettled(this.#lost ?? unreachable(name, why));
  }

  #unsettled(why: FaultError): FaultError {
    return new Unsettled(why.toFault(), [...this.#open, ...this.#gaveUp.keys()]);
  }

  /**
   * Whoever did nothing of it then has kept that as what became of the key. Where by that nobody is left who may have done it, it is done now, by
   * another key, which is noted first: a doubt is always about one key.
   */
  async #askTwice(choice: Choice): Promise<Came> {
    const wasAsked = this.#open.has(choice.peer.node);
    const came = await this.#ask(choice);
    if (came.kind !== "untaken" || !wasAsked || this.#asked !== undefined) return came;
    this.#key = this.#call.anew;
    await this.#note(choice);
    return choice.neighbour.ended ? came : this.#ask(choice);
  }

  async #ask(choice: Choice): Promise<Came> {
    const { name, input, publication, address, request, deadline, correlation, traceparent, via, hops, signal } =
      this.#call;
    const { peer, neighbour, origin } = choice;
    const data = defined({ name, input, publication, at: furtherOf(address), origin });
    const message: Message = { resource: "action", action: "perform", data };
    const options = defined({ key: this.#key, request, deadline, correlation, traceparent, via, hops: hops + 1 });
    let answer: unknown;
    try {
      // Whoever waited may want it no more: then those that were asked are told beside this (take-back.ts).
      answer = await unlessAborted(neighbour.call(message, options, true), signal);
    } catch (thrown) {
      if (signal.aborted) throw signal.reason;
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
    // Heard before its session ends.
    if (staysAccepted(fault)) return { kind: "lost", fault: ambiguousFault(name, peer) };
    // Where it may have been done before, only what is said of an execution tells what became of it; or the last word of all who may have.
    const isKnown = this.#asked === undefined || this.#peers.now() < this.#call.until + REMEMBERED_MS;
    if (isKnown ? tellsOfIt(fault) : outlasts(fault)) throw fault;
    if (this.#asked !== undefined && isGivenUp(thrown) && this.#open.delete(peer.node))
      this.#gaveUp.set(peer.node, fault);
    if (isKnown && isFinal(thrown) && this.#open.delete(peer.node) && this.#open.size + this.#gaveUp.size === 0)
      this.#asked = this.#lost = undefined;
    if (this.#asked === undefined && !isUntaken(fault)) throw fault;
    return { kind: "untaken", fault };
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
