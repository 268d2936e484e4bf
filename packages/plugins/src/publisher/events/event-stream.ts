// One reader's stream: pulled, so that a reader who does not read is not read for. At any time it holds one page; what the reader
// misses lies in the log, and it comes back for it.

import { type DoorContext, type Fault, FaultError, fault, faultOf } from "@capstan/orchestrator";
import type { Publication } from "../publication.ts";
import { type DataOf, ending, framesOf, heartbeat, opening } from "./frame.ts";

export interface Page {
  readonly items: readonly Publication[];
  readonly next: string;
}

export interface EventStreamOptions {
  /** What there is for the reader already. */
  readonly first: Page;
  /** What came after it; waits `wait` milliseconds where there is nothing yet. @throws FaultError */
  read(after: string, limit: number, wait: number): Promise<Page>;
  readonly dataOf: DataOf;
  readonly context: Pick<DoorContext, "problem" | "stopping" | "log">;
  /** Called once: it is over, whoever ended it. */
  over(): void;
  /** Called once, after that: nothing is read for it any more. */
  unread(): void;
}

/** A silent connection is cut off by what stands between: proxies give it 30 to 60 s. */
const HEARTBEAT_MS = 15_000;
/** Clients come back after this much. */
const RETRY_MS = 3_000;
/** Publications that are held for a reader. */
export const PAGE = 100;

export function eventStream({
  first,
  read,
  dataOf,
  context,
  over,
  unread,
}: EventStreamOptions): ReadableStream<Uint8Array> {
  const { stopping, log } = context;
  const encoder = new TextEncoder();
  let at = first.next;
  let opened = false;
  let ended = false;
  let reading = false;
  let end: (why?: Fault) => void = () => {};

  /** What comes next for the reader: publications, or after a while that there are none. */
  async function next(): Promise<string> {
    const page = await read(at, PAGE, 0);
    if (page.items.length > 0 || page.next !== at) {
      at = page.next;
      return page.items.length > 0 ? framesOf(page.items, dataOf) : "";
    }
    // What ends the wait is read again: whoever waited may no longer read it.
    const waited = await read(at, 1, HEARTBEAT_MS);
    if (waited.items.length > 0) return "";
    at = waited.next;
    return heartbeat(at);
  }

  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const stopped = (): void => end(fault("STOPPING", "the node is shutting down; come back to it later"));
        end = (why) => {
          if (ended) return;
          ended = true;
          stopping.removeEventListener("abort", stopped);
          if (why !== undefined) controller.enqueue(encoder.encode(ending(context.problem(why))));
          if (why !== undefined) controller.close();
          over();
          if (!reading) unread();
        };
        stopping.addEventListener("abort", stopped);
        if (stopping.aborted) stopped();
      },
      async pull(controller) {
        if (!opened) {
          opened = true;
          // Headers leave with the first of the body, and a reader waits for them.
          const from = first.items.length === 0 ? at : undefined;
          controller.enqueue(encoder.encode(`${opening(from, RETRY_MS)}${framesOf(first.items, dataOf)}`));
          return;
        }
        reading = true;
        try {
          for (let text = ""; !ended && text === ""; ) {
            text = await next().catch(undone);
            if (!ended && text !== "") controller.enqueue(encoder.encode(text));
          }
        } catch (thrown) {
          if (!(thrown instanceof FaultError)) log.error({ error: String(thrown) }, "a stream of events failed");
          end(faultOf(thrown));
        } finally {
          reading = false;
          if (ended) unread();
        }
      },
      cancel() {
        end();
      },
    },
    { highWaterMark: 1 },
  );
}

/** What was read stood on what the disk then refused: none of it is told, and it is read again. */
function undone(thrown: unknown): string {
  if (thrown instanceof FaultError && thrown.code === "LOG_UNAVAILABLE") return "";
  throw thrown;
}
