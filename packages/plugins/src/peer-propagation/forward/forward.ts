// Performs an action of another node: sends the call to the neighbour with the best path that has a session. If the call may have arrived
// and its outcome is unknown, another neighbour gets it only if the action cannot run twice by that: its origin promises that a second run does no
// harm, or the path leads to the same origin, which recognises the request id. Each neighbour is noted before the call is sent. ADR 0026, 0030 and 0035.

import { type FaultError, LONGEST_TIMEOUT, type Message } from "@capstan/orchestrator";
import { type Carried, type CarriedCall, type Carrier, REMEMBERED_MS, Unsettled } from "../../registry/elsewhere.ts";
import { MOST_OF_A_FRAME, sizeInFrame } from "../links/fits-frame.ts";
import { release } from "../links/outbox.ts";
import { ambiguousFault, farFault, isFarFault, isFinal, isGivenUp, readPerformed, unreadable } from "./far-answer.ts";
import { isUntaken, outlasts, staysAccepted, tellsOfIt, tooLarge, unreachable } from "./far-fault.ts";
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

/** The result of one neighbour. `untaken`: it did nothing. `lost`: it may have run the action, and the outcome is unknown. */
type Came =
  | { readonly kind: "answered"; readonly carried: Carried }
  | { readonly kind: "untaken" | "lost"; readonly fault: FaultError };

class Performing {
  readonly #peers: Peers;
  readonly #call: CarriedCall;
  readonly #tried = new Set<string>();
  /** The key that is sent: a new one, once all neighbours that had the first key have said that nothing more will come of it. */
  #key: string;
  /** The neighbours that may have run the action, or still run it. While there are any, another one's refusal does not tell the outcome. */
  readonly #open: Set<string>;
  /** What is known of the neighbours that may have run the action; it limits who else may be asked. `undefined`: nobody may have run it. */
  #asked: Pick<Choice, "origin" | "digest" | "repeatable"> | undefined;
  #lost: FaultError | undefined;
  #untaken: FaultError | undefined;
  /** Of these neighbours, the ones that have abandoned the execution: they will never know its outcome. */
  readonly #gaveUp = new Map<string, FaultError>();

  constructor(peers: Peers, call: CarriedCall) {
    this.#peers = peers;
    this.#call = call;
    this.#key = call.key;
    this.#open = new Set(call.again === undefined ? [] : [call.again, ...call.open]);
    // An earlier attempt has already sent the call.
    if (call.again !== undefined) this.#asked = call;
  }

  async run(): Promise<Carried> {
    const { signal, name, input, via } = this.#call;
    const size = sizeInFrame(input);
    // The neighbour would end the session, with all that is in flight over it.
    if (size > MOST_OF_A_FRAME) throw tooLarge(name);
    for (;;) {
      signal.throwIfAborted();
      const choice = this.#next();
      if (choice === undefined) throw this.#end();
      const { peer, neighbour } = choice;
      const noting = this.#note(choice);
      if (noting !== undefined) await noting;
      const line = neighbour.room?.enter(size, signal, via.at(-1));
      if (line !== undefined) await line;
      const leave = (): void => neighbour.room?.leave(size, via.at(-1));
      // If the session ended, or the peer is being stopped by now, nothing was sent: the next one is tried.
      const isGone = neighbour.ended || (neighbour.leaving && !this.#open.has(peer.node));
      if (isGone || signal.aborted) leave();
      signal.throwIfAborted();
      if (isGone) continue;
      this.#tried.add(peer.node);
      const came = await this.#askTwice(choice, leave);
      if (came.kind === "answered") return came.carried;
      if (came.kind === "untaken") this.#untaken ??= came.fault;
      else this.#lost = this.#lose(choice, came.fault);
    }
  }

  /** Notes the neighbour. `undefined` where it is noted already. */
  #note({ peer, origin, repeatable, digest }: Choice): Promise<void> | undefined {
    const open = [...this.#open, ...this.#gaveUp.keys()].filter((node) => node !== peer.node);
    const key = this.#key === this.#call.key ? undefined : this.#key;
    const noting = this.#call.asks(peer.node, { origin, repeatable, digest: repeatable && digest, open, key });
    return noting?.catch((thrown) => {
      if (this.#asked === undefined) throw thrown;
      // The neighbours that were asked before may have run it, so a failure to note another one is no outcome.
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

  /** Whether the call may be sent to this neighbour as well, without running the action twice. */
  #mayBeAsked(choice: Choice): boolean {
    const asked = this.#asked;
    if (asked === undefined) return true;
    const { request, until, address } = this.#call;
    // An addressed neighbour is the only one that may get the call.
    if (address !== undefined && "neighbour" in address) return false;
    const isSame = asked.digest === undefined || choice.digest === asked.digest;
    if (asked.repeatable !== undefined && choice.repeatable !== undefined && isSame) return true;
    const isKnownThere = request !== undefined && choice.origin !== undefined && choice.origin === asked.origin;
    return isKnownThere && this.#peers.now() < until;
  }

  #lose({ peer, origin, digest, repeatable }: Choice, fault: FaultError): FaultError {
    // Only what the path of every asked neighbour promises counts as promised.
    const promised = this.#asked === undefined ? repeatable : this.#asked.repeatable && repeatable;
    this.#asked = { origin: this.#asked === undefined ? origin : this.#asked.origin, digest, repeatable: promised };
    this.#open.add(peer.node);
    // The neighbour that is being asked again is rescheduled already (ask-again.ts).
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
   * Asks a neighbour, perhaps a second time with a new key. A neighbour that did nothing has recorded that as the outcome of the first key. If by that no
   * neighbour is left that may have run the action, the call is sent again; the new key is noted first, so that an unknown outcome always belongs to one key.
   */
  async #askTwice(choice: Choice, leave: () => void): Promise<Came> {
    const wasAsked = this.#open.has(choice.peer.node);
    const came = await this.#ask(choice, leave);
    if (came.kind !== "untaken" || !wasAsked || this.#asked !== undefined) return came;
    this.#key = this.#call.anew;
    await this.#note(choice);
    return choice.neighbour.ended ? came : this.#ask(choice);
  }

  /** @param over called once the neighbour is done with the call, whoever waits for that */
  async #ask(choice: Choice, over = () => {}): Promise<Came> {
    const { name, input, publication, address, request, deadline, correlation, traceparent, via, hops, signal } =
      this.#call;
    const { peer, neighbour, origin } = choice;
    const data = defined({ name, input, publication, at: furtherOf(address), origin });
    const message: Message = { resource: "action", action: "perform", data };
    const timeout = deadline === undefined ? undefined : timeoutOf(deadline, this.#peers.now());
    const options = defined({ key: this.#key, request, timeout, correlation, traceparent, via, hops: hops + 1 });
    let answer: unknown;
    try {
      // On cancellation this stops waiting; take-back.ts tells the neighbours.
      answer = await unlessAborted(neighbour.call(message, options, true), signal, over);
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
    // A lost session may reject this call before the session is marked as ended: that happens within this turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (neighbour.ended) return { kind: "lost", fault: ambiguousFault(name, peer) };
    if (!isFarFault(thrown)) {
      // What it says instead may be anything of the peer's insides.
      const known = `${peer.name} answered with no fault's code, so that it may have been running`;
      return { kind: "lost", fault: ambiguousFault(name, peer, known) };
    }
    const fault = farFault(thrown, peer);
    if (fault.code === "EXECUTION_AMBIGUOUS") return { kind: "lost", fault };
    if (staysAccepted(fault)) return { kind: "lost", fault: ambiguousFault(name, peer, fault.message) };
    // If an earlier call may have run, only the outcome of an execution resolves it, or the last words of all neighbours that may have run it (ADR 0035).
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

/** What is left of a deadline, in milliseconds: the clocks of two nodes need not agree. */
function timeoutOf(deadline: number, now: number): number {
  return Math.min(Math.max(0, deadline - now), LONGEST_TIMEOUT);
}

/**
 * Stops waiting at a cancellation or the deadline; a later answer is dropped.
 * @param over called when the answer came, whether it was still waited for or not
 */
function unlessAborted(asked: Promise<unknown>, signal: AbortSignal, over = () => {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      reject(signal.reason);
      asked.catch(() => {});
      release(asked);
    };
    if (signal.aborted) {
      aborted();
      over();
      return;
    }
    signal.addEventListener("abort", aborted, { once: true });
    const ends =
      <T>(tell: (came: T) => void) =>
      (came: T): void => {
        signal.removeEventListener("abort", aborted);
        over();
        tell(came);
      };
    asked.then(ends(resolve), ends(reject));
  });
}

/** Without the undefined fields: the receiver's options are a strict object. */
function defined<T extends object>(options: T): T {
  const said: Partial<T> = {};
  for (const name in options) if (options[name] !== undefined) said[name] = options[name];
  return said as T;
}
