// Carrying out: effects run after their entry is durable (replayable ones may start before), and what comes of each is a
// message, decided and committed like any other. An outcome that could not be recorded is kept and recorded later.

import { type Fault, FaultError, fault, faultOf } from "../fault/fault.ts";
import type { Awaitable } from "../log/log.ts";
import type { Message, Principal } from "../message/message.ts";
import type { Meters } from "../observability/meters.ts";
import type { Tracer } from "../observability/tracer.ts";
import type { Composition } from "../plugin/composition.ts";
import type { Logger, OwedEffect } from "../plugin/plugin.ts";
import type { Right } from "../plugin/token.ts";
import type { BaseTables, State } from "../state/state.ts";
import type { Timers } from "../time/timers.ts";
import type { Owed } from "./owed.ts";
import { type Begun, carryOut, deadlineExceeded, newRunning, type Running } from "./running-effect.ts";

/** What recording an outcome came to: the entry by which the effect is over, or that it has to be tried again. */
export type Recorded =
  | { readonly kind: "over"; readonly by: number }
  | { readonly kind: "later" }
  | { readonly kind: "unfit"; readonly error: Fault };

export interface EffectsOptions {
  readonly composition: Composition;
  readonly tables: BaseTables;
  readonly timers: Timers;
  readonly log: Logger;
  readonly meters: Meters;
  readonly tracer: Tracer | undefined;
  now(): number;
  durable(): number;
  record(effect: OwedEffect, outcome: Message): Recorded;
  /** What came of it cannot be recorded by this composition. */
  unrecorded(effect: OwedEffect): void;
  apply(message: Message, as: Principal, cause: OwedEffect, options?: { readonly key?: string }): Promise<unknown>;
  allows(right: Right, as: Principal): Fault | undefined;
}

/** How long an outcome that the log did not take waits before it is offered again. */
const RECORD_AGAIN_MS = 500;

export class Effects {
  readonly #options: EffectsOptions;
  readonly #running = new Map<string, Running>();
  /** Those that are over once their `overBy` is durable. */
  readonly #over = new Set<Running>();
  #awaitingDurable: Running[] = [];
  #unrecorded: Running[] = [];
  #stopRecording: (() => void) | undefined;
  #idle: (() => void)[] = [];
  #stopping = false;

  constructor(options: EffectsOptions) {
    this.#options = options;
  }

  /** Effects that run, wait to run, or wait to have their outcome recorded. */
  get size(): number {
    return this.#running.size;
  }

  /** Those of them that are being carried out. */
  get running(): number {
    let running = 0;
    for (const { started, outcome, overBy } of this.#running.values())
      if (started && outcome === undefined && overBy === 0) running++;
    return running;
  }

  /**
   * Starts a replayable effect before its entry is made, on the state that owes it; `undefined` where it has to wait. Unless its
   * outcome goes into that entry, `owe` has to follow.
   */
  begin(effect: Owed, state: Pick<State, "get">): Begun | undefined {
    const handler = this.#options.composition.handler(effect.plugin, effect.kind);
    const now = this.#options.now();
    if (this.#stopping || handler === undefined) return undefined;
    if ((effect.notBefore ?? now) > now || (effect.deadline ?? Infinity) <= now) return undefined;
    const running = newRunning(effect, state);
    running.started = true;
    return { running, outcome: carryOut(running, handler, this.#options) };
  }

  /** Takes an effect whose entry was committed. A replayable one may be carried out before this returns. */
  owe(effect: Owed, begun?: Begun): void {
    if (this.#stopping) return;
    const running = begun?.running ?? newRunning(effect, undefined);
    this.#running.set(effect.id, running);
    if (begun !== undefined) {
      running.state = undefined;
      this.#await(running, begun.outcome);
      return;
    }
    const delay = effect.notBefore === undefined ? 0 : effect.notBefore - this.#options.now();
    if (delay > 0) {
      running.stopTimer = this.#options.timers.after(delay, () => this.#whenAllowed(running));
    } else {
      this.#whenAllowed(running);
    }
  }

  /** By entry `by` the effect is owed no more. It is aborted once that is durable, and does not start before. */
  cancel(id: string, by: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    this.#options.meters.effectOver(running.effect, "cancelled");
    this.#overBy(running, by);
  }

  committed(durable: number): void {
    if (this.#awaitingDurable.length > 0) {
      const ready = this.#awaitingDurable.filter(({ effect }) => effect.committedBy <= durable);
      if (ready.length > 0) {
        this.#awaitingDurable = this.#awaitingDurable.filter(({ effect }) => effect.committedBy > durable);
        for (const running of ready) this.#start(running);
      }
    }
    for (const running of this.#over) if (running.overBy <= durable) this.#drop(running, CANCELLED);
  }

  /** Entries after `durable` never happened: drop what they owed, and go on with what they had ended. */
  undo(durable: number, reason: Fault): void {
    this.#awaitingDurable = this.#awaitingDurable.filter(({ effect }) => effect.committedBy <= durable);
    for (const running of [...this.#running.values()]) {
      if (running.effect.committedBy > durable) this.#drop(running, reason);
      else if (running.overBy > durable) this.#goOn(running);
    }
  }

  /** Waits until nothing runs, `graceMs` at most; then aborts what does. It stays owed, for the next start. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    for (const running of [...this.#running.values()]) {
      if (running.started) continue;
      running.stopTimer?.();
      this.#forget(running);
    }
    if (this.#busy()) {
      await new Promise<void>((resolve) => {
        const stopTimer = this.#options.timers.after(graceMs, resolve);
        this.#idle.push(() => {
          stopTimer();
          resolve();
        });
      });
    }
    this.#stopRecording?.();
    for (const running of [...this.#running.values()]) {
      if (running.overBy > 0) continue;
      // Forgotten first: that it was stopped is not its outcome.
      this.#forget(running);
      running.stopTimer?.();
      running.abort?.abort(new FaultError(fault("STOPPING", "the node is stopping")));
    }
  }

  #whenAllowed(running: Running): void {
    running.stopTimer = undefined;
    if (this.#stopping) return;
    if (running.effect.replayable || running.effect.committedBy <= this.#options.durable()) this.#start(running);
    else this.#awaitingDurable.push(running);
  }

  #start(running: Running): void {
    const { effect } = running;
    // `overBy`: cancelled, and not yet for good.
    if (this.#stopping || running.overBy > 0 || this.#running.get(effect.id) !== running) return;
    const handler = this.#options.composition.handler(effect.plugin, effect.kind);
    if (handler === undefined) {
      this.#options.log.error(
        { effect: effect.id, plugin: effect.plugin, kind: effect.kind },
        "no plugin carries this out",
      );
      return;
    }
    running.started = true;
    const now = this.#options.now();
    if (effect.deadline !== undefined && effect.deadline <= now) {
      this.#failed(running, deadlineExceeded(effect));
      return;
    }
    this.#await(running, carryOut(running, handler, this.#options));
  }

  #await(running: Running, outcome: Awaitable<Message>): void {
    const { effect } = running;
    if (!(outcome instanceof Promise)) {
      this.#ended(running, outcome);
      return;
    }
    running.abort ??= new AbortController();
    if (effect.deadline !== undefined) {
      running.stopTimer = this.#options.timers.after(effect.deadline - this.#options.now(), () => {
        const reason = deadlineExceeded(effect);
        running.abort?.abort(new FaultError(reason));
        this.#failed(running, reason);
      });
    }
    outcome.then(
      (message) => this.#ended(running, message),
      (thrown) => this.#failed(running, this.#faultOf(effect, thrown)),
    );
  }

  #faultOf(effect: OwedEffect, thrown: unknown): Fault {
    if (!(thrown instanceof FaultError))
      this.#options.log.error({ effect: effect.id, error: String(thrown) }, "an effect failed");
    return faultOf(thrown);
  }

  /** Ends as its handler says of a failure. A handler that cannot leaves it owed, for the next start. */
  #failed(running: Running, reason: Fault): void {
    const { effect } = running;
    if (running.outcome !== undefined || this.#running.get(effect.id) !== running) return;
    let outcome: Message | undefined;
    try {
      outcome = this.#options.composition.handler(effect.plugin, effect.kind)?.failed(effect, reason);
    } catch (thrown) {
      this.#options.log.error({ effect: effect.id, error: String(thrown) }, "its handler cannot say that it failed");
    }
    if (outcome === undefined) this.#forget(running);
    else this.#ended(running, outcome);
  }

  /** The first end counts: a deadline's, or the work's own. */
  #ended(running: Running, outcome: Message): void {
    if (running.outcome !== undefined || this.#running.get(running.effect.id) !== running) return;
    running.stopTimer?.();
    running.outcome = outcome;
    this.#record(running);
  }

  #record(running: Running): void {
    let recorded: Recorded;
    try {
      recorded = this.#options.record(running.effect, running.outcome as Message);
    } catch (thrown) {
      this.#unrecordable(running, thrown);
      return;
    }
    switch (recorded.kind) {
      case "over":
        this.#overBy(running, recorded.by);
        break;
      case "later":
        this.#recordLater(running);
        break;
      case "unfit":
        this.#unrecordable(running, recorded.error.message);
        break;
      default:
        recorded satisfies never;
    }
  }

  /**
   * Its outcome is no message of this composition, does not fit its schema, or was refused: a bug of its plugin. It is recorded as
   * failed; if not even that can be, it stays owed for the next start, and whoever waits is told.
   */
  #unrecordable(running: Running, thrown: unknown): void {
    this.#options.log.error({ effect: running.effect.id, error: String(thrown) }, "an outcome could not be recorded");
    if (running.broken) {
      this.#options.unrecorded(running.effect);
      this.#forget(running);
      return;
    }
    running.broken = true;
    running.outcome = undefined;
    this.#failed(running, faultOf(undefined));
  }

  #overBy(running: Running, by: number): void {
    running.overBy = by;
    if (by <= this.#options.durable()) {
      this.#drop(running, CANCELLED);
      return;
    }
    this.#over.add(running);
    this.#settleDown();
  }

  /** What ended it was undone. */
  #goOn(running: Running): void {
    running.overBy = 0;
    this.#over.delete(running);
    if (running.outcome !== undefined) this.#recordLater(running);
    else if (!running.started && running.stopTimer === undefined) this.#whenAllowed(running);
  }

  #recordLater(running: Running): void {
    this.#unrecorded.push(running);
    this.#stopRecording ??= this.#options.timers.after(RECORD_AGAIN_MS, () => {
      this.#stopRecording = undefined;
      const unrecorded = this.#unrecorded;
      this.#unrecorded = [];
      for (const one of unrecorded) {
        if (one.overBy === 0 && this.#running.get(one.effect.id) === one) this.#record(one);
      }
    });
  }

  /** Forgets it, and aborts it where it still runs. */
  #drop(running: Running, reason: Fault): void {
    running.stopTimer?.();
    if (running.outcome === undefined) running.abort?.abort(new FaultError(reason));
    this.#forget(running);
  }

  #forget(running: Running): void {
    if (this.#running.get(running.effect.id) === running) {
      this.#running.delete(running.effect.id);
      this.#options.tracer?.effectOver(running.effect.id, "cancelled");
    }
    this.#over.delete(running);
    this.#settleDown();
  }

  /** Whether anything runs, or has an outcome that no entry records. */
  #busy(): boolean {
    for (const { overBy } of this.#running.values()) if (overBy === 0) return true;
    return false;
  }

  #settleDown(): void {
    if (this.#idle.length === 0 || this.#busy()) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

const CANCELLED: Fault = fault("CANCELLED", "cancelled");
