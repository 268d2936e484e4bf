// One page of what was published after a place, waited for where there is nothing yet: whoever asks for it, here or on another node.

import { type Awaitable, type Fault, FaultError } from "@capstan/orchestrator";
import type { History } from "./history.ts";
import type { Published } from "./publication.ts";
import { MOST_AT_ONCE } from "./schema.ts";

/** UTF-16 code units of a page, but for its first publication. */
const MOST_IN_A_PAGE = 1024 * 1024;
/** Pages of the log that one answer looks through before it says how far it came. */
const MOST_SCANS = 80;

export interface PageRequest {
  readonly history: History;
  readonly topic: string;
  readonly limit: number;
  /** The last entry that may be told of. */
  head(): number;
  /** Why nobody can read on from an entry any more. */
  gone(entry: number): Fault | undefined;
  wanted(one: Published): boolean;
  /** Looking through a part of the log takes its time of the loop: has it done in a turn. */
  turn<T>(work: () => Awaitable<T>): Promise<T>;
  /** Milliseconds that are left to wait; -Infinity: nobody hears what comes of it. */
  left(): number;
  /** Resolves once there may be more, or the wait is over: with the entry up to which there was nothing. */
  wait?(at: number, ms: number): Promise<number>;
}

/** Everything after `from` that is wanted, or the first of it; `to` is the entry up to which that is all. @throws FaultError */
export async function readPage(
  from: number,
  request: PageRequest,
): Promise<{ readonly items: readonly Published[]; readonly to: number }> {
  const { history, topic, limit, head } = request;
  let at = from;
  for (let scans = 1; ; ) {
    const gone = request.gone(at);
    if (gone !== undefined) throw new FaultError(gone);
    const wanted = (one: Published): boolean => request.wanted(one);
    const most = Math.min(limit, MOST_AT_ONCE);
    const { items, to } = await request.turn(() => history.scan(at, topic, wanted, most, MOST_IN_A_PAGE));
    at = Math.max(at, to);
    const left = request.left();
    const over = left === Number.NEGATIVE_INFINITY || (at >= head() && left <= 0);
    if (items.length > 0 || over || scans >= MOST_SCANS) return { items, to: at };
    if (at < head() || request.wait === undefined) {
      scans++;
      continue;
    }
    at = await request.wait(at, left);
  }
}
