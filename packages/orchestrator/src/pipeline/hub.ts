// The way in: parses a caller's message, joins repeats, has it prepared, and hands it to the tip. What callers are told of it, and when, is
// answers.ts's.

import { type Fault, FaultError, fault } from "../fault/fault.ts";
import { DurableAnswer } from "../log/durable-answer.ts";
import type { Awaitable } from "../log/log.ts";
import { JOINS } from "../message/definition.ts";
import { jsonText } from "../message/json-text.ts";
import {
  type CallOptions,
  type Envelope,
  type Message,
  NO_FACTS,
  type Principal,
  type TakenOptions,
} from "../message/message.ts";
import { parse } from "../message/parse.ts";
import type { Tracer } from "../observability/tracer.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import type { Origin, OwedEffect } from "../plugin/plugin.ts";
import type { Reader } from "../plugin/reader.ts";
import type { Timers } from "../time/timers.ts";
import { Answers } from "./answers.ts";
import { attach } from "./attach.ts";
import type { Committer } from "./committer.ts";
import type { Enveloper } from "./enveloper.ts";
import type { FinalAnswers } from "./final-answers.ts";
import { type Keys, keyDigest, type Used } from "./keys.ts";
import { type Preparation, type Prepared, prepare } from "./prepare.ts";
import type { Taken } from "./taken.ts";
import type { Tip } from "./tip.ts";
import type { Turns } from "./turns.ts";
import type { Waiters } from "./waiters.ts";

export interface HubParts {
  readonly composition: Composition;
  readonly tip: Tip;
  readonly committer: Committer;
  readonly enveloper: Enveloper;
  readonly keys: Keys;
  readonly waiters: Waiters;
  readonly reader: Reader;
  readonly timers: Timers;
  readonly preparation: Preparation;
  readonly tracer: Tracer | undefined;
  readonly finalAnswers: FinalAnswers;
  observe(envelope: Envelope, verdict: string, entry: number | undefined): void;
}

const NO_ORIGIN: Origin = Object.freeze({});
/**
 * UTF-16 code units of a command's data as JSON: an output of 4 Mi, and what names it. A frame has no more, but numbers grow as they are written
 * anew (1e20), and an entry has to fit into an answer (log.export, and so a backup).
 */
const MOST_DATA = 4 * 1024 * 1024 + 64 * 1024;

export class Hub {
  readonly #parts: HubParts & { readonly answers: Answers };
  #stopping = false;

  constructor(parts: HubParts) {
    this.#parts = { ...parts, answers: new Answers(parts) };
  }

  /** Refuses whatever comes in from now on. */
  stop(): void {
    this.#stopping = true;
  }

  /** Takes a caller's message in. Answers without a promise where nothing has to be waited for. @throws FaultError */
  submit(...asked: Parameters<Hub["ask"]>): Awaitable<unknown> {
    const answer = this.ask(...asked);
    return answer instanceof DurableAnswer ? answer.then() : answer;
  }

  /** Like `submit`, but may answer a `DurableAnswer`. While the message is prepared, before it is decided, `turns` is held. @throws FaultError */
  ask(
    route: Route,
    data: unknown,
    as: Principal,
    options: CallOptions,
    origin: Origin = NO_ORIGIN,
    turns?: Turns,
  ): Awaitable<unknown> {
    if (this.#stopping) throw new FaultError(stopping());
    if (route.definition.internal) {
      throw new FaultError(fault("MESSAGE_INTERNAL", `${route.name} is internal: only the node itself sends it`));
    }
    const { enveloper, keys } = this.#parts;
    const recorded = route.definition.kind === "command";
    const parsed = parse(route.name, route.definition.data, data ?? {}, undefined, recorded);
    if (recorded && jsonText(parsed).length > MOST_DATA) throw new FaultError(tooLarge(route.name, parsed));
    const envelope = enveloper.envelope(route, parsed, as, options, origin);
    const mayRepeat = options.key !== undefined || envelope.request !== undefined;
    if (!mayRepeat || route.definition.kind !== "command") return this.#fresh(envelope, route, options, turns);
    const used = keys.repeated(envelope);
    if (!(used instanceof Promise)) return this.#keyed(envelope, route, options, used, turns);
    const decided = turns?.hold();
    return used
      .then((row) => ({ answer: this.#keyed(enveloper.prepared(envelope, NO_FACTS), route, options, row, turns) }))
      .finally(decided)
      .then(({ answer }) => answer);
  }

  /** A message that an effect's handler sends in the name of `as`. Resolves once durable. */
  async applyFor(message: Message, as: Principal, owed: OwedEffect, options: CallOptions = {}): Promise<unknown> {
    const { composition } = this.#parts;
    const route = composition.route(message.resource, message.action);
    const { owing, hops, correlation, traceparent } = owed;
    const origin = { cause: owing, hops: hops + 1, correlation, traceparent };
    return this.submit(route, message.data, as, options, origin);
  }

  /** A message that a plugin sends by itself in the name of `as`. Resolves once durable. */
  async applyAs(message: Message, as: Principal, options: CallOptions = {}, origin: Origin = {}): Promise<unknown> {
    const route = this.#parts.composition.route(message.resource, message.action);
    return this.submit(route, message.data, as, options, origin);
  }

  /** A message that a plugin sends in the node's own name; also while the node stops, until the log is closed. Resolves once durable. */
  async note(message: Message, origin: Origin = {}): Promise<unknown> {
    const { tip, committer } = this.#parts;
    const taken = tip.takeOwn(message, origin);
    if (taken.kind === "refused") throw new FaultError(taken.error);
    await committer.whenDurable(taken.seq);
    return taken.kind === "done" ? taken.data : undefined;
  }

  /** A message in the node's own name that has to be prepared. */
  async submitOwn(message: Message): Promise<Taken> {
    const { composition, enveloper, preparation, tip } = this.#parts;
    const route = composition.route(message.resource, message.action);
    const data = parse(route.name, route.definition.data, message.data);
    const envelope = enveloper.own(route, data, {}, NO_FACTS);
    return prepare(preparation, envelope, route, (prepared) =>
      prepared.kind === "fault"
        ? { kind: "refused", error: prepared.fault }
        : tip.take(enveloper.prepared(envelope, prepared.facts), route),
    );
  }

  #keyed(
    envelope: Envelope,
    route: Route,
    options: CallOptions,
    used: Used | undefined,
    turns: Turns | undefined,
  ): Awaitable<unknown> {
    return used === undefined
      ? this.#fresh(envelope, route, options, turns)
      : this.#join(envelope, route, options, used);
  }

  /**
   * A repeat joins the first message: only the authority is asked again, the rest was decided once. A request that comes by another path
   * (`used.shared`) may come from somebody else: every plugin is asked whether this caller may, and sees that it joins (`JOINS`).
   */
  #join(envelope: Envelope, route: Route, options: TakenOptions, used: Used): Awaitable<unknown> {
    const { tip, answers } = this.#parts;
    const asks = used.shared ? { ...envelope, facts: Object.freeze({ [JOINS]: used.id }) } : envelope;
    const asked = used.shared ? tip.ask(asks, route) : tip.askAuthority(asks, route);
    if (asked.kind === "refused") return answers.of(tip.refuse(asks, asked), asks, options);
    if (used.digest !== keyDigest(envelope)) {
      const text = used.shared
        ? `${route.name}: the request came by another way as another message; whoever hands it on has changed it`
        : `${route.name}: the key was used for another message, ${used.id}; use a new key`;
      const error = fault("KEY_REUSED", text, undefined, envelope.id);
      const refused = { kind: "refused" as const, error, verdicts: asked.verdicts };
      return answers.of(tip.refuse(asks, refused), asks, options);
    }
    options.taken?.(used.id);
    return attach(this.#parts, used.id, envelope, options, used);
  }

  #fresh(envelope: Envelope, route: Route, options: CallOptions, turns: Turns | undefined): Awaitable<unknown> {
    if (route.preparers.length === 0) return this.#decided(envelope, route, options);
    const { preparation, enveloper, tip, answers } = this.#parts;
    const decided = turns?.hold();
    const decide = this.#parts.finalAnswers.readFor(envelope, (prepared: Prepared) => {
      // In an object, because the answer may be a promise: the next call in turn waits for the decision only, not for the answer.
      if (prepared.kind === "facts")
        return { answer: this.#decided(enveloper.prepared(envelope, prepared.facts), route, options) };
      const refused = { kind: "refused" as const, error: prepared.fault, verdicts: [] };
      return { answer: answers.of(tip.refuse(enveloper.prepared(envelope, NO_FACTS), refused), envelope, options) };
    });
    return prepare(preparation, envelope, route, decide)
      .finally(decided)
      .then(({ answer }) => answer);
  }

  #decided(envelope: Envelope, route: Route, options: CallOptions): Awaitable<unknown> {
    const { tip, committer, reader, answers } = this.#parts;
    // Preparing it may have taken until now.
    if (this.#stopping) throw new FaultError(stopping());
    switch (route.definition.kind) {
      case "command":
        if (!committer.ready()) throw new FaultError(committer.refusal);
        if (envelope.key !== undefined || envelope.request !== undefined) {
          // A call with the same key may have been decided while this one was prepared.
          const twin = this.#parts.keys.repeatedLately(envelope);
          if (twin !== undefined) return this.#join(envelope, route, options, twin);
        }
        return answers.of(this.#parts.finalAnswers.of(tip.take(envelope, route), envelope), envelope, options);
      case "signal":
        return this.#answerSignal(tip.takeSignal(envelope, route), envelope, route, options);
      case "query": {
        const decision = tip.ask(envelope, route);
        if (decision.kind === "refused") return answers.of(tip.refuse(envelope, decision), envelope, options);
        if (decision.kind === "held") throw new FaultError(fault("INTERNAL", `${route.name}: a query cannot be held`));
        this.#parts.tracer?.pending(envelope.id);
        this.#parts.observe(envelope, "done", undefined);
        if (route.name === "message.attach")
          return answers.traced(envelope, () =>
            attach(this.#parts, (envelope.message.data as { id: string }).id, envelope, options),
          );
        const answer = route.plugin.answer?.[route.name];
        if (answer === undefined) return answers.traced(envelope, () => committer.durably(() => decision.data));
        return answers.traced(envelope, () => answers.standing(() => answer(envelope, reader, decision.authority)));
      }
      default:
        return route.definition.kind satisfies never;
    }
  }

  /** A signal may be answered like a query, once it is decided. */
  #answerSignal(taken: Taken, envelope: Envelope, route: Route, options: CallOptions): Awaitable<unknown> {
    const { tip, reader, answers } = this.#parts;
    const answer = route.plugin.answer?.[route.name];
    if (taken.kind !== "done" || answer === undefined) return answers.of(taken, envelope, options);
    const decision = tip.askAuthority(envelope, route);
    if (decision.kind !== "done") return answers.of(taken, envelope, options);
    return answers.standing(() => answer(envelope, reader, decision.authority));
  }
}

function tooLarge(name: string, data: unknown): Fault {
  const text = `${name}: its data has ${jsonText(data).length} characters as JSON, of ${MOST_DATA} at most; say where it lies instead`;
  return fault("TOO_LARGE", text);
}

function stopping(): Fault {
  return fault("STOPPING", "the node is shutting down; ask again later");
}
