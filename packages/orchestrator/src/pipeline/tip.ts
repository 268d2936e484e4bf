// The tip: decisions are made and committed here, one after another, each on all before it. Everything is synchronous, so
// that a message, the messages that follow from it and the outcome of a replayable effect can share one group.

import { fault } from "../fault/fault.ts";
import type { NewEntry, RowChange } from "../log/log.ts";
import { ENTRY_NUMBER } from "../message/definition.ts";
import type { Envelope, Facts, Message } from "../message/message.ts";
import { messageName, NO_FACTS } from "../message/message.ts";
import { parse } from "../message/parse.ts";
import type { Meters } from "../observability/meters.ts";
import { reportDecision, reportOver } from "../observability/report-decision.ts";
import type { Tracer } from "../observability/tracer.ts";
import type { Composition, Route } from "../plugin/composition.ts";
import type { Origin, OwedEffect } from "../plugin/plugin.ts";
import type { LogWork } from "../plugin/result.ts";
import { type Change, StateView } from "../state/state.ts";
import type { Tables } from "../state/tables.ts";
import { attempt, mayAnswerAtOnce, net, type Within } from "./at-once.ts";
import { type Committer, logUnavailable } from "./committer.ts";
import { type Decision, decide, type Held, type Passed, type Refused } from "./decide.ts";
import { DecisionReads } from "./decision-reads.ts";
import type { Effects, Recorded } from "./effects.ts";
import type { Enveloper } from "./enveloper.ts";
import { FollowUps, MOST_HOPS } from "./follow-ups.ts";
import { type EffectRow, effectTable, type HoldRow, holdTable, outcomeRow } from "./kernel-tables.ts";
import { type Keys, NO_ROWS } from "./keys.ts";
import { OUTCOME_WINDOW } from "./outcomes.ts";
import { type Owed, owedEffect, rowOf } from "./owed.ts";
import type { Recorder, Trace } from "./recorder.ts";
import { RefusalMeter } from "./refusal-meter.ts";
import type { Taken } from "./taken.ts";
import type { Waiters } from "./waiters.ts";

export interface TipParts {
  readonly composition: Composition;
  readonly tables: Tables;
  readonly committer: Committer;
  readonly effects: Effects;
  readonly waiters: Waiters;
  readonly keys: Keys;
  readonly recorder: Recorder;
  readonly enveloper: Enveloper;
  readonly epoch: number;
  readonly meters: Meters;
  readonly tracer: Tracer | undefined;
  /** 16 bytes in base64url (message/id.ts). */
  drawNonce(): string;
  /** Told of every decision: for the node's own log, never for what is answered. */
  observe(envelope: Envelope, verdict: string, entry: number | undefined): void;
  reportBug(plugin: string, thrown: unknown): void;
}

type Asked = Pick<Route, "definition">;

export class Tip {
  readonly #parts: TipParts;
  readonly #refusals = new RefusalMeter();
  readonly #followUps: FollowUps;
  #depth = 0;

  constructor(parts: TipParts) {
    this.#parts = parts;
    this.#followUps = new FollowUps(this, parts);
  }

  /** Asks only the plugins up to the authority: whether the message is allowed, and under which authority. */
  askAuthority(envelope: Envelope, route: Asked): Decision {
    const { tables, composition, reportBug } = this.#parts;
    const { definition } = route;
    const upTo = composition.authorityAt + 1;
    return decide(composition, envelope, definition, new StateView(tables), reportBug, { upTo, asking: true });
  }

  /** What deciding would answer now; nothing is changed or recorded. @param upTo only so many plugins; not counted or traced then */
  ask(envelope: Envelope, route: Asked, upTo?: number): Decision {
    const { tables, composition, reportBug } = this.#parts;
    const state = new StateView(tables);
    if (upTo !== undefined) return decide(composition, envelope, route.definition, state, reportBug, { upTo });
    return this.#watched(envelope, route, state);
  }

  /** Decides a message, counted and traced. @param of the effect whose outcome it is */
  #watched(envelope: Envelope, route: Asked, state: StateView, of?: string, draw?: () => string): Decision {
    const { composition, reportBug, meters, tracer } = this.#parts;
    const step = tracer?.begin(envelope, of);
    const began = meters.now();
    const decision = decide(composition, envelope, route.definition, state, reportBug, { step, draw });
    meters.decisionTook(began);
    return decision;
  }

  /** Decides a command and commits what came of it. */
  take(envelope: Envelope, route: Route, outcomeOf?: OwedEffect, continues?: string): Taken {
    Object.freeze(envelope);
    if (this.#depth === 0) this.#followUps.countAnew();
    this.#depth++;
    try {
      if (!this.#parts.committer.ready()) return { kind: "refused", error: logUnavailable() };
      const [decision, recorded] = this.#decide(envelope, route, outcomeOf);
      switch (decision.kind) {
        case "refused":
          return this.refuse(recorded, decision, continues);
        case "held":
          return this.#hold(recorded, decision, continues);
        case "done":
          return this.#commit(recorded, decision, outcomeOf, continues);
        default:
          return decision satisfies never;
      }
    } finally {
      this.#depth--;
    }
  }

  /** A signal changes session tables alone; there is no entry. */
  takeSignal(envelope: Envelope, route: Route): Taken {
    const decision = this.ask(envelope, route);
    if (decision.kind === "refused") return this.refuse(envelope, decision);
    if (decision.kind === "held") {
      return {
        kind: "refused",
        error: fault("INTERNAL", `${route.name}: a signal cannot be held`, undefined, envelope.id),
      };
    }
    const { tables, committer } = this.#parts;
    const { state, effects, then, settles, cancels, pending } = decision;
    const owes = pending || effects.length + then.length + settles.length + cancels.length > 0;
    const changes = state.changes();
    if (owes || changes.some(({ table }) => table.kind === "logged")) {
      const error = fault(
        "INTERNAL",
        `${route.name}: a signal writes session tables and nothing else`,
        undefined,
        envelope.id,
      );
      this.#parts.reportBug(route.plugin.name, new Error(error.message));
      return { kind: "refused", error };
    }
    // On a durable tip there is no append to come that would make it final, and none whose failure would undo it.
    tables.apply(changes, committer.tip, committer.tip === committer.durable);
    this.#parts.observe(envelope, "done", undefined);
    return { kind: "done", data: decision.data, pending: false, seq: committer.tip };
  }

  /** Records a refusal, within what one principal may fill the log with. */
  refuse(envelope: Envelope, { error, verdicts }: Refused, continues?: string): Taken {
    const ready = this.#parts.committer.ready();
    // What a held message came to is always recorded: somebody may wait for it.
    const meter = continues === undefined ? this.#refusals.admit(envelope.principal, envelope.at) : 0;
    const uncounted = ready ? meter : undefined;
    let seq: number | undefined;
    if (uncounted !== undefined) {
      const trace: Trace = {
        verdicts,
        error,
        ...(uncounted > 0 ? { uncounted } : {}),
        ...(continues ? { continues } : {}),
      };
      const cold = continues === undefined ? NO_ROWS : [outcomeRow(continues, this.#parts.committer.tip + 1)];
      const next = this.#parts.committer.tip + 1;
      if (this.#add(envelope, "refused", trace, [], cold) === undefined) seq = next;
    }
    this.#parts.observe(envelope, error.code, seq);
    return { kind: "refused", error };
  }

  /** Decides a message of the node's own. */
  takeOwn(message: Message, origin: Origin, facts: Facts = NO_FACTS, outcomeOf?: OwedEffect): Taken {
    const route = this.#parts.composition.route(message.resource, message.action);
    const { data: schema, kind, internal, asIs } = route.definition;
    const unseen = asIs === true && internal === true && kind === "signal";
    const data = unseen ? message.data : parse(route.name, schema, message.data, undefined, kind === "command");
    const envelope = this.#parts.enveloper.own(route, data, origin, facts);
    if (route.definition.kind === "signal") return this.takeSignal(Object.freeze(envelope), route);
    const taken = this.take(envelope, route, outcomeOf);
    this.#parts.waiters.take(envelope.id);
    return taken;
  }

  /** Records what came of an effect, if the effect is still owed under that attempt and epoch. */
  recordOutcome(effect: OwedEffect, outcome: Message): Recorded {
    const { tables, committer } = this.#parts;
    const row = tables.get(effectTable, effect.id) as EffectRow | undefined;
    // Owed no more, as of the tip: the tip may yet be undone.
    if (row === undefined || row.attempt !== effect.attempt || row.epoch !== effect.owner.epoch)
      return { kind: "over", by: committer.tip };
    if (!committer.ready()) return { kind: "later" };
    const { owing: cause, hops, correlation, traceparent } = effect;
    const taken = this.takeOwn(outcome, { cause, hops, correlation, traceparent }, NO_FACTS, effect);
    if (taken.kind !== "refused") return { kind: "over", by: taken.seq };
    return taken.error.code === "LOG_UNAVAILABLE" ? { kind: "later" } : { kind: "unfit", error: taken.error };
  }

  /** The decision, and the envelope as it is recorded: with the session rows that a command read. */
  #decide(envelope: Envelope, route: Route, outcomeOf: OwedEffect | undefined): [Decision, Envelope] {
    if (envelope.hops > MOST_HOPS) {
      const error = fault("HOPS_EXCEEDED", `${route.name}: ${MOST_HOPS} causes deep; a loop?`, undefined, envelope.id);
      return [{ kind: "refused", error, verdicts: [] }, envelope];
    }
    const { tables, committer, drawNonce } = this.#parts;
    if (route.definition.numbered) {
      const facts = Object.freeze({ ...envelope.facts, [ENTRY_NUMBER]: committer.tip + 1 });
      envelope = Object.freeze({ ...envelope, facts });
    }
    const reads = new DecisionReads(drawNonce);
    const state = new StateView(tables, reads.read);
    const decision = this.#watched(envelope, route, state, outcomeOf?.id, reads.draw);
    return [decision, reads.recordedIn(envelope)];
  }

  #hold(envelope: Envelope, { plugin, hold, verdicts }: Held, continues?: string): Taken {
    const { committer, waiters, keys } = this.#parts;
    const seq = committer.tip + 1;
    const row: HoldRow = { plugin, hold, envelope };
    const trace: Trace = { verdicts, data: { held: hold.name }, pending: true, ...(continues ? { continues } : {}) };
    const cold = continues === undefined ? keys.rowsOf(envelope, seq, true) : [outcomeRow(continues, seq)];
    const unfit = this.#add(envelope, "held", trace, [{ table: holdTable, key: envelope.id, row }], cold);
    if (unfit !== undefined) return this.refuse(envelope, unfit, continues);
    waiters.open(envelope.id, seq);
    this.#parts.observe(envelope, "held", seq);
    return { kind: "held", name: hold.name, seq };
  }

  /** Commits what passed: the entry, what it owes, whom it settles, what follows. */
  #commit(envelope: Envelope, decision: Passed, outcomeOf: OwedEffect | undefined, continues?: string): Taken {
    const { committer, effects, waiters, enveloper, keys, tables, epoch } = this.#parts;
    const { data, pending, settles, cancels } = decision;
    const seq = committer.tip + 1;
    let { state } = decision;
    const resumed = this.#heldBy(envelope);
    if (outcomeOf !== undefined) state = state.remove(effectTable, outcomeOf.id);
    for (const id of cancels) state = state.remove(effectTable, id);
    const owner = { node: enveloper.node.id, epoch };
    const owed: Owed[] = [];
    for (const by of decision.effects) owed.push(owedEffect(envelope, by, owed.length, owner, seq, outcomeOf));
    const first = outcomeOf === undefined && continues === undefined && mayAnswerAtOnce(decision, owed);
    const tried = first ? attempt(this.#parts, owed[0] as Owed, envelope.at, state) : undefined;
    if (tried?.kind === "within") return this.#commitWithin(envelope, decision, tried, owed[0] as Owed);
    for (const effect of owed) state = state.put(effectTable, effect.id, rowOf(effect));

    let cold = keys.rowsOf(envelope, seq, decision.once && continues === undefined);
    if (continues !== undefined) cold = [...cold, outcomeRow(continues, seq)];
    for (const { id } of settles) {
      // What has its outcome waits for no other one.
      if (tables.get(holdTable, id) !== undefined) state = state.remove(holdTable, id);
      const from = waiters.seqOf(id);
      if (from === undefined || from === 0 || seq - from > OUTCOME_WINDOW) cold = [...cold, outcomeRow(id, seq)];
    }
    const trace: Trace = {
      verdicts: decision.verdicts,
      data,
      pending: pending || undefined,
      settles: settles.length > 0 ? settles : undefined,
      continues,
      led: decision.then.length || undefined,
      after: (outcomeOf as Owed | undefined)?.after,
    };
    const unfit = this.#add(envelope, "done", trace, state.changes(), cold, decision.log, tried !== undefined);
    if (unfit !== undefined) return this.refuse(envelope, unfit, continues);
    this.#parts.observe(envelope, "done", seq);
    reportDecision(this.#parts, envelope.id, decision, outcomeOf, seq);

    keys.restate(decision.log?.rows ?? NO_ROWS, seq);
    waiters.forget(decision.log?.forgets);
    if (pending) waiters.open(envelope.id, seq);
    for (const { id, data: given, error } of settles) {
      if (error !== undefined) waiters.settle(id, { kind: "failed", error }, seq);
      else waiters.settle(id, { kind: "done", data: given === undefined ? envelope.message.data : given }, seq);
    }
    for (const id of cancels) effects.cancel(id, seq);
    for (const { message, as } of decision.then) this.#followUps.follow(envelope, message, as);
    if (resumed !== undefined) this.#followUps.resume(envelope, resumed);
    for (const effect of owed) effects.owe(effect, tried?.begun);
    return { kind: "done", data, pending, seq };
  }

  /** Commits what passed and was carried out at once: one entry, and nothing owed. */
  #commitWithin(
    envelope: Envelope,
    { verdicts, data, once }: Passed,
    { state, recorded, outcome }: Within,
    effect: Owed,
  ): Taken {
    const { committer, tables, keys } = this.#parts;
    const seq = committer.tip + 1;
    const trace: Trace = { verdicts, data, outcome: recorded };
    const changes = net(state.changes(), tables);
    const unfit = this.#add(envelope, "done", trace, changes, keys.rowsOf(envelope, seq, once));
    if (unfit !== undefined) return this.refuse(envelope, unfit);
    this.#parts.observe(envelope, "done", seq);
    reportOver(this.#parts, effect, outcome.kind);
    return { kind: "done", data, pending: false, seq, outcome };
  }

  #heldBy(envelope: Envelope): HoldRow | undefined {
    const { resource, action, data } = envelope.message;
    if (resource !== "message" || action !== "settle") return undefined;
    return this.#parts.tables.get(holdTable, (data as { id: string }).id) as HoldRow | undefined;
  }

  /** Commits the entry; or says that nothing was done, because a plugin's rows or data are no JSON. */
  #add(
    envelope: Envelope,
    verdict: string,
    trace: Trace,
    changes: readonly Change[],
    cold: readonly RowChange[],
    log?: LogWork,
    nobodyWaits = false,
  ): Refused | undefined {
    const { recorder, committer, keys, reportBug } = this.#parts;
    let entry: NewEntry;
    try {
      entry = recorder.entry(envelope, verdict, trace, changes, cold, log);
    } catch (thrown) {
      reportBug("kernel", thrown);
      keys.undo(committer.tip);
      const text = `${messageName(envelope.message)}: what a plugin made of it is no JSON; nothing was done`;
      return { kind: "refused", error: fault("INTERNAL", text, undefined, envelope.id), verdicts: trace.verdicts };
    }
    committer.add(entry, changes, nobodyWaits);
    return undefined;
  }
}
