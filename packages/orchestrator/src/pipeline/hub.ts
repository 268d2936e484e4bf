// The way in: parses a caller's message, joins repeats, has it prepared, hands it to the tip, and answers. What is answered
// was decided on the tip; whoever lets it out of the process waits until that is durable.

import { type Fault, FaultError, fault, faultOf } from "../fault/fault.ts";
import { printable } from "../fault/printable.ts";
import { DurableAnswer } from "../log/durable-answer.ts";
import type { DecodedEntry } from "../log/entry.ts";
import type { Awaitable } from "../log/log.ts";
import { JOINS } from "../message/definition.ts";
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
import { type Committer, logUnavailable } from "./committer.ts";
import type { Context, Enveloper } from "./enveloper.ts";
import { type FinalAnswers, markFinal } from "./final-answers.ts";
import { type Keys, keyDigest, type Used } from "./keys.ts";
import { missingEntry } from "./missing-entry.ts";
import { entryAt, entryOf, outcomeOf } from "./outcomes.ts";
import { type Preparation, type Prepared, prepare } from "./prepare.ts";
import type { Body } from "./recorder.ts";
import type { Taken, Tip } from "./tip.ts";
import type { Turns } from "./turns.ts";
import { type Outcome, unwrap, type Waiters } from "./waiters.ts";

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

const NO_CONTEXT: Context = Object.freeze({});

export class Hub {
  readonly #parts: HubParts;
  #stopping = false;

  constructor(parts: HubParts) {
    this.#parts = parts;
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
    context: Context = NO_CONTEXT,
    turns?: Turns,
  ): Awaitable<unknown> {
    if (this.#stopping) throw new FaultError(stopping());
    if (route.definition.internal) {
      throw new FaultError(fault("MESSAGE_INTERNAL", `${route.name} is internal: only the node itself sends it`));
    }
    const { enveloper, keys } = this.#parts;
    const parsed = parse(route.name, route.definition.data, data ?? {}, undefined, route.definition.kind === "command");
    const envelope = enveloper.envelope(route, parsed, as, options, context);
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
    const context = { cause: owing, hops: hops + 1, correlation, traceparent };
    return this.submit(route, message.data, as, options, context);
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

  /**
   * Waits for the outcome of an earlier message. A repeat (`used`) brings that message's entry number, and its grant was checked before. Anyone
   * else may attach to a message of the same principal that the present grant would let it send.
   */
  async attach(id: string, envelope: Envelope, options: CallOptions, used?: Used): Promise<unknown> {
    const seq = used?.seq;
    const { reader, waiters, committer } = this.#parts;
    let known: Outcome | undefined;
    let settle: (outcome: Outcome) => void = (outcome) => {
      known = outcome;
    };
    // Waiting begins before the log is read, so that no settlement falls between the two.
    const stop = waiters.wait(id, (outcome) => settle(outcome));
    try {
      if (seq !== undefined) await committer.whenDurable(seq);
      const entry = seq === undefined ? await entryOf(reader, id) : await entryAt(reader, seq);
      const own = used?.shared === true || entry?.header.principal === envelope.principal;
      if (entry === undefined || !own || (seq === undefined && !(await this.#mayAsk(entry, envelope)))) {
        const missing = entry === undefined ? await missingEntry(reader, id) : undefined;
        if (missing?.code === "HISTORY_GONE") throw new FaultError(missing);
        throw new FaultError(
          fault("MESSAGE_NOT_FOUND", `no message "${printable(id.slice(0, 80))}" of ${envelope.principal}`),
        );
      }
      await committer.whenDurable(entry.seq);
      const found = known === undefined ? await outcomeOf(reader, entry) : undefined;
      // An outcome that is undone leaves the message pending.
      const stands = found !== undefined && (await isDurable(committer, found.seq));
      if (known !== undefined) return unwrap(markFinal(known, envelope, used?.shared === false));
      if (stands) return unwrap(markFinal(found.outcome, envelope, used?.shared === false));
      const outcome = new Promise<Outcome>((resolve) => {
        settle = (one) => resolve(markFinal(one, envelope, used?.shared === false));
      });
      return await this.#limited(outcome, options.wait, { message: id }, entry.seq);
    } finally {
      stop();
    }
  }

  /** Whether the grant of `envelope` covers the message that the entry records. */
  async #mayAsk(entry: DecodedEntry, envelope: Envelope): Promise<boolean> {
    const { composition, tip, reader } = this.#parts;
    const { header } = entry;
    const route = composition.routes.get(header.message);
    // The plugin that declared it is gone, so that nothing can be asked about it: only the same grant may attach.
    if (route === undefined) return header.grant === envelope.grant;
    const data = ((await reader.part(entry, "b")) as Body | undefined)?.data;
    const message = { resource: route.resource, action: route.verb, data };
    return tip.askAuthority({ ...envelope, message }, route).kind === "done";
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
    const { tip } = this.#parts;
    const asks = used.shared ? { ...envelope, facts: Object.freeze({ [JOINS]: used.id }) } : envelope;
    const asked = used.shared ? tip.ask(asks, route) : tip.askAuthority(asks, route);
    if (asked.kind === "refused") return this.#answer(tip.refuse(asks, asked), asks, options);
    if (used.digest !== keyDigest(envelope)) {
      const text = used.shared
        ? `${route.name}: the request came by another way as another message; whoever hands it on has changed it`
        : `${route.name}: the key was used for another message, ${used.id}; use a new key`;
      const error = fault("KEY_REUSED", text, undefined, envelope.id);
      const refused = { kind: "refused" as const, error, verdicts: asked.verdicts };
      return this.#answer(tip.refuse(asks, refused), asks, options);
    }
    options.taken?.(used.id);
    return this.attach(used.id, envelope, options, used);
  }

  #fresh(envelope: Envelope, route: Route, options: CallOptions, turns: Turns | undefined): Awaitable<unknown> {
    if (route.preparers.length === 0) return this.#decided(envelope, route, options);
    const { preparation, enveloper, tip } = this.#parts;
    const decided = turns?.hold();
    const decide = this.#parts.finalAnswers.readFor(envelope, (prepared: Prepared) => {
      // In an object, because the answer may be a promise: the next call in turn waits for the decision only, not for the answer.
      if (prepared.kind === "facts")
        return { answer: this.#decided(enveloper.prepared(envelope, prepared.facts), route, options) };
      const refused = { kind: "refused" as const, error: prepared.fault, verdicts: [] };
      return { answer: this.#answer(tip.refuse(enveloper.prepared(envelope, NO_FACTS), refused), envelope, options) };
    });
    return prepare(preparation, envelope, route, decide)
      .finally(decided)
      .then(({ answer }) => answer);
  }

  #decided(envelope: Envelope, route: Route, options: CallOptions): Awaitable<unknown> {
    const { tip, committer, reader } = this.#parts;
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
        return this.#answer(this.#parts.finalAnswers.of(tip.take(envelope, route), envelope), envelope, options);
      case "signal":
        return this.#answerSignal(tip.takeSignal(envelope, route), envelope, route, options);
      case "query": {
        const decision = tip.ask(envelope, route);
        if (decision.kind === "refused") return this.#answer(tip.refuse(envelope, decision), envelope, options);
        if (decision.kind === "held") throw new FaultError(fault("INTERNAL", `${route.name}: a query cannot be held`));
        this.#parts.tracer?.pending(envelope.id);
        this.#parts.observe(envelope, "done", undefined);
        if (route.name === "message.attach")
          return this.#traced(envelope, () =>
            this.attach((envelope.message.data as { id: string }).id, envelope, options),
          );
        const answer = route.plugin.answer?.[route.name];
        if (answer === undefined) return this.#traced(envelope, () => committer.durably(() => decision.data));
        return this.#traced(envelope, () => this.#standing(() => answer(envelope, reader, decision.authority)));
      }
      default:
        return route.definition.kind satisfies never;
    }
  }

  /** A query's trace lasts until it is answered. */
  #traced({ id }: Envelope, ask: () => Awaitable<unknown>): Awaitable<unknown> {
    const { tracer } = this.#parts;
    if (tracer === undefined) return ask();
    const failed = (thrown: unknown): never => {
      tracer.settled(id, faultOf(thrown).code);
      throw thrown;
    };
    let answer: Awaitable<unknown>;
    try {
      answer = ask();
    } catch (thrown) {
      return failed(thrown);
    }
    const told = (value: unknown): unknown => {
      tracer.settled(id, undefined);
      return value;
    };
    return answer instanceof Promise || answer instanceof DurableAnswer ? answer.then(told, failed) : told(answer);
  }

  /** A signal may be answered like a query, once it is decided. */
  #answerSignal(taken: Taken, envelope: Envelope, route: Route, options: CallOptions): Awaitable<unknown> {
    const answer = route.plugin.answer?.[route.name];
    if (taken.kind !== "done" || answer === undefined) return this.#answer(taken, envelope, options);
    const decision = this.#parts.tip.askAuthority(envelope, route);
    if (decision.kind !== "done") return this.#answer(taken, envelope, options);
    return this.#standing(() => answer(envelope, this.#parts.reader, decision.authority));
  }

  /** An answer that takes time: refused where decisions were undone meanwhile, and otherwise told only once what it saw is durable. */
  #standing(ask: () => unknown): Awaitable<unknown> {
    const { committer } = this.#parts;
    const { generation } = committer;
    const told = (tell: () => unknown): Awaitable<unknown> => {
      if (committer.generation !== generation) throw new FaultError(logUnavailable());
      return committer.durably(tell);
    };
    let answer: unknown;
    try {
      answer = ask();
    } catch (thrown) {
      return told(() => raise(thrown));
    }
    if (!(answer instanceof Promise)) return told(() => answer);
    return answer.then(
      (value) => told(() => value),
      (thrown) => told(() => raise(thrown)),
    );
  }

  /** The outcome, once it is durable. Not before: capnweb keeps an answer, and later calls may use it. */
  #answer(taken: Taken, envelope: Envelope, options: TakenOptions): Awaitable<unknown> {
    const { committer } = this.#parts;
    options.taken?.(envelope.id);
    switch (taken.kind) {
      case "refused":
        return committer.durably(() => raise(new FaultError(taken.error)));
      case "done":
        if (taken.pending) return this.#settled(envelope.id, options, taken.data, taken.seq);
        return committer.durably(() => (taken.outcome === undefined ? taken.data : unwrap(taken.outcome)));
      case "held":
        return this.#settled(envelope.id, options, { message: envelope.id, held: taken.name }, taken.seq);
      default:
        return taken satisfies never;
    }
  }

  /** The outcome of a pending message: now if there is one, or once it is settled, or `pending` when the wait is over. */
  #settled(id: string, { wait }: CallOptions, meanwhile: unknown, seq: number): Awaitable<unknown> {
    const { waiters, committer } = this.#parts;
    const already = waiters.take(id);
    if (already !== undefined) return committer.durably(() => unwrap(already));
    if (wait === 0) return committer.durably(() => ({ ...(meanwhile as object), pending: true }));
    if (wait === undefined) return this.#outcomeLater(id, seq);
    let stop = (): void => {};
    const outcome = new Promise<Outcome>((resolve) => {
      stop = waiters.wait(id, resolve);
    });
    return this.#limited(outcome, wait, meanwhile, seq).finally(stop);
  }

  /** The outcome, however long it takes. */
  #outcomeLater(id: string, seq: number): DurableAnswer {
    let came: Outcome | undefined;
    const told = new DurableAnswer(seq, () => unwrap(came as Outcome));
    this.#parts.waiters.wait(id, (outcome) => {
      came = outcome;
      told.resolve();
    });
    return told;
  }

  /** The outcome, or after `wait` milliseconds `pending`, once the message's entry `seq` is durable. Outcomes arrive durable. */
  async #limited(
    outcome: Promise<Outcome>,
    wait: number | undefined,
    meanwhile: unknown,
    seq: number,
  ): Promise<unknown> {
    if (wait === undefined) return unwrap(await outcome);
    let stop = (): void => {};
    const limit = new Promise<undefined>((resolve) => {
      stop = this.#parts.timers.after(wait, () => resolve(undefined));
    });
    const first = await Promise.race([outcome, limit]);
    stop();
    if (first !== undefined) return unwrap(first);
    await this.#parts.committer.whenDurable(seq);
    return { ...(meanwhile as object), pending: true };
  }
}

async function isDurable(committer: Committer, seq: number): Promise<boolean> {
  try {
    await committer.whenDurable(seq);
    return true;
  } catch {
    return false;
  }
}

function raise(thrown: unknown): never {
  throw thrown;
}

function stopping(): Fault {
  return fault("STOPPING", "the node is shutting down; ask again later");
}
