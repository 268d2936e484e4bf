// Whoever was asked for what was cancelled here is told: at once where there is a session, else when there is one again. What is owed to them is
// in the log (executor/schema.ts, `recallTable`), so that it outlives this node's end; when nothing of it can run any more it is let go.

import type { FollowedRow, PluginRuntime } from "@capstan/orchestrator";
import { type RecallRow, recallTable } from "../../executor/schema.ts";
import type { Companion } from "../companion.ts";
import { inTime } from "../links/in-time.ts";
import { release } from "../links/outbox.ts";
import type { PeerName } from "../names.ts";
import { isFarFault } from "./far-answer.ts";
import type { Neighbour } from "./neighbour.ts";

export interface TakeBackParts {
  readonly runtime: Pick<PluginRuntime, "note" | "log" | "timers" | "now">;
  /** As whom executions elsewhere are carried. */
  readonly by: string;
  /** Milliseconds until a neighbour is told again that could not be, though there is a session. */
  readonly again: number;
  neighbour(node: string): Neighbour | undefined;
}

/** That one neighbour is told of at once. */
const MOST_AT_ONCE = 16;
const PATIENCE_MS = 10_000;
/** Said by who is about to go, or cannot write: nothing came of it. */
const LATER: ReadonlySet<unknown> = new Set(["STOPPING", "LOG_UNAVAILABLE", "PEER_SESSION_OVER"]);

export class TakeBack implements Companion {
  readonly #parts: TakeBackParts;
  readonly #owed = new Map<string, RecallRow>();
  /** By neighbour: the executions that it is owed to be told of. */
  readonly #owedTo = new Map<string, Set<string>>();
  /** By execution: when it is too late. */
  readonly #timers = new Map<string, () => void>();
  /** By neighbour: the executions that it is being told of, or was. */
  readonly #told = new Map<string, Set<string>>();
  readonly #waiting = new Map<string, () => void>();
  readonly #sessions = new Set<string>();
  #stopped = false;

  constructor(parts: TakeBackParts) {
    this.#parts = parts;
  }

  /** Rows as they are durable. */
  followed(rows: readonly FollowedRow[]): void {
    for (const { table, key, row } of rows) {
      if (table !== recallTable) continue;
      if (row === undefined) this.#forget(key);
      else this.#owe(key, row as RecallRow);
    }
    for (const node of this.#sessions) this.#tell(node);
  }

  established({ node }: PeerName): void {
    this.#sessions.add(node);
    this.#tell(node);
  }

  lost({ node }: PeerName): void {
    this.#sessions.delete(node);
    this.#waiting.get(node)?.();
    this.#waiting.delete(node);
    this.#told.delete(node);
  }

  stop(): void {
    this.#stopped = true;
    for (const stopTimer of [...this.#timers.values(), ...this.#waiting.values()]) stopTimer();
    this.#timers.clear();
    this.#waiting.clear();
  }

  #owe(execution: string, row: RecallRow): void {
    const { by, runtime } = this.#parts;
    if (row.by !== by) return;
    for (const node of this.#owed.get(execution)?.nodes ?? [])
      if (!row.nodes.includes(node)) this.#over(node, execution);
    this.#owed.set(execution, row);
    for (const node of row.nodes) {
      const owed = this.#owedTo.get(node);
      if (owed === undefined) this.#owedTo.set(node, new Set([execution]));
      else owed.add(execution);
    }
    if (!this.#timers.has(execution)) this.#expire(execution, row.until - runtime.now());
  }

  #expire(execution: string, ms: number): void {
    const stopTimer = this.#parts.runtime.timers.after(Math.max(0, ms), () => {
      void this.#note({ execution }).then((noted) => {
        if (noted) this.#forget(execution);
        else if (this.#owed.has(execution)) this.#expire(execution, PATIENCE_MS);
      });
    });
    this.#timers.set(execution, stopTimer);
  }

  #forget(execution: string): void {
    for (const node of this.#owed.get(execution)?.nodes ?? []) this.#over(node, execution);
    this.#owed.delete(execution);
    this.#timers.get(execution)?.();
    this.#timers.delete(execution);
  }

  #over(node: string, execution: string): void {
    this.#told.get(node)?.delete(execution);
    const owed = this.#owedTo.get(node);
    owed?.delete(execution);
    if (owed?.size === 0) this.#owedTo.delete(node);
  }

  /** So many at a time: a session that was away may be owed thousands. */
  #tell(node: string): void {
    const owed = this.#owedTo.get(node);
    if (this.#stopped || owed === undefined) return;
    const neighbour = this.#parts.neighbour(node);
    // A session is there a moment before what it is asked by.
    if (neighbour === undefined || neighbour.ended) {
      this.#later(node);
      return;
    }
    const told = this.#told.get(node) ?? new Set();
    this.#told.set(node, told);
    for (const execution of owed) {
      if (told.size >= MOST_AT_ONCE) return;
      const row = this.#owed.get(execution);
      if (row === undefined || told.has(execution)) continue;
      told.add(execution);
      void this.#ask(neighbour, node, execution, row);
    }
  }

  async #ask(neighbour: Neighbour, node: string, execution: string, row: RecallRow): Promise<void> {
    const { action: name, under, request, via = [], correlation, traceparent } = row;
    const said = {
      ...{ via, hops: via.length + 1 },
      ...(correlation === undefined ? {} : { correlation }),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    const data = { name, under, ...(request === undefined ? {} : { request }) };
    try {
      const answer = neighbour.call({ resource: "action", action: "recall", data }, said);
      release(await inTime(answer, PATIENCE_MS, this.#parts.runtime.timers));
    } catch (thrown) {
      // A refusal is an answer as well: there is no more that can be done.
      if (neighbour.ended || !isFarFault(thrown) || LATER.has((thrown as { readonly code?: unknown }).code)) {
        this.#told.get(node)?.delete(execution);
        this.#later(node);
        return;
      }
    }
    // Noted, it is in no row any more (`followed`).
    if (await this.#note({ execution, node })) return;
    this.#told.get(node)?.delete(execution);
    this.#later(node);
  }

  /** Where there is no session, the next one is waited for. */
  #later(node: string): void {
    const { runtime, again } = this.#parts;
    if (this.#stopped || this.#waiting.has(node) || !this.#sessions.has(node)) return;
    const stopTimer = runtime.timers.after(again, () => {
      this.#waiting.delete(node);
      this.#tell(node);
    });
    this.#waiting.set(node, stopTimer);
  }

  async #note(data: { readonly execution: string; readonly node?: string }): Promise<boolean> {
    const { note, log } = this.#parts.runtime;
    try {
      await note({ resource: "execution", action: "recalled", data });
      return true;
    } catch (thrown) {
      log.warn({ ...data, error: String(thrown) }, "that a neighbour was told of a cancelling could not be noted");
      return false;
    }
  }
}
