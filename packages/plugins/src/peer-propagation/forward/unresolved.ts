// What nobody can say of executions elsewhere, and what may never be said by itself: whoever was asked has been silent for an hour, or has
// given it up. Somebody is told, once, and what there is to do. What was only handed on for another node is that one's to look after, and is
// kept here for a day. Asking again is another's (ask-again.ts).

import { fault, type PluginRuntime } from "@capstan/orchestrator";
import { askedOf } from "../../executor/elsewhere/recall.ts";
import { executions } from "../../executor/protocols.ts";
import type { ExecutionRow } from "../../executor/schema.ts";

export interface UnresolvedParts {
  readonly runtime: Pick<PluginRuntime, "note" | "log" | "timers" | "reader" | "given" | "now">;
  /** As whom executions elsewhere are carried. */
  readonly by: string;
  /** As the operator calls a node that is a peer. */
  nameOf(node: string): string | undefined;
  /** Whether there is a session with a node now. */
  session(node: string): boolean;
}

const LOOK_MS = 10 * 60_000;
/** For so long it may be asked by other ways as well (executor/elsewhere/perform-elsewhere.ts, REQUEST_MS): from then on only who was asked can tell. */
const DUE_MS = 60 * 60_000;
/** For so long keys are kept: then whoever had it handed on cannot ask this node for it any more. */
const HANDED_ON_MS = 24 * 60 * 60_000;
/** That one alert is of: an entry is bounded. */
const MOST = 256;
const LONGEST_TEXT = 1000;
/** That are given up in one look: each is an entry. */
const MOST_OVER = 4096;

type Open = readonly [id: string, row: ExecutionRow];

export class Unresolved {
  readonly #parts: UnresolvedParts;
  #stopTimer: () => void = () => {};

  constructor(parts: UnresolvedParts) {
    this.#parts = parts;
    this.#later();
  }

  stop(): void {
    this.#stopTimer();
  }

  #later(): void {
    this.#stopTimer = this.#parts.runtime.timers.after(LOOK_MS, () => {
      this.#look();
      this.#later();
    });
  }

  /** One alert for all that one neighbour was asked: what it leaves open when it goes may be thousands. */
  #look(): void {
    for (const [node, open] of Map.groupBy(this.#due(), ([, { elsewhere }]) => elsewhere && askedOf(elsewhere)[0])) {
      for (const some of [open.filter(([, row]) => !isGivenUp(row)), open.filter(([, row]) => isGivenUp(row))]) {
        // By their age: ids grow with time.
        some.sort(([one], [other]) => (one < other ? -1 : 1));
        for (let at = 0; at < some.length; at += MOST) this.#tell(node, some.slice(at, at + MOST));
      }
    }
  }

  #due(): Open[] {
    const { by, runtime } = this.#parts;
    const now = runtime.now();
    const due: Open[] = [];
    const over: string[] = [];
    for (const one of runtime.reader.rows(runtime.given(executions))) {
      const [id, row] = one;
      if (row.state !== "ambiguous" || row.elsewhere?.by !== by) continue;
      if ((row.elsewhere.via ?? []).length > 0) {
        if (row.at <= now - HANDED_ON_MS && over.length < MOST_OVER) over.push(id);
      } else if (!row.alerted && (isGivenUp(row) || row.at <= now - DUE_MS)) due.push(one);
    }
    for (const id of over) this.#end(id);
    return due;
  }

  #end(execution: string): void {
    const { note, log } = this.#parts.runtime;
    const text = `${execution}: nobody who was asked could tell for a day, and it was handed on for another node: it is kept no longer`;
    const error = fault("EXECUTION_ABANDONED", text);
    note({ resource: "execution", action: "lose", data: { execution, error } }).catch((thrown: unknown) =>
      log.warn({ execution, error: String(thrown) }, "what was handed on for another node could not be given up"),
    );
  }

  #tell(node: string | undefined, open: readonly Open[]): void {
    const { note, log } = this.#parts.runtime;
    const [id, row] = open[0] as Open;
    const oldest = `${id} (${row.action})`;
    const what = open.length === 1 ? oldest : `${open.length} executions, the oldest ${oldest},`;
    const text = `${what} may have been done, and nobody knows: ${this.#why(node, row)}; "capstan execution retry ID" asks now, "capstan execution abandon ID" gives one up, "capstan execution list --state ambiguous" lists them`;
    const data = {
      executions: open.map(([one]) => one),
      about: open.length === 1 || node === undefined ? id : node,
      text: text.slice(0, LONGEST_TEXT),
    };
    note({ resource: "execution", action: "unresolved", data }).catch((thrown: unknown) =>
      // At the next look once more.
      log.warn({ node, executions: open.length, error: String(thrown) }, "an alert could not be raised"),
    );
  }

  #why(node: string | undefined, row: ExecutionRow): string {
    const { nameOf, session } = this.#parts;
    if (node === undefined) return "whoever was asked is not known";
    const name = nameOf(node);
    if (name === undefined) return `${node}, which was asked, is no peer any more`;
    if (isGivenUp(row)) return `${name}, which was asked, tells that it was given up`;
    if (session(node)) return `${name}, which was asked, does not know either, and is asked again ever more seldom`;
    return `there is no session with ${name}, which was asked, and is asked again when there is one`;
  }
}

function isGivenUp({ elsewhere }: ExecutionRow): boolean {
  return elsewhere?.givenUp === true;
}
