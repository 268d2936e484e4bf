// Puts the envelope around a message: id and time are set here, once, so that deciding needs neither clock nor randomness.

import { siblingId } from "../message/id.ts";
import type { CallOptions, Envelope, Facts, Principal } from "../message/message.ts";
import { NO_FACTS, NODE_GRANT } from "../message/message.ts";
import type { Route } from "../plugin/composition.ts";
import type { Origin, OwedEffect } from "../plugin/plugin.ts";
import type { NodeInfo } from "../plugin/reader.ts";

const NO_VIA: readonly string[] = Object.freeze([]);
const NO_OPTIONS: CallOptions = Object.freeze({});

export class Enveloper {
  readonly node: NodeInfo;
  readonly #now: () => number;
  readonly #newId: (at: number) => string;
  readonly #own: Principal;

  /** `now` never runs backwards. */
  constructor(node: NodeInfo, now: () => number, newId: (at: number) => string) {
    this.node = node;
    this.#now = now;
    this.#newId = newId;
    this.#own = { principal: `node:${node.id}`, grant: NODE_GRANT };
  }

  /** A caller's message. Its `data` was parsed. */
  envelope(
    route: Pick<Route, "resource" | "verb">,
    data: unknown,
    as: Principal,
    options: CallOptions,
    origin: Origin,
  ): Envelope {
    return this.#envelope(route, data, as, options, origin, NO_FACTS, false);
  }

  #envelope(
    route: Pick<Route, "resource" | "verb">,
    data: unknown,
    as: Principal,
    options: CallOptions,
    origin: Origin,
    facts: Facts,
    internal: boolean,
  ): Envelope {
    const at = this.#now();
    return {
      id: this.#newId(at),
      message: Object.freeze({ resource: route.resource, action: route.verb, data }),
      node: this.node.id,
      principal: as.principal,
      grant: as.grant,
      may: as.may,
      at,
      cause: origin.cause,
      correlation: options.correlation ?? origin.correlation,
      traceparent: options.traceparent ?? origin.traceparent,
      key: options.key,
      request: origin.request,
      deadline: origin.timeout === undefined ? options.deadline : at + origin.timeout,
      hops: origin.hops ?? 0,
      via: origin.via ?? NO_VIA,
      facts,
      internal,
    };
  }

  /** A message of the node's own, internal ones included. */
  own(route: Pick<Route, "resource" | "verb">, data: unknown, origin: Origin, facts: Facts): Envelope {
    return this.#envelope(route, data, this.#own, NO_OPTIONS, origin, facts, true);
  }

  /** The outcome of an effect that is carried out at once (at-once.ts), with the time of the owing message. */
  within(
    { owing, hops }: Pick<OwedEffect, "owing" | "hops">,
    at: number,
    route: Pick<Route, "resource" | "verb">,
    data: unknown,
  ): Envelope {
    return {
      id: siblingId(owing, "o"),
      message: Object.freeze({ resource: route.resource, action: route.verb, data }),
      node: this.node.id,
      principal: this.#own.principal,
      grant: this.#own.grant,
      may: undefined,
      at,
      cause: owing,
      correlation: undefined,
      traceparent: undefined,
      key: undefined,
      request: undefined,
      deadline: undefined,
      hops,
      via: NO_VIA,
      facts: NO_FACTS,
      internal: true,
    };
  }

  /** The same message with the prepared facts, and the time as it is now. */
  prepared(envelope: Envelope, facts: Facts): Envelope {
    return { ...envelope, at: this.#now(), facts };
  }

  /** A held message for its next decision: another entry, and so another id, caused by the first. */
  again(first: Envelope, facts: Facts): Envelope {
    const at = this.#now();
    return { ...first, id: this.#newId(at), at, cause: first.id, key: undefined, facts: Object.freeze(facts) };
  }
}
