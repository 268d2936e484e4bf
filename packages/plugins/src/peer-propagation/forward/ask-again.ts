// What nobody knows the outcome of is asked again by itself: at once when the neighbour that was asked has a session again, and for a
// while after it said that it does not know either, which may change. It also says which neighbours can be addressed. Whether anything
// may be done twice by it is not decided here: it is the same call by the same key (executor/elsewhere.ts).

import type { PluginRuntime } from "@capstan/orchestrator";
import { askedOf } from "../../executor/elsewhere.ts";
import { executions } from "../../executor/protocols.ts";
import type { Companion } from "../companion.ts";
import { isUndone } from "../routes/reach.ts";
import type { PeerName } from "./far-answer.ts";

export interface AskAgainParts {
  readonly runtime: Pick<PluginRuntime, "note" | "log" | "timers" | "reader" | "given">;
  /** As whom neighbours are noted (registry/elsewhere.ts). */
  readonly by: string;
  /** Milliseconds until it is asked again that did not know: so many, then twice as many, and so on. */
  readonly first: number;
  /** Whether there is a session with a node now. */
  session(node: string): boolean;
}

/** Executions that are asked for at once, of one neighbour; those behind them a moment later. */
const MOST_AT_ONCE = 64;
/** Between two times, at most, and how often: with a second at first, for about an hour and a half. */
const LONGEST_MS = 10 * 60_000;
const TIMES = 18;
/** Between two times from then on: somebody there may have it run again, or give it up, when he comes to work. */
const SELDOM_MS = 60 * 60_000;
/** Of one execution, whoever it is asked of and however often sessions come and go: each time is two entries. */
const MOST_TRIES = 50;

/** Where the asking has come to: how often all were asked, and after which one it goes on. */
interface Round {
  readonly times: number;
  readonly after: string;
}

const FIRST: Round = { times: 0, after: "" };

export class AskAgain implements Companion {
  readonly #parts: AskAgainParts;
  /** By the neighbour's node. */
  readonly #waiting = new Map<string, () => void>();

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

  /** What was asked of it may have been done. While there is no session, the next one is waited for. */
  unknown(node: string): void {
    if (!this.#waiting.has(node) && this.#parts.session(node)) this.#later(node, FIRST);
  }

  stop(): void {
    for (const node of [...this.#waiting.keys()]) this.#forget(node);
  }

  #forget(node: string): void {
    this.#waiting.get(node)?.();
    this.#waiting.delete(node);
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

  /** The oldest first. */
  #ask(node: string, { times, after }: Round): void {
    const { reader, given, note, log } = this.#parts.runtime;
    const open: string[] = [];
    let more = false;
    for (const [id, { state, elsewhere, attempt }] of reader.rows(given(executions))) {
      if (elsewhere?.again === undefined || elsewhere.givenUp || attempt > MOST_TRIES) continue;
      if (!askedOf(elsewhere).includes(node)) continue;
      more = true;
      if (state === "ambiguous") open.push(id);
    }
    const behind = open.filter((id) => id > after).sort();
    const now = behind.slice(0, MOST_AT_ONCE);
    for (const execution of now) {
      note({ resource: "execution", action: "again", data: { execution } }).catch((thrown: unknown) =>
        log.error({ execution, error: String(thrown) }, "what became of an execution could not be asked"),
      );
    }
    const isRest = behind.length > now.length;
    if (more) this.#later(node, isRest ? { times, after: now.at(-1) as string } : { times: times + 1, after: "" });
  }

  #note(name: string, node: string | null): void {
    const { note, log } = this.#parts.runtime;
    note({ resource: "action", action: "neighbour", data: { by: this.#parts.by, name, node } }).catch(
      (thrown: unknown) => {
        // What the disk refused was undone, and this with it. Which of several notes is right only the session knows.
        if (isUndone(thrown)) this.#note(name, node !== null && this.#parts.session(node) ? node : null);
        else log.error({ error: String(thrown) }, "a neighbour could not be noted");
      },
    );
  }
}
