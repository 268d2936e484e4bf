// What a decision leads to, decided right behind it in the same commit: the messages that follow from it, and the held message that it
// settles.

import { fault } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { type Envelope, type Facts, type Message, messageName, NO_FACTS, type Principal } from "../message/message.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import type { OwedEffect } from "../plugin/plugin.ts";
import type { Committer } from "./committer.ts";
import type { Refused } from "./decide.ts";
import type { Enveloper } from "./enveloper.ts";
import { HELD_FACTS, type HoldRow } from "./kernel-tables.ts";
import { jsonOf, type Routed, routed } from "./routed.ts";
import type { Taken } from "./taken.ts";
import type { Waiters } from "./waiters.ts";

/** How deep causes may go: past it, a loop is likelier than a purpose. */
export const MOST_HOPS = 16;
/** How many messages one may lead to in its commit: a group is appended at once, and so has to end. */
export const MOST_FOLLOW_UPS = 256;

/** Who decides a message and commits it (tip.ts). */
export interface Decider {
  take(envelope: Envelope, route: Route, outcomeOf?: OwedEffect, continues?: string): Taken;
  refuse(envelope: Envelope, refused: Refused, continues?: string): Taken;
}

export interface FollowUpsParts {
  readonly composition: Composition;
  readonly committer: Committer;
  readonly enveloper: Enveloper;
  readonly waiters: Waiters;
}

export class FollowUps {
  readonly #tip: Decider;
  readonly #parts: FollowUpsParts;
  #count = 0;

  constructor(tip: Decider, parts: FollowUpsParts) {
    this.#tip = tip;
    this.#parts = parts;
  }

  /** A message is decided that follows from none. */
  countAnew(): void {
    this.#count = 0;
  }

  /**
   * Decides a message that this one led to. A refused one is recorded, and its parent stands: so does one that fits no
   * schema, because plugins make them of callers' data.
   */
  follow(parent: Envelope, message: Message, as: Principal | undefined): void {
    const { enveloper, waiters } = this.#parts;
    // What the node itself has to note is noted however deep it happened; whatever anyone asks because of it is too deep.
    const hops = as === undefined ? Math.min(parent.hops + 1, MOST_HOPS) : parent.hops + 1;
    const { correlation, traceparent } = parent;
    const origin = { cause: parent.id, hops, correlation, traceparent };
    const enclose = (to: Pick<Route, "resource" | "verb">, data: unknown): Envelope =>
      as === undefined ? enveloper.own(to, data, origin, NO_FACTS) : enveloper.envelope(to, data, as, {}, origin);
    const asked = this.#routed(message, as);
    if ("error" in asked) {
      const name = { resource: printable(message.resource), verb: printable(message.action) };
      const envelope = enclose(name, jsonOf(message.data));
      this.#tip.refuse(envelope, { kind: "refused", error: { ...asked.error, id: envelope.id }, verdicts: [] });
      return;
    }
    const envelope = enclose(asked.route, asked.data);
    this.#tip.take(envelope, asked.route);
    // Nobody waits for it: what comes of it need not be kept.
    waiters.take(envelope.id);
  }

  /** Where a message that a plugin made goes, or why it cannot. */
  #routed(message: Message, as: Principal | undefined): Routed {
    if (++this.#count <= MOST_FOLLOW_UPS) return routed(this.#parts.composition, message, as);
    const name = printable(messageName(message));
    return { error: fault("FOLLOWUPS_EXCEEDED", `${name}: more than ${MOST_FOLLOW_UPS} messages follow`) };
  }

  /** Decides a held message again from the first plugin, with the outcome among its facts and its grant asked anew. */
  resume(settle: Envelope, held: HoldRow): void {
    const { waiters, enveloper, composition, committer } = this.#parts;
    const first = held.envelope;
    const { outcome } = settle.message.data as { outcome: unknown };
    const facts = { ...first.facts, ...(settle.facts[HELD_FACTS] as Facts | undefined), [held.hold.name]: outcome };
    const envelope = enveloper.again(first, facts);
    const route = composition.routes.get(messageName(first.message));
    const error = fault("MESSAGE_UNKNOWN", `no plugin of this composition declares ${messageName(first.message)}`);
    const taken =
      route === undefined
        ? this.#tip.refuse(envelope, { kind: "refused", error: { ...error, id: envelope.id }, verdicts: [] }, first.id)
        : this.#tip.take(envelope, route, undefined, first.id);
    const { tip: by } = committer;
    if (taken.kind === "refused") waiters.settle(first.id, { kind: "failed", error: taken.error }, by);
    else if (taken.kind === "held" || taken.pending) waiters.forward(first.id, envelope.id, by);
    else waiters.settle(first.id, { kind: "done", data: taken.data }, by);
  }
}
