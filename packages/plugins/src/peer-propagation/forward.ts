// Performing what is elsewhere: the call goes to the neighbour with the best path that can be asked now, once. Where it may have
// arrived and nobody can say what became of it, it is ambiguous, and never asked of anybody else: whom it is asked is noted first.

import { type CallOptions, FaultError, fault, type Message } from "@capstan/orchestrator";
import type { Carried, CarriedCall, Carrier, DescribeCall } from "../registry/elsewhere.ts";
import { ambiguousFault, farFault, isFarFault, type PeerName, readPerformed, unreadable } from "./far-answer.ts";
import { release } from "./outbox.ts";

/** A live session with a neighbour, whoever dialled. */
export interface Neighbour {
  /** As the operator calls it. */
  readonly name: string;
  /** From the moment that the session is lost: what it had not answered by then, it never will. */
  readonly ended: boolean;
  /** @throws what the neighbour answered, or that the session is lost */
  call(
    message: Message,
    options: CallOptions & { readonly via: readonly string[]; readonly hops: number },
  ): Promise<unknown>;
}

export interface Peers {
  /** Paths to a route, `action:greet`, best first, none that is filtered. Our own have no peer. */
  pathsOf(route: string): Iterable<{ readonly peer: string | undefined }>;
  /** `undefined` where nothing can be sent to that node now. */
  neighbour(node: string): Neighbour | undefined;
}

const DESCRIBE_MS = 10_000;

export function forwarder(peers: Peers): Carrier {
  return {
    async perform(call) {
      const { name, input, publication, key, deadline, correlation, traceparent, via, hops } = call;
      const data = { name, ...(input === undefined ? {} : { input }), ...(publication && { publication }) };
      const message: Message = { resource: "action", action: "perform", data };
      let peer: PeerName;
      let neighbour: Neighbour;
      // Until it is sent, a session that ended costs nothing: not while it was noted who is asked, either.
      do {
        call.signal.throwIfAborted();
        [peer, neighbour] = choose(peers, call);
        await call.asks(peer.node);
      } while (neighbour.ended);
      call.signal.throwIfAborted();
      const options = defined({ key, deadline, correlation, traceparent, via, hops: hops + 1 });
      return performed(name, peer, neighbour, neighbour.call(message, options), call.signal);
    },
    async describe(call) {
      const { name, correlation, traceparent, via, hops } = call;
      const message: Message = { resource: "action", action: "schemas", data: { name } };
      const [peer, neighbour] = choose(peers, call);
      const answer = neighbour.call(message, defined({ correlation, traceparent, via, hops: hops + 1 }));
      try {
        return await unlessAborted(answer, AbortSignal.timeout(DESCRIBE_MS));
      } catch (thrown) {
        throw isFarFault(thrown) ? farFault(thrown, peer) : unreachable(name, `${peer.name} did not answer`);
      }
    },
  };
}

/**
 * The neighbour with the best path that can be asked. It never goes back where it came from; and of what is not known yet only
 * the one that was asked can tell.
 */
function choose(peers: Peers, { name, via, again }: CarriedCall | (DescribeCall & { readonly again?: undefined })) {
  const asked = (node: string): [PeerName, Neighbour] | undefined => {
    const neighbour = peers.neighbour(node);
    return neighbour === undefined || neighbour.ended ? undefined : [{ name: neighbour.name, node }, neighbour];
  };
  if (again !== undefined) {
    const found = asked(again);
    if (found === undefined) throw unreachable(name, `${again} was asked, and there is no session with it now`);
    return found;
  }
  let known = 0;
  for (const { peer } of peers.pathsOf(`action:${name}`)) {
    if (peer === undefined || via.includes(peer)) continue;
    known++;
    // A session that ended a moment ago may still have its paths: nothing was sent, so the next one is as good.
    const found = asked(peer);
    if (found !== undefined) return found;
  }
  const back = "whoever leads there is whom it came from, or nobody does any more";
  throw unreachable(name, known === 0 ? back : "no session with a peer that leads there is open");
}

async function performed(
  name: string,
  peer: PeerName,
  neighbour: Neighbour,
  asked: Promise<unknown>,
  signal: AbortSignal,
): Promise<Carried> {
  let answer: unknown;
  try {
    answer = await unlessAborted(asked, signal);
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    // That the session is lost may be told to whoever waits before it is told to us.
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (neighbour.ended || !isFarFault(thrown)) throw ambiguousFault(name, peer);
    throw farFault(thrown, peer);
  }
  try {
    const read = readPerformed(answer);
    if ("why" in read) throw unreadable(name, peer, read.why);
    return { ...("output" in read ? { output: read.output } : {}), via: peer.name };
  } finally {
    release(answer);
  }
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
    asked.then(resolve, reject).finally(() => signal.removeEventListener("abort", aborted));
  });
}

function unreachable(name: string, why: string): FaultError {
  return new FaultError(fault("ACTION_UNREACHABLE", `${name}: ${why}`));
}

/** What is not said must not be sent: the far side's options are a closed object. */
function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}
