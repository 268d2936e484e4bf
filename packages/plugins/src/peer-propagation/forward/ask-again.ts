// Repeats calls whose outcome is unknown (`ambiguous`): at once when the neighbour that received the call has a session again, and at growing
// intervals while it does not know the outcome either. It also notes which neighbours can be addressed. Whether anything
// may be done twice by it is not decided here: it is the same call by the same key (executor/elsewhere/perform-elsewhere.ts).

import type { PluginRuntime } from "@capstan/orchestrator";
import { askedOf } from "../../executor/elsewhere/recall.ts";
import { executions } from "../../executor/protocols.ts";
import type { Companion } from "../companion.ts";
import type { PeerName } from "../names.ts";
import { isUndone } from "../thrown.ts";

export interface AskAgainParts {
  readonly runtime: Pick<PluginRuntime, "note" | "log" | "timers" | "reader" | "given">;
  /** The carrier's name, under which neighbours are noted (registry/elsewhere.ts). */
  readonly by: string;
  /** Milliseconds until a neighbour that did not know is asked again; doubled each time. */
  readonly first: number;
  /** Whether there is a session with a node now. */
  session(node: string): boolean;
}

/** The most executions that one neighbour is asked about at once; the rest follow after `first`. */
const MOST_AT_ONCE = 64;
/** The longest interval, and the number of rounds: with one second at first, about an hour and a half. */
const LONGEST_MS = 10 * 60_000;
const TIMES = 18;
/** Rounds of what became unknown lately, beside those. */
const NEW_TIMES = 9;
/** The interval from then on: the neighbour's operator may run the execution again, or abandon it, during working hours. */
const SELDOM_MS = 60 * 60_000;
/** The most repeats of one execution, at all neighbours together: each is two entries. */
const MOST_TRIES = 50;

/** The progress with one neighbour: how many rounds are complete, and the last execution of the present round. */
interface Round {
  readonly times: number;
  readonly after: string;
}

const FIRST: Round = { times: 0, after: "" };

export class AskAgain implements Companion {
  readonly #parts: AskAgainParts;
  /** By the neighbour's node: stops its timer. */
  readonly #waiting = new Map<string, () => void>();
  /** The same for what became unknown while that timer is far off. */
  readonly #newly = new Map<string, { readonly times: number; stop(): void }>();

  constructor(parts: AskAgainParts) {
    this.#parts = parts;
  }

  established({ name, node }: PeerName): void {
    this.#note(name, node);
    this.#forget(node);
    this.#ask(node, FIRST);
  }

  lost({ name, node }: PeerName): void {
    this.#note(name, null);
    this.#forget(node);
  }

  /** A call to this neighbour has an unknown outcome. Without a session, `established` asks. */
  unknown(node: string): void {
    if (!this.#parts.session(node)) return;
    if (!this.#waiting.has(node)) this.#later(node, FIRST);
    else if (this.#newly.get(node)?.times !== 0) this.#soon(node, 0);
  }

  stop(): void {
    for (const node of [...this.#waiting.keys(), ...this.#newly.keys()]) this.#forget(node);
  }

  #forget(node: string): void {
    this.#waiting.get(node)?.();
    this.#waiting.delete(node);
    this.#newly.get(node)?.stop();
    this.#newly.delete(node);
  }

  /** Asks about what was not asked about often yet: the neighbour need not be as ignorant of it as of what it is asked about seldom. */
  #soon(node: string, times: number): void {
    const { first, session, runtime } = this.#parts;
    this.#newly.get(node)?.stop();
    const stop = runtime.timers.after(first * 2 ** times, () => {
      this.#newly.delete(node);
      if (!session(node)) return;
      const open = this.#openAt(node).filter(({ state, attempt }) => state === "ambiguous" && attempt <= times + 1);
      for (const { id } of open.slice(0, MOST_AT_ONCE)) this.#again(id);
      if (open.length > 0 && times < NEW_TIMES) this.#soon(node, times + 1);
    });
    this.#newly.set(node, { times, stop });
  }

  #later(node: string, round: Round): void {
    const { first, session, runtime } = this.#parts;
    const pause = round.times < TIMES ? Math.min(first * 2 ** round.times, LONGEST_MS) : SELDOM_MS;
    const ms = round.after === "" ? pause : first;
    const stopTimer = runtime.timers.after(ms, () => {
      this.#waiting.delete(node);
      if (session(node)) this.#ask(node, round);
    });
    this.#waiting.set(node, stopTimer);
  }

  /** Asks about the neighbour's ambiguous executions, the oldest first. */
  #ask(node: string, { times, after }: Round): void {
    const asked = this.#openAt(node);
    const more = asked.length > 0;
    const open = asked.filter(({ state }) => state === "ambiguous").map(({ id }) => id);
    const behind = open.filter((id) => id > after).sort();
    const now = behind.slice(0, MOST_AT_ONCE);
    for (const execution of now) this.#again(execution);
    const isRest = behind.length > now.length;
    if (more) this.#later(node, isRest ? { times, after: now.at(-1) as string } : { times: times + 1, after: "" });
  }

  /** What was asked of this neighbour and is not settled, or only now asked again. */
  #openAt(node: string): { readonly id: string; readonly state: string; readonly attempt: number }[] {
    const { reader, given } = this.#parts.runtime;
    const found = [];
    for (const [id, { state, elsewhere, attempt }] of reader.rows(given(executions))) {
      if (elsewhere?.again === undefined || elsewhere.givenUp || attempt > MOST_TRIES) continue;
      if (askedOf(elsewhere).includes(node)) found.push({ id, state, attempt });
    }
    return found;
  }

  #again(execution: string): void {
    const { note, log } = this.#parts.runtime;
    note({ resource: "execution", action: "again", data: { execution } }).catch((thrown: unknown) =>
      log.error({ execution, error: String(thrown) }, "what became of an execution could not be asked"),
    );
  }

  #note(name: string, node: string | null): void {
    const { note, log } = this.#parts.runtime;
    note({ resource: "action", action: "neighbour", data: { by: this.#parts.by, name, node } }).catch(
      (thrown: unknown) => {
        // The append failed and was undone: repeat it, with the session's present state, which may have changed.
        if (isUndone(thrown)) this.#note(name, node !== null && this.#parts.session(node) ? node : null);
        else log.error({ error: String(thrown) }, "a neighbour could not be noted");
      },
    );
  }
}
